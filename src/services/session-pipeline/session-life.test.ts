import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { SessionQuery } from '#contract/session-pipeline.ts';
import type { RecordingStatus } from '#contract/session-recorder.ts';
import { openDatabase } from '#platform/database.ts';
import { newId } from '#platform/id.ts';
import { migrations, type Tables } from './database.ts';
import { OutsideSessions } from './outside-sessions.ts';
import { ProcessingErrors } from './processing-errors.ts';
import { ProcessingQueue } from './processing-queue.ts';
import { Recovery } from './recovery.ts';
import { SessionLife } from './session-life.ts';
import { SessionStore } from './session-store.ts';

const log = pino({ level: 'silent' });
const unavailable = () => new ServiceError('unavailable', 'the recorder does not answer');

/** A recorder that fails when told to: the real one cannot be made to. */
function scriptedRecorder() {
  const calls: string[] = [];
  const closed: string[] = [];
  const recordings = new Map<string, RecordingStatus['state']>();
  const failures: ServiceError[] = [];
  const silences: ServiceError[] = [];
  const paused = new Set<string>();
  const problems = new Map<string, string[]>();
  const answer = (session_id: string): RecordingStatus => ({
    session_id,
    state: recordings.get(session_id)!,
    opened_at: '2026-11-20T12:00:00.000Z',
    paused: paused.has(session_id),
    records: 7,
    bytes: 700,
    sealed_bytes: 350,
    chunks: 2,
    durable_seq: 6,
    undecodable_share: 0,
    quality: {
      durability: 'strict',
      streams: [],
      missing_records: 0,
      gaps: 0,
      receipts: 1,
      decoded_bytes: 600,
      undecodable_bytes: 0,
      problems: problems.get(session_id) ?? [],
    },
  });
  const call = (name: string, id: string) => {
    calls.push(name);
    const failure = (name === 'get' ? silences : failures).shift();
    if (failure) throw failure;
    if (name !== 'open' && !recordings.has(id)) throw new ServiceError('not_found', 'there is no such recording');
  };
  const recorder = {
    openRecording: async ({ body }) => {
      call('open', body.session_id);
      recordings.set(body.session_id, 'open');
      return answer(body.session_id);
    },
    getRecording: async ({ params }) => {
      call('get', params.id);
      return answer(params.id);
    },
    closeRecording: async ({ params }) => {
      call('close', params.id);
      recordings.set(params.id, 'closed');
      closed.push(params.id);
      return answer(params.id);
    },
    pauseRecording: async ({ params }) => {
      call('pause', params.id);
      paused.add(params.id);
      return answer(params.id);
    },
    resumeRecording: async ({ params }) => {
      call('resume', params.id);
      paused.delete(params.id);
      return answer(params.id);
    },
  } as Peers['session-recorder'];
  return { recorder, calls, closed, paused, problems, recordings, failures, silences };
}

async function setUp(options: { resumeSeconds?: number; attempts?: number; workers?: number } = {}) {
  const clock = { now: Date.parse('2026-11-20T12:00:00Z') };
  const database = await openDatabase<Tables>(':memory:', migrations);
  const arrived = new Map<string, () => void>();
  const store = new SessionStore(database, {
    now: () => clock.now,
    onTransition: (event) => arrived.get(event)?.(),
  });
  const scripted = scriptedRecorder();
  const told: string[] = [];
  const connections: string[] = [];
  /** What the next pauses of a connection end with. */
  const refusals: ServiceError[] = [];
  const controller = {
    endSession: async ({ body }: { body: { reason: string } }) => {
      told.push(body.reason);
      return {};
    },
    pauseSession: async ({ body }: { body: { reason: string } }) => {
      const failure = refusals.shift();
      if (failure) throw failure;
      told.push(body.reason);
      return {};
    },
    resumeSession: async () => {
      told.push('go on');
      return {};
    },
    listConnections: async () => ({ items: connections.map((id) => ({ id })) }),
  } as unknown as Peers['rdp-controller'];
  const errors = new ProcessingErrors(database, () => clock.now);
  const parts = { store, errors, recorder: scripted.recorder, controller, log };
  const { workers = 2, attempts = 3, resumeSeconds = 300 } = options;
  const processing = new ProcessingQueue({ ...parts, workers, attempts, firstDelayMs: 1 });
  const life = new SessionLife({ ...parts, processing, resumeSeconds, unusedMinutes: 60 });
  const outside = new OutsideSessions(store, 24);
  const create = async () =>
    (await store.create({ server_id: newId(), user_id: newId(), policy: { input: true, max_minutes: 10 } })).id;
  /** Resolves at the next step of that kind, of whatever session. */
  const next = (event: string) => new Promise<void>((resolve) => arrived.set(event, resolve));
  const recover = async () => {
    const recovery = new Recovery({ ...parts, life, outside, processing });
    await recovery.begin();
    return recovery;
  };
  return {
    ...scripted,
    clock,
    store,
    errors,
    processing,
    life,
    outside,
    told,
    connections,
    refusals,
    create,
    next,
    recover,
  };
}

