interface Waiter {
  number: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** The records of one writer that are appended and not durable yet: numbers, bytes, and who waits for them. */
export class Unacknowledged {
  #next = 0;
  #acknowledged = -1;
  #bytes = 0;
  /** Sizes of the records above `#acknowledged`, from `#first` on. */
  #sizes: number[] = [];
  #first = 0;
  #waiters: Waiter[] = [];
  #over: Error | null = null;

  /** Highest number up to which all is durable; -1 at first. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Why there will be no more acknowledgements; null while there may be. */
  get over(): Error | null {
    return this.#over;
  }

  /** Counts a record of `size` bytes. @returns its number */
  add(size: number): number {
    this.#sizes.push(size);
    this.#bytes += size;
    return this.#next++;
  }

  /**
   * All up to `number` is durable.
   * @returns false when that is nothing new
   */
  acknowledge(number: number): boolean {
    const last = Math.min(number, this.#next - 1);
    if (this.#over || last <= this.#acknowledged) return false;
    for (; this.#acknowledged < last; this.#acknowledged++) this.#bytes -= this.#sizes[this.#first++];
    if (this.#first * 2 > this.#sizes.length) {
      this.#sizes = this.#sizes.slice(this.#first);
      this.#first = 0;
    }
    if (this.#waiters.length > 0) {
      const done = this.#waiters.filter((waiter) => waiter.number <= last);
      this.#waiters = this.#waiters.filter((waiter) => waiter.number > last);
      for (const waiter of done) waiter.resolve();
    }
    return true;
  }

  /** Resolves once all that was added so far is durable. Rejects with the reason when that will not be. */
  async flush(): Promise<void> {
    if (this.#over) throw this.#over;
    const number = this.#next - 1;
    if (this.#acknowledged === number) return;
    await new Promise<void>((resolve, reject) => this.#waiters.push({ number, resolve, reject }));
  }

  /**
   * There will be no more acknowledgements.
   * @returns false when that was said before
   */
  end(reason: Error): boolean {
    if (this.#over) return false;
    this.#over = reason;
    for (const waiter of this.#waiters) waiter.reject(reason);
    this.#waiters = [];
    return true;
  }
}
