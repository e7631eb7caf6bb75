import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, ServiceError } from '#contract/errors.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;

/** What another try cannot mend: the request itself is refused. */
const FINAL: readonly ErrorCode[] = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'wrong_state',
  'too_large',
  'unsupported_media_type',
];

export interface RetryOptions {
  /** Milliseconds after which a failure is not tried again. */
  patienceMs: number;
  signal: AbortSignal;
  /** Told of each failure that will be tried again. */
  onRetry: (error: Error, delayMs: number) => void;
  /** Told when a try has succeeded. */
  onSuccess: () => void;
}

/**
 * Runs `work` until it succeeds: delays double from 0.1 s up to 10 s, and are spread so that many do not come at once.
 *
 * @throws the last failure, when patience ends, another try cannot help or `signal` fires
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const deadline = performance.now() + options.patienceMs;
  for (let delay = FIRST_DELAY_MS; ; delay = Math.min(delay * 2, LONGEST_DELAY_MS)) {
    options.signal.throwIfAborted();
    try {
      const result = await work();
      options.onSuccess();
      return result;
    } catch (error) {
      const final = !(error instanceof ServiceError) || FINAL.includes(error.code);
      const pause = delay * (0.5 + Math.random() / 2);
      if (final || performance.now() + pause > deadline) throw error;
      options.onRetry(error, pause);
      await sleep(pause, undefined, { signal: options.signal });
    }
  }
}
