import { setTimeout as sleep } from 'node:timers/promises';

/**
 * How long a test waits for what must come. It only ends a test that has failed: machines that run tests are busy, and how
 * fast something comes is for benchmarks to say.
 */
export const PATIENCE_MS = 120_000;

/**
 * Asks again and again until there is an answer.
 *
 * @param what is waited for, in words
 * @param probe answers, or gives false, null, undefined or an empty string for "not yet"
 * @throws Error naming what did not come, or what `probe` throws
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  pauseMs = 50,
): Promise<Exclude<T, false | null | undefined | ''>> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await probe();
    if (answer !== false && answer !== null && answer !== undefined && answer !== '') {
      return answer as Exclude<T, false | null | undefined | ''>;
    }
    if (performance.now() > deadline) throw new Error(`${what}: not in ${PATIENCE_MS / 1000} s`);
    await sleep(pauseMs);
  }
}
