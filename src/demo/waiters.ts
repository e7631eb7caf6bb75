/** Promises that wait for a condition to hold; it is looked at again whenever something happened. */
export class Waiters {
  readonly #waiting = new Set<{ check: () => boolean; resolve: () => void; reject: (error: Error) => void }>();
  #isScheduled = false;
  #failure: Error | null = null;

  /**
   * @param what is awaited: for the error
   * @throws Error when it does not hold within `timeoutMs`, or `fail` was called
   */
  async until(check: () => boolean, what: string, timeoutMs: number): Promise<void> {
    if (check()) return;
    if (this.#failure) throw this.#failure;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const waiter = { check, resolve, reject };
      timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        reject(new Error(`waited ${timeoutMs} ms for ${what}`));
      }, timeoutMs);
      this.#waiting.add(waiter);
    }).finally(() => clearTimeout(timer));
  }

  /** Something happened: looks at every condition, once for all that happens at once. */
  notify(): void {
    if (this.#isScheduled || this.#waiting.size === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      for (const waiter of this.#waiting) {
        if (!waiter.check()) continue;
        this.#waiting.delete(waiter);
        waiter.resolve();
      }
    });
  }

  /** Nothing will happen any more: conditions that do not hold now never will. */
  fail(error: Error): void {
    this.#failure = error;
    for (const waiter of this.#waiting) {
      if (waiter.check()) waiter.resolve();
      else waiter.reject(error);
    }
    this.#waiting.clear();
  }
}