test('a session is opened, connected, left and completed, and its history tells it', async () => {
  const { life, store, create, next, calls } = await setUp();
  const id = await create();
  const connection_id = newId();
  const connected = await life.connect(id, connection_id);
  assert.deepEqual([connected.state, connected.connected], ['recording', true]);
  const completed = next('complete');
  const left = await life.disconnect(id, { connection_id, resumable: false, reason: 'the person left' });
  assert.deepEqual([left.state, left.reason, left.connected], ['stopped', 'the person left', false]);
  await completed;
  assert.deepEqual(calls, ['open', 'close']);
  assert.deepEqual(
    (await store.history(id)).map(({ from, to, cause }) => [from, to, cause]),
    [
      ['created', 'starting', 'a client was admitted'],
      ['starting', 'recording', 'the open entry is integrated'],
      ['recording', 'stopped', 'the person left'],
      ['stopped', 'processing', 'the recording is sealed and closed'],
      ['processing', 'completed', '7 records in 2 chunks'],
    ],
  );
  await assert.rejects(life.connect(id, newId()), { code: 'wrong_state' });
});

test('the recording is opened once, however many connect at once; one of them gets the session', async () => {
  const { life, create, calls } = await setUp();
  const id = await create();
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => life.connect(id, newId())));
  assert.deepEqual(calls, ['open']);
  const refused = results.filter((result) => result.status === 'rejected');
  assert.deepEqual(
    refused.map((result) => result.reason.code),
    Array(4).fill('conflict'),
  );
});

test('when the recording cannot be opened the session fails, and the caller learns why', async () => {
  const { life, store, create, failures } = await setUp();
  const id = await create();
  failures.push(new ServiceError('storage_full', 'the disk is full'));
  await assert.rejects(life.connect(id, newId()), { code: 'storage_full' });
  const { state, reason } = await store.get(id);
  assert.deepEqual([state, reason], ['failed', 'the recording could not be opened: the disk is full']);
});

test('a dropped line may come back within the time, not after it', async () => {
  const { life, store, create, clock, next } = await setUp({ resumeSeconds: 300 });
  const id = await create();
  const first = newId();
  await life.connect(id, first);
  const dropped = await life.disconnect(id, { connection_id: first, resumable: true, reason: 'the line dropped' });
  assert.deepEqual([dropped.state, dropped.resumable_until], ['recording', '2026-11-20T12:05:00.000Z']);
  clock.now += 299_000;
  await life.expire();
  const second = newId();
  assert.equal((await life.connect(id, second)).resumable_until, null);
  // Late word of the first connection says nothing about the second.
  await life.disconnect(id, { connection_id: first, resumable: false, reason: 'late' });
  assert.equal((await store.get(id)).connection_id, second);

  await life.disconnect(id, { connection_id: second, resumable: true, reason: 'the line dropped' });
  clock.now += 300_000;
  const completed = next('complete');
  await life.expire();
  await completed;
  assert.match((await store.get(id)).reason!, /nobody came, or came back after the line dropped, in time/);
});

