import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { openDatabase } from '#platform/database.ts';
import { AuditLog } from './audit-log.ts';
import { migrations, type Tables } from './database.ts';

const event = { actor: null, address: '192.0.2.1', action: 'logIn', target: 'alice', outcome: 'done' };

async function setUp(entries: number) {
  const database = await openDatabase<Tables>(':memory:', migrations);
  const log = new AuditLog(database, () => Date.parse('2026-11-20T12:00:00Z'));
  for (let i = 0; i < entries; i++) await log.append(event);
  return { database, log };
}

test('an entry’s hash covers the one before it and all its own fields', async () => {
  const { log } = await setUp(1);
  const text =
    '{"action":"logIn","actor":null,"address":"192.0.2.1","outcome":"done","seq":1,"target":"alice","time":"2026-11-20T12:00:00.000Z"}';
  const expected = createHash('sha256')
    .update(`${'0'.repeat(64)}\n${text}`)
    .digest('hex');
  assert.equal((await log.list({})).items[0].hash, expected);
});

test('an untouched chain verifies; a changed, removed or swapped entry is found', async () => {
  assert.equal((await (await setUp(0)).log.verify()).firstBad, null);
  assert.equal((await (await setUp(5)).log.verify()).firstBad, null);

  const changed = await setUp(5);
  await changed.database.updateTable('audit').set({ outcome: 'forbidden' }).where('seq', '=', 3).execute();
  assert.equal((await changed.log.verify()).firstBad, 3);

  const removed = await setUp(5);
  await removed.database.deleteFrom('audit').where('seq', '=', 2).execute();
  assert.equal((await removed.log.verify()).firstBad, 2);

  const swapped = await setUp(5);
  for (const [from, to] of [
    [4, 99],
    [5, 4],
    [99, 5],
  ]) {
    await swapped.database.updateTable('audit').set({ seq: to }).where('seq', '=', from).execute();
  }
  assert.equal((await swapped.log.verify()).firstBad, 4);
});

test('many at once still make one chain, and pages run from the newest', async () => {
  const { log } = await setUp(0);
  await Promise.all(Array.from({ length: 20 }, () => log.append(event)));
  assert.equal((await log.verify()).firstBad, null);
  const first = await log.list({ limit: 15 });
  assert.deepEqual([first.items[0].seq, first.next_cursor], [20, '6']);
  const rest = await log.list({ limit: 15, cursor: '6' });
  assert.deepEqual([rest.items.length, rest.next_cursor], [5, null]);
  await assert.rejects(log.list({ cursor: "1' or 1" }), { code: 'invalid_request' });
});

test('an API token is named, and covered by the hash; lists are chosen by any field; the head tells where the log ends', async () => {
  const { log, database } = await setUp(2);
  const [actor, token] = ['01a1f8d3-ea00-7cfa-8559-43ed7bb2212e', '01a1f8d3-ea00-7cfa-8559-43ed7bb2212f'];
  await log.append({ ...event, actor, token, action: 'getBundle', outcome: 'not_found' });
  const { items } = await log.list({ action: 'getBundle', outcome: 'not_found', actor, target: 'alice' });
  assert.deepEqual([items.length, items[0].token], [1, token]);
  assert.deepEqual((await log.list({ outcome: 'forbidden' })).items, []);
  assert.equal((await log.list({ from: '2026-11-20T13:00:00+01:00' })).items.length, 3);
  assert.deepEqual((await log.list({ before: '2026-11-20T12:00:00Z' })).items, []);
  const { firstBad, head } = await log.verify();
  assert.deepEqual([firstBad, head?.seq, head?.hash], [null, 3, items[0].hash]);
  await database.updateTable('audit').set({ token: null }).where('seq', '=', 3).execute();
  assert.equal((await log.verify()).firstBad, 3);
});
