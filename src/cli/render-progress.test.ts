import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeLeft } from './render-progress.ts';

test('time left is rounded up, as people say it', () => {
  assert.equal(timeLeft(0), '0 s');
  assert.equal(timeLeft(1), '1 s');
  assert.equal(timeLeft(59_500), '1 min');
  assert.equal(timeLeft(61_000), '2 min');
  assert.equal(timeLeft(3_600_000 * 2.5), '2 h 30 min');
});