test('to end a session its connection is told, and its recording closed once that is gone', async () => {
  const { life, create, calls, told, next } = await setUp();
  const id = await create();
  const connection_id = newId();
  await life.connect(id, connection_id);
  assert.equal((await life.end(id, 'ended by an admin')).state, 'stopped');
  assert.deepEqual([told, calls], [['ended by an admin'], ['open']]);
  const completed = next('complete');
  await life.disconnect(id, { connection_id, resumable: true, reason: 'closed' });
  await completed;
  await assert.rejects(life.end(id, 'again'), { code: 'wrong_state', message: /is completed already/ });
  life.stop();
});

test('a session that nobody connected to is ended, or fails after its time', async () => {
  const { life, store, create, clock, calls } = await setUp();
  const ended = await create();
  assert.equal((await life.end(ended, 'not wanted')).state, 'failed');
  const left = await create();
  clock.now += 60 * 60_000;
  await life.expire();
  assert.equal((await store.get(left)).reason, 'nobody connected within 60 minutes');
  assert.deepEqual(calls, []);
});

test('closing is tried again with the reason kept, and fails for good after so many attempts', async () => {
  const { life, store, create, failures, next } = await setUp({ attempts: 3 });
  const leave = async () => {
    const id = await create();
    const connection_id = newId();
    await life.connect(id, connection_id);
    return { id, go: () => life.disconnect(id, { connection_id, resumable: false, reason: 'left' }) };
  };
  const lucky = await leave();
  failures.push(unavailable(), unavailable());
  const completed = next('complete');
  await lucky.go();
  await completed;
  assert.equal((await store.get(lucky.id)).close_attempts, 2);

  const unlucky = await leave();
  failures.push(unavailable(), unavailable(), unavailable());
  const failed = next('fail');
  await unlucky.go();
  await failed;
  const { state, reason } = await store.get(unlucky.id);
  assert.equal(state, 'failed');
  assert.equal(reason, 'left; the recording could not be closed: the recorder does not answer');
});

test('what a crash left is taken up: each session goes on, is closed, or fails with the reason', async () => {
  const { life, store, processing, create, recordings, connections, recover, next, silences } = await setUp();
  const live = async () => {
    const id = await create();
    const connection = newId();
    await life.connect(id, connection);
    return { id, connection };
  };
  const connected = await live();
  connections.push(connected.connection);
  const dropped = await live();
  const lost = await live();
  recordings.delete(lost.id);
  const closed = await live();
  recordings.set(closed.id, 'closed');
  const opening = await create();
  await store.apply(opening, 'connect', 'a client was admitted');
  const stopping = await live();
  await store.apply(stopping.id, 'stop', 'left', { reason: 'left', connection_id: null });

  const completed = next('complete');
  await recover();
  await completed;
  await processing.stop(1000);
  const found = async (id: string) => (await store.get(id)).state;
  assert.equal(await found(connected.id), 'recording');
  assert.equal((await store.get(connected.id)).connection_id, connected.connection);
  assert.equal(await found(dropped.id), 'recording');
  assert.equal((await store.get(dropped.id)).resumable_until, '2026-11-20T12:05:00.000Z');
  assert.deepEqual(
    [await found(lost.id), (await store.get(lost.id)).reason],
    ['failed', 'the recording was lost when Lucid stopped'],
  );
  assert.equal(await found(closed.id), 'completed');
  assert.equal(await found(opening), 'failed');
  assert.equal(await found(stopping.id), 'completed');

  silences.push(unavailable(), unavailable());
  const recovery = await recover();
  assert.equal(recovery.left, 2);
  await recovery.go();
  assert.equal(recovery.left, 0);
});

test('lists run from the newest in pages, by state and by user', async () => {
  const { store, life, create, clock } = await setUp();
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    clock.now += 1;
    ids.push(await create());
  }
  await life.connect(ids[1], newId());
  const first = await store.list({ limit: 3 });
  assert.deepEqual(
    first.items.map((row) => row.id),
    [ids[4], ids[3], ids[2]],
  );
  const rest = await store.list({ limit: 3, cursor: first.next_cursor! });
  assert.deepEqual([rest.items.map((row) => row.id), rest.next_cursor], [[ids[1], ids[0]], null]);
  assert.deepEqual(
    (await store.list({ state: 'recording' })).items.map((row) => row.id),
    [ids[1]],
  );
  const { user_id } = await store.get(ids[3]);
  assert.deepEqual(
    (await store.list({ user_id })).items.map((row) => row.id),
    [ids[3]],
  );
  assert.deepEqual(await store.counts(), { created: 4, recording: 1 });
});

