import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Limit, watchLimits } from './session-limits.ts';

test('a session ends after its longest time, counted from its start', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1_000_000 });
  const limits: Limit[] = [];
  const watch = watchLimits({ max_minutes: 10 }, 9 * 60_000, (limit) => limits.push(limit), Date.now);
  t.mock.timers.tick(59_000);
  watch.active();
  assert.equal(limits.length, 0);
  t.mock.timers.tick(60_000);
  assert.deepEqual(limits, [{ reason: 'the session has lasted 10 minutes, as long as it may', errorInfo: 4 }]);
});

test('a session ends when nobody uses it', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1_000_000 });
  const limits: Limit[] = [];
  const watch = watchLimits({ idle_minutes: 1 }, 0, (limit) => limits.push(limit), Date.now);
  t.mock.timers.tick(59_000);
  watch.active();
  t.mock.timers.tick(59_000);
  assert.equal(limits.length, 0);
  t.mock.timers.tick(2_000);
  assert.deepEqual(limits, [{ reason: 'nobody used the session for 1 minute', errorInfo: 3 }]);
});

test('a policy without limits sets none', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: 0 });
  const watch = watchLimits({}, 0, () => assert.fail('no limit'));
  t.mock.timers.tick(3_600_000);
  watch.stop();
});

test('while a session is paused nobody can use it, and its longest time goes on', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: 0 });
  const limits: string[] = [];
  const watch = watchLimits({ idle_minutes: 1, max_minutes: 5 }, 0, ({ reason }) => limits.push(reason), Date.now);
  watch.pause();
  t.mock.timers.tick(180_000);
  watch.resume();
  t.mock.timers.tick(59_000);
  watch.pause();
  assert.deepEqual(limits, []);
  t.mock.timers.tick(61_000);
  assert.deepEqual(limits, ['the session has lasted 5 minutes, as long as it may']);
});
