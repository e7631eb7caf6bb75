const FIRST_MS = 1000;
const LONGEST_MS = 60_000;
/** Who ran this long has recovered: the next fault counts as the first. */
const RECOVERED_MS = 60_000;

/** When to try again: after 1 s, 2 s, 4 s and so on, at most a minute. One per thing that is tried. */
export class BackOff {
  #faults = 0;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Call when it runs. */
  started(): void {
    this.#startedAt = performance.now();
  }

  /** Call when it failed: `retry` follows after the pause, unless `cancel` comes first. @returns the pause in ms */
  failed(retry: () => void): number {
    if (this.#startedAt > 0 && performance.now() - this.#startedAt >= RECOVERED_MS) this.#faults = 0;
    const pause = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#faults++);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(retry, pause).unref();
    return pause;
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
