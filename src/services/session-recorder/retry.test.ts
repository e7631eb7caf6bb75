import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, ServiceError } from '#contract/errors.ts';
import { retry } from './retry.ts';

/** Fails with the codes, one after another, then succeeds. */
function failing(...codes: ErrorCode[]) {
  const told = { retries: 0, successes: 0 };
  const aborter = new AbortController();
  const run = (patienceMs: number) =>
    retry(
      async () => {
        const code = codes.shift();
        if (code) throw new ServiceError(code, code);
        return 'done';
      },
      { patienceMs, signal: aborter.signal, onRetry: () => told.retries++, onSuccess: () => told.successes++ },
    );
  return { told, aborter, run };
}

test('what may pass is tried again', async () => {
  const { told, run } = failing('unavailable', 'storage_full');
  assert.equal(await run(5000), 'done');
  assert.deepEqual(told, { retries: 2, successes: 1 });
});

test('what another try cannot mend is thrown at once', async () => {
  const { told, run } = failing('conflict');
  await assert.rejects(run(5000), { code: 'conflict' });
  assert.equal(told.retries, 0);
});

test('patience ends, and so does work when it is stopped', async () => {
  await assert.rejects(failing('unavailable', 'unavailable').run(10), { code: 'unavailable' });
  const { aborter, run } = failing('unavailable', 'unavailable');
  const running = run(60_000);
  aborter.abort(new Error('the recorder stops'));
  await assert.rejects(running, /abort|stops/);
});
