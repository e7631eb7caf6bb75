import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { Session } from '#contract/session-pipeline.ts';
import { openDatabase } from '#platform/database.ts';
import { newId } from '#platform/id.ts';
import { Connections } from './connections.ts';
import { migrations, type Tables } from './database.ts';

type Pipeline = Peers['session-pipeline'];

const START = Date.parse('2026-11-20T12:00:00Z');
const HOUR_MS = 3_600_000;

/** Peers that fail, stay silent or lose connections when told to: the real ones cannot be made to. */
async function setUp() {
  const clock = { now: START };
  const told: { session: string; connection: string; resumable: boolean }[] = [];
  const ended: string[] = [];
  const dismissed: string[] = [];
  const atGateway = new Set<string>();
  const trouble = { pipeline: false, gatewayKeepsConnections: false, gatewayStartedAt: 0 };
  const pipeline: Pick<Pipeline, 'disconnectSession' | 'endSession'> = {
    disconnectSession: async ({ params, body }) => {
      if (trouble.pipeline) throw new ServiceError('unavailable', 'no answer');
      told.push({ session: params.id, connection: body.connection_id, resumable: body.resumable });
      return {} as Session;
    },
    endSession: async ({ params }) => {
      ended.push(params.id);
      return {} as Session;
    },
  };
  const paused = new Set<string>();
  const gateway = {
    pauseConnection: async ({ params }: { params: { id: string } }) => {
      if (!atGateway.has(params.id)) throw new ServiceError('not_found', 'there is no such connection');
      paused.add(params.id);
      return {};
    },
    endConnection: async ({ params }: { params: { id: string } }) => {
      if (!atGateway.has(params.id)) throw new ServiceError('not_found', 'there is no such connection');
      dismissed.push(params.id);
      if (!trouble.gatewayKeepsConnections) {
        atGateway.delete(params.id);
        await connections.ended(params.id, false, 'dismissed');
      }
      return {};
    },
    status: async () => ({ started_at: new Date(trouble.gatewayStartedAt).toISOString() }),
    listConnections: async () => ({ items: [...atGateway].map((id) => ({ id })) }),
  } as unknown as Peers['rdp-xrdp'];
  const connections = new Connections({
    database: await openDatabase<Tables>(':memory:', migrations),
    pipeline: pipeline as Pipeline,
    gateway,
    log: pino({ level: 'silent' }),
    limits: { all: 4, user: 2, server: 3, address: 3 },
    now: () => clock.now,
    replaceMs: 50,
  });

  /** A connection that is through. */
  async function connect(session: Partial<Session> = {}, address = '192.0.2.1') {
    const { id } = await reserve(session, address);
    await connections.confirm(id);
    atGateway.add(id);
    return id;
  }
  function reserve(session: Partial<Session> = {}, address = '192.0.2.1') {
    const full = { id: newId(), user_id: newId(), server_id: newId(), ...session } as Session;
    const endsAt = new Date(clock.now + HOUR_MS).toISOString();
    return connections.reserve(full, endsAt, { address, name: 'pc' });
  }
  return { clock, told, ended, dismissed, paused, atGateway, trouble, connections, connect, reserve };
}

test('a session has one connection, and each limit is told by name', async () => {
  const { connect, reserve } = await setUp();
  const id = newId();
  const [user_id, server_id] = [newId(), newId()];
  await connect({ id, user_id, server_id }, '192.0.2.1');
  await assert.rejects(reserve({ id }), { code: 'conflict' });
  await connect({ user_id, server_id }, '192.0.2.1');
  await assert.rejects(reserve({ user_id }), { code: 'limit_reached', message: /2 connections per person/ });
  await connect({ server_id }, '::ffff:192.0.2.1');
  await assert.rejects(reserve({ server_id }), { code: 'limit_reached', message: /3 connections to this server/ });
  await assert.rejects(reserve({}, '192.0.2.1'), { code: 'limit_reached', message: /3 connections from one address/ });
  await connect({}, '192.0.2.2');
  await assert.rejects(reserve({}, '192.0.2.3'), { code: 'limit_reached', message: /4 connections in all/ });
});

