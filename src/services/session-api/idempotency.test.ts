import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openDatabase } from '#platform/database.ts';
import { migrations, type Tables } from './database.ts';
import { IdempotentAnswers } from './idempotency.ts';

const HOUR_MS = 3_600_000;

async function setUp() {
  const clock = { now: Date.parse('2026-11-20T12:00:00Z') };
  const database = await openDatabase<Tables>(':memory:', migrations);
  const secret = randomBytes(32);
  const open = () => new IdempotentAnswers(database, secret, () => clock.now);
  const request = { userId: 'u', operation: 'createUser', key: 'k', input: { body: { name: 'alice' } } };
  let made = 0;
  const make = async () => ({ made: ++made, secret: 'a secret in the answer' });
  return { clock, database, open, request, make };
}

test('an answer is given again within 24 hours, after a restart too, and then no more', async () => {
  const { clock, open, request, make } = await setUp();
  const first = await open().answer(request, make);
  assert.deepEqual([first.replayed, first.answer.made], [false, 1]);
  clock.now += 24 * HOUR_MS - 1;
  assert.deepEqual(await open().answer(request, make), { answer: first.answer, replayed: true });
  clock.now += 1;
  assert.equal((await open().answer(request, make)).answer.made, 2);
});

test('the key is one person’s, for one request; a spelling of the same input is no other request', async () => {
  const { open, request, make } = await setUp();
  const answers = open();
  await answers.answer({ ...request, input: { body: { a: 1, b: 2 } } }, make);
  assert.equal((await answers.answer({ ...request, input: { body: { b: 2, a: 1 } } }, make)).replayed, true);
  await assert.rejects(answers.answer(request, make), { code: 'conflict', message: /another request/ });
  await assert.rejects(answers.answer({ ...request, operation: 'createServer' }, make), { code: 'conflict' });
  assert.equal((await answers.answer({ ...request, userId: 'v' }, make)).replayed, false);
  for (const key of ['', 'with space', 'ä', 'x'.repeat(256)]) {
    await assert.rejects(answers.answer({ ...request, key }, make), { code: 'invalid_request' });
  }
});

test('a failure is not kept; what Lucid was stopped in the middle of is told', async () => {
  const { open, request, make, clock } = await setUp();
  const failing = () => Promise.reject(new Error('no'));
  await assert.rejects(open().answer(request, failing), /no/);
  assert.equal((await open().answer(request, make)).replayed, false);

  const stopped = { ...request, key: 'stopped' };
  const never = Promise.withResolvers<{ made: number; secret: string }>();
  const begun = Promise.withResolvers<void>();
  const hanging = open().answer(stopped, () => {
    begun.resolve();
    return never.promise;
  });
  // Another start of the service knows nothing of the first one's work but what is in the database.
  await begun.promise;
  await assert.rejects(open().answer(stopped, make), { code: 'conflict', message: /stopped in the middle/ });
  clock.now += 24 * HOUR_MS;
  assert.equal((await open().answer(stopped, make)).replayed, false);
  never.resolve(await make());
  await hanging;
});

test('the database shows neither key nor answer', async () => {
  const { database, open, request, make } = await setUp();
  await open().answer({ ...request, key: 'the-key-itself' }, make);
  const [row] = await database.selectFrom('idempotency').selectAll().execute();
  assert.ok(!Buffer.from(row.answer!).includes('secret'));
  assert.ok(!JSON.stringify(row).includes('the-key-itself'));
  const other = new IdempotentAnswers(database, randomBytes(32), () => Date.parse(row.created_at));
  await assert.rejects(other.answer({ ...request, key: 'the-key-itself' }, make));
});
