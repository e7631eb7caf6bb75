import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncTimes } from './sync-times.ts';

test('a disk is slow when half its syncs are, or one in a hundred of many', () => {
  const times = new SyncTimes();
  assert.equal(times.report().isSlow, false);
  for (const ms of [1, 1, 80]) times.end(ms);
  assert.equal(times.report().isSlow, false);
  for (let i = 0; i < 97; i++) times.end(i < 2 ? 80 : 1);
  assert.deepEqual(times.report(), {
    isSlow: true,
    words:
      "the journal's disk is slow: a sync takes 1.0 ms (p50), 80.0 ms (p99); screens are shown that much later; memory cards and worn or busy disks are like this: use an SSD",
  });
  // Only the latest count.
  for (let i = 0; i < 1000; i++) times.end(2);
  assert.deepEqual([times.report().isSlow, times.quantile(0.99)], [false, 2]);
  for (let i = 0; i < 1000; i++) times.end(60);
  assert.equal(times.report().isSlow, true);
});
