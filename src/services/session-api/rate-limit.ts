/** Keys remembered at a time; beyond it the one that was quiet longest is forgotten. */
const MAX_KEYS = 50_000;

export interface Taken {
  /** 0, or the seconds after which it may be tried again. */
  wait: number;
  /** How many more may come at once. */
  left: number;
  /** Seconds until the allowance is whole again. */
  reset: number;
}

/** So many at once, and from then on so many a minute, for each key; whatever the machine's clock is set to. */
export class RateLimit {
  readonly perMinute: number;
  /** Per key, when its allowance will be whole again. */
  readonly #wholeAtMs = new Map<string, number>();
  readonly #intervalMs: number;
  readonly #burstMs: number;
  readonly #now: () => number;

  constructor(perMinute: number, now: () => number = () => performance.now()) {
    this.perMinute = perMinute;
    this.#intervalMs = 60_000 / perMinute;
    this.#burstMs = 60_000 - this.#intervalMs;
    this.#now = now;
  }

  /** Takes one from the key's allowance, if there is one. */
  take(key: string): Taken {
    const now = this.#now();
    const whole = Math.max(now, this.#wholeAtMs.get(key) ?? 0);
    const early = whole - this.#burstMs - now;
    if (early > 0) return { wait: Math.ceil(early / 1000), left: 0, reset: Math.ceil((whole - now) / 1000) };
    const next = whole + this.#intervalMs;
    this.#wholeAtMs.delete(key);
    this.#wholeAtMs.set(key, next);
    if (this.#wholeAtMs.size > MAX_KEYS) this.#wholeAtMs.delete(this.#wholeAtMs.keys().next().value!);
    const left = Math.floor((60_000 - (next - now)) / this.#intervalMs + 1e-9);
    return { wait: 0, left, reset: Math.ceil((next - now) / 1000) };
  }
}