test('what is still being opened holds its place, and is not in the list', async () => {
  const { reserve, connections } = await setUp();
  const session = { id: newId() };
  const { id } = await reserve(session);
  await assert.rejects(reserve(session), { code: 'conflict' });
  assert.deepEqual(await connections.list(), []);
  await connections.confirm(id);
  assert.equal((await connections.list())[0].session_id, session.id);
});

test('the pipeline is told once that a connection is gone, as soon as it answers', async () => {
  const { connect, connections, told, trouble, reserve } = await setUp();
  const session = newId();
  const id = await connect({ id: session });
  trouble.pipeline = true;
  await connections.ended(id, true, 'the line dropped');
  await connections.ended(id, false, 'said twice');
  const ends = (await connections.list()).map((connection) => connection.ended_at);
  assert.deepEqual([ends, told], [['2026-11-20T12:00:00.000Z'], []]);
  await assert.rejects(reserve({ id: session }), { code: 'conflict' });
  trouble.pipeline = false;
  await connections.sweep();
  await connections.sweep();
  assert.deepEqual(told, [{ session, connection: id, resumable: true }]);
  await reserve({ id: session });
});

test('sessions past their time limit are ended', async () => {
  const { connect, connections, clock, ended } = await setUp();
  const session = newId();
  await connect({ id: session });
  clock.now += HOUR_MS - 1;
  await connections.sweep();
  assert.deepEqual(ended, []);
  clock.now += 1;
  await connections.sweep();
  assert.deepEqual(ended, [session]);
});

test('a replaced connection is dismissed, and its session stays resumable', async () => {
  const { connect, connections, dismissed, told, trouble } = await setUp();
  const session = newId();
  const id = await connect({ id: session });
  await connections.replace(session, 'elsewhere');
  assert.deepEqual([dismissed, told], [[id], [{ session, connection: id, resumable: true }]]);
  await connections.replace(session, 'there is none');

  await connect({ id: session });
  trouble.gatewayKeepsConnections = true;
  await assert.rejects(connections.replace(session, 'elsewhere'), { code: 'conflict' });
});

test('a session whose connection the gateway does not know is told as gone', async () => {
  const { connect, connections, told, atGateway, clock, trouble } = await setUp();
  const session = newId();
  const lost = await connect({ id: session });
  await connect();
  atGateway.delete(lost);
  await connections.reconcile();
  assert.deepEqual(told, [], 'too young: it may be on its way');
  clock.now += 30_000;
  await connections.reconcile();
  assert.deepEqual(told, [{ session, connection: lost, resumable: true }]);
  assert.equal((await connections.list()).length, 1);

  const young = newId();
  const restarted = await connect({ id: young });
  atGateway.delete(restarted);
  clock.now += 10;
  trouble.gatewayStartedAt = clock.now;
  await connections.reconcile();
  assert.deepEqual(told.at(-1), { session: young, connection: restarted, resumable: true });

  const other = newId();
  const gone = await connect({ id: other });
  atGateway.delete(gone);
  await connections.endSession(other, 'ended');
  assert.deepEqual(told.at(-1), { session: other, connection: gone, resumable: false });
});

test('connections that a crash has ended hold up nobody', async () => {
  const { connect, connections, reserve, atGateway, clock, trouble, told } = await setUp();
  const [id, user_id] = [newId(), newId()];
  for (const session of [{ id, user_id }, { user_id }]) atGateway.delete(await connect(session));
  const { id: opening } = await reserve({}, '192.0.2.7');
  await assert.rejects(reserve({ user_id }), { code: 'limit_reached' });
  clock.now += 10;
  trouble.gatewayStartedAt = clock.now;
  clock.now += 10;
  await reserve({ id, user_id });
  assert.equal(told.length, 3, 'all three are told as gone');
  assert.ok(told.some(({ connection }) => connection === opening));
  assert.deepEqual(await connections.list(), []);
});

test('a pause reaches a connection that the gateway is just making, and one that is gone stands in nobody’s way', async () => {
  const { connections, paused, reserve, atGateway, clock, trouble } = await setUp();
  const session = newId();
  const { id } = await reserve({ id: session });
  const pausing = connections.pauseSession(session, 'paused');
  atGateway.add(id);
  await pausing;
  assert.ok(paused.has(id));
  atGateway.delete(id);
  trouble.gatewayStartedAt = clock.now + 1;
  await connections.pauseSession(session, 'paused');
  await connections.pauseSession(newId(), 'paused');
});