test('a session that was started by hand is recording, and waits for its person; then it is as any other', async () => {
  const { life, create, clock, calls, store, next } = await setUp({ resumeSeconds: 5 });
  const id = await create();
  const started = await life.start(id);
  assert.deepEqual(
    [started.state, started.connected, started.resumable_until],
    ['recording', false, '2026-11-20T12:01:00.000Z'],
  );
  assert.deepEqual(await life.start(id), started);
  assert.equal((await life.connect(id, newId())).resumable_until, null);
  const unused = await create();
  await life.start(unused);
  clock.now += 60_000;
  const completed = next('complete');
  await life.expire();
  await completed;
  assert.deepEqual([calls, (await store.get(id)).state], [['open', 'open', 'close'], 'recording']);
  await assert.rejects(life.start(unused), { code: 'wrong_state' });
});

test('the more urgent session is processed first, and its place changes with its priority', async () => {
  const { store, processing, recordings, closed } = await setUp({ workers: 1 });
  const stopped = async (priority: 'low' | 'normal' | 'high' | 'urgent') => {
    const { id } = await store.create({ server_id: newId(), user_id: newId(), policy: {}, priority });
    for (const event of ['connect', 'opened', 'stop'] as const) await store.apply(id, event, 'test');
    recordings.set(id, 'open');
    return { id, priority };
  };
  const rows = [await stopped('low'), await stopped('normal'), await stopped('urgent'), await stopped('high')];
  const [low, normal, urgent, high] = rows;
  for (const { id, priority } of rows) processing.add(id, priority);
  // The first is being worked on already.
  assert.deepEqual(processing.position(low.id), { place: null, running: true, retryAt: null });
  assert.deepEqual(
    [urgent, high, normal].map(({ id }) => processing.position(id).place),
    [1, 2, 3],
  );
  assert.deepEqual(processing.figures, {
    queue: { low: 0, normal: 1, high: 1, urgent: 1, waiting: 0 },
    workers: { all: 1, busy: 1 },
  });
  processing.setPriority(normal.id, 'urgent');
  processing.setPriority(low.id, 'urgent');
  assert.deepEqual(
    [urgent, normal, high].map(({ id }) => processing.position(id).place),
    [1, 2, 3],
  );
  await processing.stop(5000);
  assert.deepEqual(closed, [low.id, urgent.id, normal.id, high.id]);
});

test('errors are kept by stage, of each session and of the last day', async () => {
  const { life, create, errors, failures, clock } = await setUp();
  const old = await create();
  failures.push(unavailable());
  await assert.rejects(life.connect(old, newId()));
  clock.now += 25 * 3_600_000;
  const id = await create();
  failures.push(new ServiceError('storage_full', 'the disk is full'));
  await assert.rejects(life.connect(id, newId()));
  clock.now += 2 * 3_600_000;
  const error = { time: '2026-11-21T13:00:00.000Z', stage: 'opening', message: 'the disk is full' };
  const plain = (rows: object[]) => rows.map((row) => ({ ...row }));
  assert.deepEqual(plain(await errors.of(id)), [error]);
  const { stage, time: last_at, message: last_message } = error;
  assert.deepEqual(plain(await errors.byStage()), [{ stage, last_hour: 0, last_day: 1, last_at, last_message }]);
});

