import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDatabase } from '#platform/database.ts';
import { newId } from '#platform/id.ts';
import { migrations, type Tables } from './database.ts';
import { SessionStore } from './session-store.ts';
import { Statistics } from './statistics.ts';

async function setUp() {
  const clock = { now: Date.parse('2026-11-18T12:00:00Z') };
  const database = await openDatabase<Tables>(':memory:', migrations);
  const store = new SessionStore(database, { now: () => clock.now });
  const statistics = new Statistics(database, () => clock.now);
  const [server_id, user_id] = [newId(), newId()];

  /** A session of so many seconds, that waits a second in line and is processed in two. */
  async function complete(seconds: number, other: { server_id?: string } = {}) {
    const { id } = await store.create({ server_id, user_id, policy: {}, ...other });
    await store.apply(id, 'connect', 'test');
    await store.apply(id, 'opened', 'test', { started_at: store.time() });
    clock.now += seconds * 1000;
    await store.apply(id, 'stop', 'test', { ended_at: store.time() });
    clock.now += 1000;
    await store.apply(id, 'process', 'test');
    clock.now += 2000;
    await store.apply(id, 'complete', 'test');
  }
  return { clock, store, statistics, complete, server_id, user_id };
}

test('without sessions nothing is made up', async () => {
  const { statistics } = await setUp();
  assert.deepEqual(await statistics.averages(), {
    queued_seconds: null,
    processing_seconds: null,
    session_seconds: null,
  });
  assert.deepEqual(await statistics.lastHour(), { created: 0, completed: 0, failed: 0 });
  const { created, seconds, average_seconds, by_day } = await statistics.sessions(7);
  assert.deepEqual([created, seconds, average_seconds, by_day], [0, 0, null, []]);
});

test('counts, sums and averages by day, server and person', async () => {
  const { clock, store, statistics, complete, server_id, user_id } = await setUp();
  await complete(100);
  const other = newId();
  clock.now = Date.parse('2026-11-20T10:00:00Z');
  await complete(10);
  await complete(20, { server_id: other });
  const { id } = await store.create({ server_id, user_id, policy: {} });
  await store.apply(id, 'fail', 'nobody came');
  assert.deepEqual(await statistics.lastHour(), { created: 3, completed: 2, failed: 1 });
  assert.deepEqual(await statistics.averages(), { queued_seconds: 1, processing_seconds: 2, session_seconds: 15 });
  const week = await statistics.sessions(7);
  assert.deepEqual(week, {
    from: '2026-11-14T00:00:00.000Z',
    to: store.time(),
    created: 4,
    by_state: { completed: 3, failed: 1 },
    seconds: 130,
    average_seconds: 43.333,
    by_day: [
      { day: '2026-11-18', created: 1, completed: 1, failed: 0, seconds: 100 },
      { day: '2026-11-20', created: 3, completed: 2, failed: 1, seconds: 30 },
    ],
    by_server: [
      { id: server_id, sessions: 3, seconds: 110 },
      { id: other, sessions: 1, seconds: 20 },
    ],
    by_user: [{ id: user_id, sessions: 4, seconds: 130 }],
  });
  assert.deepEqual((await statistics.sessions(1)).by_day, week.by_day.slice(1));
});
