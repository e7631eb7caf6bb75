import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDatabase } from '#platform/database.ts';
import { newId } from '#platform/id.ts';
import { Approvals } from './approvals.ts';
import { migrations, type Tables } from './database.ts';

const MINUTE_MS = 60_000;

async function setUp() {
  const clock = { now: Date.parse('2026-11-20T12:00:00Z') };
  const approvals = new Approvals(await openDatabase<Tables>(':memory:', migrations), 60, () => clock.now);
  const [user_id, server_id, by] = [newId(), newId(), newId()];
  const policy = { drives: true, max_minutes: 30, idle_minutes: 5 };
  const ask = () => approvals.create({ user_id, server_id, policy_name: null, policy, reason: 'to fetch a file' });
  const use = (id: string, changes = {}) => approvals.use(id, { session_id: newId(), user_id, server_id, ...changes });
  return { clock, approvals, user_id, server_id, by, policy, ask, use };
}

test('a wish is approved by somebody else, and used once, by its person, for its server', async () => {
  const { approvals, ask, use, user_id, by, policy } = await setUp();
  const { id, state, expires_at } = await ask();
  assert.deepEqual([state, expires_at], ['pending', '2026-11-20T13:00:00.000Z']);
  await assert.rejects(use(id), { code: 'wrong_state', message: /is pending/ });
  await assert.rejects(approvals.decide(id, { by: user_id, approve: true }), {
    code: 'forbidden',
    message: /your own/,
  });
  const decided = await approvals.decide(id, { by, approve: true, comment: 'fine', valid_minutes: 5 });
  assert.deepEqual(
    [decided.state, decided.decided_by, decided.comment, decided.expires_at],
    ['approved', by, 'fine', '2026-11-20T12:05:00.000Z'],
  );
  await assert.rejects(use(id, { user_id: newId() }), { code: 'not_found' });
  await assert.rejects(use(id, { server_id: newId() }), { code: 'conflict' });
  const session_id = newId();
  const uses = await Promise.allSettled([use(id, { session_id }), use(id), use(id)]);
  assert.deepEqual(
    uses.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.code)),
    [policy, 'wrong_state', 'wrong_state'],
  );
  assert.deepEqual([(await approvals.get(id)).state, (await approvals.get(id)).session_id], ['used', session_id]);
  await approvals.unuse(id, newId());
  await assert.rejects(use(id), { code: 'wrong_state' });
  await approvals.unuse(id, session_id);
  assert.deepEqual(await use(id), policy);
});

test('of two who decide one does, what is denied stays denied, and time ends both wish and approval', async () => {
  const { clock, approvals, ask, use, by } = await setUp();
  const denied = await ask();
  const both = await Promise.allSettled([
    approvals.decide(denied.id, { by, approve: false }),
    approvals.decide(denied.id, { by, approve: true }),
  ]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  await assert.rejects(use(denied.id), { code: 'wrong_state', message: /denied/ });
  const late = await ask();
  clock.now++;
  const unused = await ask();
  await approvals.decide(unused.id, { by, approve: true });
  clock.now += 60 * MINUTE_MS;
  await assert.rejects(approvals.decide(late.id, { by, approve: true }), { message: /expired/ });
  await assert.rejects(use(unused.id), { message: /expired/ });
  const states = async (state: 'pending' | 'approved' | 'denied' | 'expired') =>
    (await approvals.list({ state })).items.map(({ id }) => id);
  assert.deepEqual(await states('expired'), [unused.id, late.id]);
  assert.deepEqual(await states('pending'), []);
  assert.deepEqual(await states('approved'), []);
  assert.deepEqual(await states('denied'), [denied.id]);
  clock.now += 367 * 24 * 60 * MINUTE_MS;
  await approvals.prune();
  assert.deepEqual((await approvals.list({})).items, []);
});

test('one person has so many wishes undecided, and lists run in pages', async () => {
  const { approvals, ask, user_id, clock } = await setUp();
  for (let i = 0; i < 20; i++) {
    clock.now++;
    await ask();
  }
  await assert.rejects(ask(), { code: 'limit_reached' });
  const first = await approvals.list({ limit: 15, user_id });
  const rest = await approvals.list({ limit: 15, cursor: first.next_cursor! });
  assert.deepEqual([first.items.length, rest.items.length, rest.next_cursor], [15, 5, null]);
  assert.deepEqual((await approvals.list({ user_id: newId() })).items, []);
  assert.deepEqual((await approvals.list({ server_id: newId() })).items, []);
  await assert.rejects(approvals.get(newId()), { code: 'not_found' });
});