test('a session of an outside recorder is opened and closed by it, fails when ended otherwise or left, and is nobody’s to connect to', async () => {
  const { store, life, outside, clock, calls, recover } = await setUp();
  const create = async () => {
    const ids = { server_id: newId(), user_id: newId(), recorder_id: newId() };
    return (await store.create({ ...ids, policy: {} })).id;
  };
  const id = await create();
  await assert.rejects(life.connect(id, newId()), { code: 'wrong_state', message: /outside recorder/ });
  await assert.rejects(life.start(id), { code: 'wrong_state' });
  await assert.rejects(outside.grown(id), { code: 'wrong_state' });
  assert.equal((await outside.opened(id)).state, 'recording');
  assert.equal((await outside.opened(id)).state, 'recording');
  clock.now += 23 * 3_600_000;
  await outside.grown(id);
  const left = await create();
  await outside.opened(left);
  const ended = await create();
  await outside.opened(ended);
  assert.match((await life.end(ended, 'ended by an admin')).reason!, /^ended before its recorder closed it/);
  clock.now += 23 * 3_600_000;
  await outside.expire();
  assert.equal((await store.get(id)).state, 'recording');
  const closed = await outside.closed(id, 'left', '3 chunks');
  assert.deepEqual([closed.state, closed.reason], ['completed', 'left']);
  assert.deepEqual(await outside.closed(id, 'left', '3 chunks'), closed);
  await assert.rejects(outside.closed(ended, 'left', ''), { code: 'wrong_state' });
  clock.now += 3_600_000;
  await outside.expire();
  assert.match((await store.get(left)).reason!, /for 24 hours/);

  const torn = await create();
  await outside.opened(torn);
  await store.apply(torn, 'stop', 'left', { reason: 'left' });
  const recovery = await recover();
  assert.deepEqual([(await store.get(torn)).state, recovery.left, calls], ['completed', 0, []]);
  const own = await store.create({ server_id: newId(), user_id: newId(), policy: {} });
  await assert.rejects(outside.opened(own.id), { code: 'wrong_state', message: /itself/ });
});

test('a deleted session stays as a line, and is told once', async () => {
  const { life, store, create } = await setUp();
  const id = await create();
  await assert.rejects(life.deleted(id, 'retention-days'), { code: 'wrong_state' });
  await life.end(id, 'not wanted');
  for (let i = 0; i < 2; i++) assert.equal((await life.deleted(id, 'retention-days')).state, 'deleted');
  assert.deepEqual((await store.history(id)).at(-1)!.cause, 'retention-days');
});

test('lists are chosen by states, labels, name and time, and sorted by anything in pages', async () => {
  const { store, life, clock } = await setUp();
  const make = async (name: string | undefined, labels: Record<string, string>) => {
    clock.now += 1000;
    const ids = { server_id: newId(), user_id: newId() };
    return (await store.create({ ...ids, policy: {}, labels, ...(name && { name }) })).id;
  };
  const ids = [
    await make('Monthly close', { team: 'finance', case: 'a=b' }),
    await make(undefined, { team: 'it' }),
    await make('Patching', { team: 'it', urgent: '' }),
    await make('Archive', {}),
  ];
  await life.connect(ids[2], newId());
  await life.end(ids[3], 'no');
  const found = async (query: SessionQuery) => (await store.list(query)).items.map((row) => ids.indexOf(row.id));
  assert.deepEqual(await found({ state: 'created' }), [1, 0]);
  assert.deepEqual(await found({ state: 'created,recording' }), [2, 1, 0]);
  assert.deepEqual(await found({ label: 'team' }), [2, 1, 0]);
  assert.deepEqual(await found({ label: 'team=it' }), [2, 1]);
  assert.deepEqual(await found({ label: 'case=a=b' }), [0]);
  assert.deepEqual(await found({ label: 'urgent=' }), [2]);
  assert.deepEqual(await found({ name: 'ARCH' }), [3]);
  assert.deepEqual(await found({ name: '%' }), []);
  assert.deepEqual(await found({ connected: true }), [2]);
  assert.deepEqual(
    await found({ created_from: '2026-11-20T13:00:02+01:00', created_before: '2026-11-20T12:00:04Z' }),
    [2, 1],
  );
  assert.deepEqual(await found({ sort: 'created_at' }), [0, 1, 2, 3]);
  for (const [sort, order] of [
    ['name', [1, 3, 0, 2]],
    ['-name', [2, 0, 3, 1]],
    ['-started_at', [2, 3, 1, 0]],
    ['state', [0, 1, 3, 2]],
  ] as const) {
    const walked: number[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof store.list>> = await store.list({
        sort,
        limit: 1,
        ...(cursor && { cursor }),
      });
      walked.push(...page.items.map((row) => ids.indexOf(row.id)));
      cursor = page.next_cursor;
    } while (cursor);
    assert.deepEqual(walked, order, sort);
  }
  await assert.rejects(store.list({ cursor: 'nonsense' }), { code: 'invalid_request', message: /^cursor/ });
  const edited = await store.edit(ids[0], { name: null, labels: { x: 'y' }, priority: 'high' });
  assert.deepEqual([edited.name, edited.labels, edited.priority], [null, '{"x":"y"}', 'high']);
  await assert.rejects(store.edit(newId(), { name: 'x' }), { code: 'not_found' });
});

