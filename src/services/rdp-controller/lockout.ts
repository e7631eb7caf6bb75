import { ServiceError } from '#contract/errors.ts';
import { addressKey } from '#platform/address.ts';

/** Addresses remembered at a time; beyond it the one that was quiet longest is forgotten. */
const MAX_ADDRESSES = 10_000;

interface Entry {
  failures: number;
  lastMs: number;
}

/** Locks out addresses that keep presenting wrong tickets; setting the machine's clock changes nothing. */
export class Lockout {
  readonly #entries = new Map<string, Entry>();
  readonly #attempts: number;
  readonly #lockMs: number;
  readonly #now: () => number;

  constructor(options: { attempts: number; seconds: number; now?: () => number }) {
    this.#attempts = options.attempts;
    this.#lockMs = options.seconds * 1000;
    this.#now = options.now ?? (() => performance.now());
  }

  /** @throws ServiceError `limit_reached` while the address is locked out */
  check(address: string): void {
    const entry = this.#fresh(addressKey(address));
    if (!entry || entry.failures < this.#attempts) return;
    const minutes = Math.max(1, Math.ceil((entry.lastMs + this.#lockMs - this.#now()) / 60_000));
    const words = `Too many wrong tickets came from this address. Try again in ${minutes} min.`;
    throw new ServiceError('limit_reached', words, { retry_after_seconds: minutes * 60 });
  }

  /** Counts a wrong ticket. The count is forgotten once the address has been quiet for the lock's time. */
  fail(address: string): void {
    const key = addressKey(address);
    const failures = (this.#fresh(key)?.failures ?? 0) + 1;
    this.#entries.delete(key);
    this.#entries.set(key, { failures, lastMs: this.#now() });
    if (this.#entries.size > MAX_ADDRESSES) this.#entries.delete(this.#entries.keys().next().value!);
  }

  #fresh(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry && entry.lastMs + this.#lockMs > this.#now()) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}
