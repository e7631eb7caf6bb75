/** Syncs that the figures are of. */
const KEPT = 1000;
/** A screen is shown later by the time of a sync: above this a person notices. */
const SLOW_MS = 50;
/** Fewer syncs say little about the slowest one in a hundred. */
const ENOUGH = 100;
/** A disk that does not answer for so long makes gateways end their sessions. */
const HUNG_MS = 5000;

/** How long the journal's disk takes to make a commit durable. */
export class SyncTimes {
  readonly #times: number[] = [];
  #next = 0;
  #since: number | null = null;
  /** Told of each sync: how many milliseconds it took. */
  onSync: (ms: number) => void = () => {};

  begin(): void {
    this.#since = performance.now();
  }

  /** @param ms that the last sync took; null when it failed */
  end(ms: number | null): void {
    this.#since = null;
    if (ms === null) return;
    this.onSync(ms);
    this.#times[this.#next] = ms;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** Milliseconds that `share` of the latest syncs did not exceed; 0 before the first. */
  quantile(share: number): number {
    const sorted = this.#times.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  }

  /** Since when the disk has not answered, in words; null when it does. */
  get hung(): string | null {
    const waited = this.#since === null ? 0 : performance.now() - this.#since;
    if (waited < HUNG_MS) return null;
    return `the journal's disk has not answered for ${Math.round(waited / 1000)} s`;
  }

  /** Figures in words, and whether the disk is slow. */
  report(): { isSlow: boolean; words: string } {
    const [median, high] = [this.quantile(0.5), this.quantile(0.99)];
    const figures = `a sync takes ${median.toFixed(1)} ms (p50), ${high.toFixed(1)} ms (p99)`;
    const isSlow = median >= SLOW_MS || (high >= SLOW_MS && this.#times.length >= ENOUGH);
    if (!isSlow) return { isSlow: false, words: figures };
    const cause = `screens are shown that much later; memory cards and worn or busy disks are like this: use an SSD`;
    return { isSlow: true, words: `the journal's disk is slow: ${figures}; ${cause}` };
  }
}