test('a session is paused and resumed, connection before recording, however often it is asked for', async () => {
  const { life, store, create, calls, told, paused } = await setUp();
  const id = await create();
  await assert.rejects(life.pause(id, 'paused'), { code: 'wrong_state', message: /is created: .* it has not begun/ });
  await life.connect(id, newId());
  for (let i = 0; i < 2; i++) assert.equal((await life.pause(id, 'paused by an operator')).state, 'paused');
  assert.ok(paused.has(id));
  for (let i = 0; i < 2; i++) assert.equal((await life.resume(id, 'resumed by an operator')).state, 'recording');
  assert.ok(!paused.has(id));
  assert.deepEqual(calls, ['open', 'pause', 'pause', 'resume', 'resume']);
  assert.deepEqual(told, ['paused by an operator', 'paused by an operator', 'go on', 'go on']);
  const steps = (await store.history(id)).slice(2).map(({ event, cause }) => [event, cause]);
  assert.deepEqual(steps, [
    ['pause', 'paused by an operator'],
    ['resume', 'resumed by an operator'],
  ]);
  await life.end(id, 'enough');
  await assert.rejects(life.resume(id, 'resumed'), { code: 'wrong_state', message: /is stopped: .* it is over/ });
  life.stop();
});

test('what stands in the way of a pause leaves the session as it was', async () => {
  const { life, store, create, told, refusals, failures } = await setUp();
  const id = await create();
  await life.connect(id, newId());
  refusals.push(new ServiceError('conflict', 'the desktop is not up yet'));
  await assert.rejects(life.pause(id, 'paused'), { code: 'conflict' });
  failures.push(unavailable());
  await assert.rejects(life.pause(id, 'paused'), { code: 'unavailable' });
  assert.deepEqual(told, ['go on', 'paused', 'go on']);
  assert.equal((await store.get(id)).state, 'recording');
});

test('after a crash in the middle of a pause, connection and recording are what the session is', async () => {
  const { life, store, create, connections, paused, told, recover } = await setUp();
  const live = async () => {
    const id = await create();
    const connection = newId();
    connections.push(connection);
    await life.connect(id, connection);
    return id;
  };
  const frozen = await live();
  paused.add(frozen);
  const going = await live();
  await store.apply(going, 'pause', 'paused by an operator');
  await recover();
  assert.deepEqual([...paused], [going]);
  assert.deepEqual(told.toSorted(), ['Lucid stopped while the session was being paused or resumed', 'go on']);
});

test('the history tells connections that are lost and come back', async () => {
  const { life, store, create } = await setUp();
  const id = await create();
  const first = newId();
  await life.connect(id, first);
  await life.disconnect(id, { connection_id: first, resumable: true, reason: 'the line dropped' });
  await life.connect(id, newId());
  const steps = (await store.history(id)).slice(2).map(({ event, from, to, cause }) => [event, from, to, cause]);
  assert.deepEqual(steps, [
    ['disconnected', 'recording', 'recording', 'the line dropped'],
    ['connected', 'recording', 'recording', 'a client was admitted'],
  ]);
});

test('a recording that is degraded is completed, and what is wrong with it told as an error of its stage', async () => {
  const { life, create, problems, errors, next } = await setUp();
  const id = await create();
  const connection_id = newId();
  await life.connect(id, connection_id);
  problems.set(id, ['12 records are missing in 1 gap']);
  const completed = next('complete');
  await life.disconnect(id, { connection_id, resumable: false, reason: 'left' });
  await completed;
  const told = (await errors.of(id)).map(({ stage, message }) => [stage, message]);
  assert.deepEqual(told, [['closing', 'the recording is degraded: 12 records are missing in 1 gap']]);
});
