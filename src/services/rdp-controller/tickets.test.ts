import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceError } from '#contract/errors.ts';
import { openDatabase } from '#platform/database.ts';
import { newId } from '#platform/id.ts';
import { migrations, type Tables } from './database.ts';
import { Tickets } from './tickets.ts';

async function setUp() {
  const clock = { now: Date.parse('2026-11-20T12:00:00Z') };
  const database = await openDatabase<Tables>(':memory:', migrations);
  return { clock, database, tickets: new Tickets(database, () => clock.now) };
}

function refused(reason: string) {
  return (error: ServiceError) => {
    assert.equal(error.code, 'ticket_refused');
    assert.deepEqual(error.details, { reason });
    return true;
  };
}

test('a ticket admits once', async () => {
  const { tickets } = await setUp();
  const session = newId();
  const ticket = await tickets.create(session, 60);
  assert.match(ticket.secret, /^[a-z2-7]{32}$/);
  assert.equal(ticket.expires_at, '2026-11-20T12:01:00.000Z');
  assert.equal(await tickets.verify(ticket.ticket_id, ticket.secret.toUpperCase()), session);
  await tickets.spend(ticket.ticket_id);
  await assert.rejects(tickets.spend(ticket.ticket_id), refused('used'));
  await assert.rejects(tickets.verify(ticket.ticket_id, ticket.secret), refused('used'));
});

test('of many who spend one ticket at once, one succeeds', async () => {
  const { tickets } = await setUp();
  const { ticket_id } = await tickets.create(newId(), 60);
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => tickets.spend(ticket_id)));
  assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
});

test('a ticket expires, between the two steps too', async () => {
  const { clock, tickets } = await setUp();
  const ticket = await tickets.create(newId(), 60);
  clock.now += 59_999;
  await tickets.verify(ticket.ticket_id, ticket.secret);
  clock.now += 1;
  await assert.rejects(tickets.verify(ticket.ticket_id, ticket.secret), refused('expired'));
  await assert.rejects(tickets.spend(ticket.ticket_id), refused('expired'));
});

test('a wrong secret and an unknown ticket are told alike, whatever the state of the ticket', async () => {
  const { clock, tickets } = await setUp();
  const ticket = await tickets.create(newId(), 60);
  const messages = new Set<string>();
  const guess = (id: string) =>
    tickets.verify(id, 'a'.repeat(32)).then(
      () => assert.fail('was let in'),
      (error: ServiceError) => messages.add(`${error.code} ${error.message} ${JSON.stringify(error.details)}`),
    );
  await guess(ticket.ticket_id);
  await guess(newId());
  await guess('x');
  await tickets.spend(ticket.ticket_id);
  await guess(ticket.ticket_id);
  clock.now += 61_000;
  await guess(ticket.ticket_id);
  assert.equal(messages.size, 1);
});

test('neither the secret nor a trace of it is in the database, and old tickets are pruned', async () => {
  const { clock, database, tickets } = await setUp();
  const ticket = await tickets.create(newId(), 60);
  const stored = JSON.stringify(await database.selectFrom('tickets').selectAll().execute());
  assert.ok(!stored.includes(ticket.secret));
  clock.now += 25 * 3600 * 1000;
  await tickets.prune();
  assert.deepEqual(await database.selectFrom('tickets').selectAll().execute(), []);
});
