import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repeat } from './repeat.ts';

test('work is done again after it failed, never twice at a time, and not after the stop', async () => {
  const enough = Promise.withResolvers<void>();
  const errors: unknown[] = [];
  let running = 0;
  let times = 0;
  const repetition = repeat(
    async () => {
      assert.equal(++running, 1);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (++times === 4) enough.resolve();
      if (times % 2 === 0) throw new Error(`time ${times}`);
    },
    1,
    (error) => errors.push(String(error)),
  );
  await enough.promise;
  await repetition.stop();
  const done = times;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(times, done);
  assert.deepEqual(errors.slice(0, 2), ['Error: time 2', 'Error: time 4']);
  assert.equal(running, 0);
});

test('a stop waits for what runs', async () => {
  const began = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  let ended = false;
  const repetition = repeat(
    async () => {
      began.resolve();
      await finish.promise;
      ended = true;
    },
    1,
    () => {},
  );
  await began.promise;
  const stopped = repetition.stop();
  finish.resolve();
  await stopped;
  assert.ok(ended);
});
