import type { RateClass } from '#contract/contract.ts';
import { ServiceError } from '#contract/errors.ts';
import { RateLimit } from './rate-limit.ts';

/** Where an answer's headers are set. */
interface Headers {
  header(name: string, value: string | number): unknown;
}

/**
 * How often each person may call each route: told with every answer in the header fields RateLimit-Policy and RateLimit
 * (draft-ietf-httpapi-ratelimit-headers), and with a refusal in Retry-After.
 */
export class Rates {
  readonly #limits: ReadonlyMap<RateClass, RateLimit>;

  constructor(perMinute: Record<RateClass, number>, now?: () => number) {
    const classes = Object.entries(perMinute) as [RateClass, number][];
    this.#limits = new Map(classes.map(([rate, count]) => [rate, new RateLimit(count, now)]));
  }

  /**
   * Counts a call against its allowance.
   *
   * @param key whose allowance: of one person, or address, for one route
   * @throws ServiceError `limit_reached`
   */
  take(rate: RateClass, key: string, reply: Headers): void {
    const limit = this.#limits.get(rate)!;
    const { wait, left, reset } = limit.take(key);
    reply.header('ratelimit-policy', `"${rate}";q=${limit.perMinute};w=60`);
    reply.header('ratelimit', `"${rate}";r=${left};t=${reset}`);
    if (wait === 0) return;
    reply.header('retry-after', wait);
    const words = `more than ${limit.perMinute} calls in a minute: try again in ${wait} s`;
    throw new ServiceError('limit_reached', words, { retry_after_seconds: wait });
  }
}
