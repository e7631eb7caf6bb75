import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimit } from './rate-limit.ts';

test('a rate limit lets so many through at once, then so many a minute, and tells what is left', () => {
  const clock = { now: 0 };
  const limit = new RateLimit(3, () => clock.now);
  assert.deepEqual(
    [1, 2, 3].map(() => limit.take('a')),
    [
      { wait: 0, left: 2, reset: 20 },
      { wait: 0, left: 1, reset: 40 },
      { wait: 0, left: 0, reset: 60 },
    ],
  );
  assert.deepEqual(limit.take('a'), { wait: 20, left: 0, reset: 60 });
  assert.equal(limit.take('b').wait, 0);
  clock.now = 19_000;
  assert.equal(limit.take('a').wait, 1);
  clock.now = 20_000;
  assert.equal(limit.take('a').wait, 0);
  assert.equal(limit.take('a').wait, 20);
  clock.now = 81_000;
  assert.deepEqual(limit.take('a'), { wait: 0, left: 2, reset: 20 });
});

test('the table is bounded: the key that was quiet longest is forgotten', () => {
  const limit = new RateLimit(1, () => 0);
  limit.take('first');
  for (let i = 0; i < 50_000; i++) limit.take(String(i));
  assert.equal(limit.take('first').wait, 0);
  assert.ok(limit.take('49999').wait > 0);
});
