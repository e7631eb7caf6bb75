/** From records to a verified bundle, with the real recorder, processor and storage in one program. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ErrorCode } from '#contract/errors.ts';
import { ServiceError } from '#contract/errors.ts';
import type { NewRecord, RecordTransport, RecordWriter, RecordWriterEvents } from '#contract/record-transport.ts';
import { parseEntry } from '#evidence/entry.ts';
import { formatIdentity, generateIdentity } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { verifyBundle } from '#evidence/node/verify.ts';
import { parseNote, parseVerifierKey } from '#evidence/note.ts';
import { CAPTURED_STREAMS, RecordType, type SessionRecord } from '#evidence/record.ts';
import { readMarkerBody, writeChannelBody, writeJsonBody } from '#evidence/record-body.ts';
import { newId } from '#platform/id.ts';
import { needs } from '../support/needs.ts';
import { player, serverPdu } from '../support/recorded-session.ts';
import { type RecordingServices, startRecordingServices } from '../support/recording-services.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-recording-'));
after(() => rmSync(root, { recursive: true }));
const auditor = generateIdentity();

/** Runs `body` on services of its own, and stops them. */
async function withServices(
  settings: Record<string, string>,
  body: (services: RecordingServices, data: string) => Promise<void>,
) {
  const data = mkdtempSync(join(root, 'data-'));
  const services = await startRecordingServices(data, auditor, settings);
  try {
    await body(services, data);
  } finally {
    await services.stop();
  }
}

/** What a writer was told. */
class Told implements RecordWriterEvents {
  readonly acknowledgements: number[] = [];
  readonly failure = Promise.withResolvers<string>();
  acknowledged(number: number): void {
    this.acknowledgements.push(number);
  }
  failed(reason: string): void {
    this.failure.resolve(reason);
  }
}

const attach = (records: RecordTransport, session: string, told = new Told()) => records.attach(session, newId(), told);

/** Appends a config, then so many rounds of a picture, a key and clipboard data. @returns what was appended */
function appendAll(writer: RecordWriter, session: string, rounds: number, padding = 0): NewRecord[] {
  const appended: NewRecord[] = [];
  const append = (type: number, body: Uint8Array) => {
    const record = { type, flags: 0, timeUs: writer.now(), body };
    assert.equal(writer.append(record), appended.push(record) - 1);
  };
  append(
    RecordType.config,
    writeJsonBody({
      version: 1,
      session,
      startedAt: '2026-01-31T09:30:00.000Z',
      width: 64,
      height: 48,
      depth: 32,
      codecs: {},
      profile: 'bitmaps',
      versions: {},
    }),
  );
  for (let i = 0; i < rounds; i++) {
    append(RecordType.serverPdu, serverPdu(i));
    append(RecordType.clientPdu, Uint8Array.of(0x04, 0x04, 0x00, 0x1e));
    const data = new Uint8Array(8 + padding).map((_, at) => (at * i * 31) & 0xff);
    append(RecordType.channelData, writeChannelBody({ direction: 'client-to-server', channel: 'cliprdr', data }));
  }
  return appended;
}

/** The recording's bundle as a tar file, verified. */
async function fetchVerified(services: RecordingServices, session: string) {
  const file = join(mkdtempSync(join(root, 'bundle-')), 'bundle.tar');
  await writeFile(file, await services.storage.getBundle({ params: { id: session }, query: {} }));
  const source = openBundleSource(file);
  const steps = verifyBundle(source, {
    nodeKeys: [parseVerifierKey(sha256, await services.verifierKey())],
    identities: [auditor],
    player,
  });
  let step = steps.next();
  while (!step.done) step = steps.next();
  return { file, source, report: step.value };
}

const isRefused = (code: ErrorCode, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ServiceError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};

const closeEntry = (services: RecordingServices, session: string) => {
  const entry = parseEntry(parseNote(readFileSync(join(services.folderOf(session), 'close.note'))).text);
  assert.equal(entry.kind, 'lucid/close/v1');
  return entry as Extract<typeof entry, { kind: 'lucid/close/v1' }>;
};

test('what two connections have written is read back from the verified bundle, in order and without gaps', async () => {
  await withServices({ LUCID_CHUNK_BYTES: '65536' }, async (services) => {
    const session = await services.open();
    const first = await attach(services.records, session);
    await assert.rejects(attach(services.records, session), isRefused('conflict', /writes to session/));
    const before = appendAll(first, session, 400, 500);
    assert.equal(first.acknowledged, -1, 'nothing is acknowledged within append');
    await first.close();
    assert.equal(first.acknowledged, before.length - 1);
    assert.equal(first.unacknowledgedBytes, 0);

    const remote = await services.connect('rdp-xrdp');
    const told = new Told();
    const reached = first.now();
    const second = await attach(remote, session, told);
    assert.ok(second.now() >= reached, "the session's clock goes on");
    const later = appendAll(second, session, 400, 500);
    await second.flush();
    assert.equal(told.acknowledgements.at(-1), later.length - 1);
    assert.deepEqual(
      told.acknowledgements,
      told.acknowledgements.toSorted((a, b) => a - b),
    );
    await second.close();

    const status = await services.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    assert.deepEqual(
      await services.recorder.closeRecording({ params: { id: session }, body: { reason: 'again' } }),
      status,
    );
    assert.deepEqual(await services.recorder.getRecording({ params: { id: session } }), status);
    const markers = ['disconnected', 'reconnected', 'disconnected', 'end'];
    assert.equal(status.state, 'closed');
    assert.equal(status.records, before.length + later.length + markers.length);
    assert.equal(status.undecodable_share, 0);

    const { source, report } = await fetchVerified(services, session);
    assert.equal(report.verdict, 'verified', JSON.stringify(report));
    const reader = new BundleReader(source, [auditor]);
    assert.ok(reader.leavesOf('screen').length > 2 && reader.leavesOf('channels').length > 2);
    assert.ok(reader.leavesOf('keyframes').length >= 1 && reader.leavesOf('index').length > 2);
    const captured = [...reader.records(CAPTURED_STREAMS)].map(({ record }) => record);
    assert.deepEqual(
      captured.map(({ seq }) => seq),
      captured.map((_, i) => i),
    );
    const isOwn = ({ type }: SessionRecord) => type === RecordType.marker;
    assert.deepEqual(
      captured.filter(isOwn).map(({ body }) => readMarkerBody(body).kind),
      markers,
    );
    assert.deepEqual(
      captured.filter((record) => !isOwn(record)).map(({ type, body }) => [type, Buffer.from(body)]),
      [...before, ...later].map(({ type, body }) => [type, Buffer.from(body)]),
    );
    source.close();
    assert.equal(closeEntry(services, session).reason, 'left');
  });
});

test('age and zstd alone open what is stored', { skip: needs('age', 'zstd') }, async () => {
  await withServices({}, async (services) => {
    const session = await services.open();
    const writer = await attach(services.records, session);
    const appended = appendAll(writer, session, 50, 2000);
    await writer.close();
    await services.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    const folder = services.folderOf(session);
    const identity = join(root, 'auditor.txt');
    writeFileSync(identity, `${formatIdentity(auditor)}\n`);
    const key = join(root, 'channels.txt');
    writeFileSync(key, execFileSync('age', ['-d', '-i', identity, join(folder, 'keys/channels.age')]));
    const [name] = readdirSync(join(folder, 'channels'));
    const packed = execFileSync('age', ['-d', '-i', key, join(folder, 'channels', name)]);
    const run = name.endsWith('.zst.age') ? execFileSync('zstd', ['-d', '--long=24'], { input: packed }) : packed;
    const sent = appended.filter(({ type }) => type === RecordType.channelData);
    assert.equal(
      run.length,
      sent.reduce((sum, { body }) => sum + 24 + body.length, 0),
    );
    assert.deepEqual(run.subarray(24, 24 + sent[0].body.length), Buffer.from(sent[0].body));
  });
});

test('only the gateway may write, and only to a recording that is open', async () => {
  await withServices({}, async (services) => {
    const session = await services.open();
    const other = await services.connect('session-api');
    await assert.rejects(attach(other, session), isRefused('unavailable', /403/));
    const gateway = await services.connect('rdp-xrdp');
    await assert.rejects(attach(gateway, newId()), isRefused('not_found', /no recording/));
    const writer = await attach(gateway, session);
    await writer.close();
    await services.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    await assert.rejects(attach(gateway, session), isRefused('wrong_state', /is closed/));
    await assert.rejects(attach(services.records, session), isRefused('wrong_state', /is closed/));
    const { report } = await fetchVerified(services, session);
    assert.equal(report.verdict, 'verified', 'a recording without a record is one all the same');
  });
});

test('a connection to the recorder that breaks fails its sessions, and the next attachment connects again', async () => {
  await withServices({}, async (services) => {
    const session = await services.open();
    const gateway = await services.connect('rdp-xrdp');
    const told = new Told();
    const writer = await attach(gateway, session, told);
    appendAll(writer, session, 3);
    await writer.flush();
    // A marker that cannot be read is no gateway's: the recorder cuts the connection.
    writer.append({ type: RecordType.marker, flags: 0, timeUs: 0, body: Uint8Array.of(1) });
    assert.match(await told.failure.promise, /connection to the recorder broke/);
    await assert.rejects(writer.flush(), /broke/);

    let again: RecordWriter | null = null;
    // The recorder lets go of the old writer when it sees its end, which may be a moment later.
    while (!again) again = await attach(gateway, session).catch(() => turn().then(() => null));
    await again.close();
    const status = await services.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    assert.equal(status.records, 10 + ['disconnected', 'reconnected', 'disconnected', 'end'].length);
  });
});

test('while a recording is paused it takes nothing, and both streams say from when to when', async () => {
  await withServices({}, async (services) => {
    const session = await services.open();
    const call = (verb: 'pause' | 'resume') =>
      services.recorder[`${verb}Recording`]({ params: { id: session }, body: { reason: `${verb}d by an operator` } });
    const first = await attach(services.records, session);
    appendAll(first, session, 3);
    await first.flush();
    for (let i = 0; i < 2; i++) assert.equal((await call('pause')).paused, true);
    for (let i = 0; i < 2; i++) assert.equal((await call('resume')).paused, false);
    await call('pause');
    await first.close();
    const told = new Told();
    const second = await attach(services.records, session, told);
    second.append({ type: RecordType.serverPdu, flags: 0, timeUs: second.now(), body: serverPdu(1) });
    assert.match(await told.failure.promise, /while the recording was paused/);
    await services.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    await assert.rejects(call('resume'), isRefused('wrong_state', /is closed/));

    const { source, report } = await fetchVerified(services, session);
    assert.equal(report.verdict, 'verified', JSON.stringify(report));
    const markers = [...new BundleReader(source, [auditor]).records(['screen', 'input'])]
      .filter(({ record }) => record.type === RecordType.marker || record.type === RecordType.inputMarker)
      .map(({ stream, record }) => `${stream} ${readMarkerBody(record.body).kind}`);
    source.close();
    const pause = ['screen pause', 'input pause'];
    const ends = ['screen disconnected', 'screen reconnected', 'screen disconnected', 'screen end'];
    assert.deepEqual(markers, [...pause, 'screen resume', 'input resume', ...pause, ...ends]);
  });
});

test('below the floor of free space no recording is opened, in words', async () => {
  await withServices({ LUCID_STORAGE_FLOOR_BYTES: String(2 ** 52) }, async (services) => {
    await assert.rejects(services.open(), isRefused('storage_full', /bytes are free in the store, new sessions need/));
    const { accepts_sessions } = await services.storage.status({});
    assert.equal(accepts_sessions, false);
    const health = await services.health('session-storage');
    assert.equal(health.status, 'degraded');
    assert.match(health.checks.disk.detail!, /below the floor/);
  });
});

test('a store that fails stops the session in words, and its evidence is closed once the store is mended', async () => {
  await withServices({ LUCID_CHUNK_BYTES: '65536', LUCID_SEALING_RETRY_SECONDS: '1' }, async (services) => {
    const session = await services.open();
    const folder = services.folderOf(session);
    writeFileSync(join(folder, 'screen'), 'a file where a folder must be');
    const told = new Told();
    const writer = await attach(services.records, session, told);
    appendAll(writer, session, 400);
    assert.match(await told.failure.promise, /cannot be recorded any more: the store's disk fails: E/);
    assert.equal((await services.recorder.getRecording({ params: { id: session } })).state, 'failed');
    await assert.rejects(attach(services.records, session), isRefused('wrong_state', /is failed/));
    assert.equal((await services.health('session-storage')).status, 'unhealthy');
    assert.equal((await services.health('session-recorder')).status, 'degraded');

    const close = () => services.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    await assert.rejects(close(), isRefused('unavailable', /disk fails/));
    rmSync(join(folder, 'screen'));
    assert.equal((await close()).state, 'closed');
    assert.equal(closeEntry(services, session).reason, 'recording-failed');
    const { source, report } = await fetchVerified(services, session);
    assert.equal(report.verdict, 'verified', JSON.stringify(report));
    const last = [...new BundleReader(source, [auditor]).records(['screen'])].at(-1)!.record;
    source.close();
    const { kind, detail } = readMarkerBody(last.body);
    assert.equal(kind, 'end');
    assert.match(detail!, /^the recording failed: the store's disk fails/);
    assert.equal((await services.health('session-recorder')).status, 'healthy');
  });
});

test('while nothing can be stored the journal fills, acknowledgements stop, and go on when the store is back', async () => {
  const limit = 16 * 1024 * 1024;
  await withServices({ LUCID_JOURNAL_BYTES: String(limit) }, async (services) => {
    const session = await services.open();
    const folder = services.folderOf(session);
    renameSync(folder, `${folder}-away`);
    const writers = [await attach(services.records, session)];
    const others = [await services.open(), await services.open()];
    for (const id of others) writers.push(await attach(services.records, id));
    for (const id of others) renameSync(services.folderOf(id), `${services.folderOf(id)}-away`);
    for (const [i, writer] of writers.entries()) {
      appendAll(writer, [session, ...others][i], 100, 60_000);
    }
    const health = async () => (await services.health('session-recorder')).checks.journal;
    while ((await health()).status !== 'unhealthy') await turn();
    assert.match((await health()).detail!, /nothing is acknowledged until runs are sealed and stored/);
    assert.ok(writers.some((writer) => writer.unacknowledgedBytes > 1_000_000));
    assert.ok(writers.every((writer) => writer.acknowledged > 0));
    for (const id of [session, ...others]) {
      rmSync(services.folderOf(id), { recursive: true, force: true });
      renameSync(`${services.folderOf(id)}-away`, services.folderOf(id));
    }
    await Promise.all(writers.map((writer) => writer.close()));
    for (const id of [session, ...others]) {
      await services.recorder.closeRecording({ params: { id }, body: { reason: 'left' } });
      const { report } = await fetchVerified(services, id);
      assert.equal(report.verdict, 'verified', JSON.stringify(report));
    }
  });
});

test('a connection that ignores back-pressure is cut off, its recording goes on', async () => {
  await withServices({}, async (services) => {
    const session = await services.open();
    const told = new Told();
    const writer = await attach(services.records, session, told);
    appendAll(writer, session, 200, 60_000);
    assert.match(await told.failure.promise, /faster than it can be recorded/);
    await (await attach(services.records, session)).close();
    await services.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    assert.equal((await fetchVerified(services, session)).report.verdict, 'verified');
  });
});

test('after a crash all that was acknowledged is sealed, stored and closed, and the index is made again', async () => {
  await withServices({ LUCID_CHUNK_BYTES: '65536' }, async (services, data) => {
    const session = await services.open();
    const writer = await attach(services.records, session);
    const appended = appendAll(writer, session, 400, 500);
    await writer.flush();
    const partials = join(services.folderOf(session), 'partial');
    while (!existsSync(join(partials, '1.note'))) await turn();
    const late = [400, 401, 402].map((i) => ({
      type: RecordType.serverPdu,
      flags: 0,
      timeUs: writer.now(),
      body: serverPdu(i),
    }));
    for (const record of late) writer.append(record);
    await writer.flush();

    // What lies on the disk now is what a crash would leave.
    const copy = mkdtempSync(join(root, 'crashed-'));
    cpSync(data, copy, { recursive: true });
    rmSync(join(copy, 'session-storage', 'index.sqlite'));
    mkdirSync(join(copy, 'session-storage', 'sessions', 'no session'));
    // The crash came between the last chunk and its leaf.
    const stored = join(copy, 'session-storage', 'sessions', session);
    const leaves = readFileSync(join(stored, 'leaves.txt'), 'utf8').trimEnd().split('\n');
    const [, , stream, number, encoding] = leaves.pop()!.split(' ');
    const orphan = join(stored, stream, `${number.padStart(6, '0')}${encoding === 'raw' ? '' : '.zst'}.age`);
    const sealed = readFileSync(orphan);
    writeFileSync(join(stored, 'leaves.txt'), `${leaves.join('\n')}\n`);
    const restarted = await startRecordingServices(copy, auditor);
    const before = await restarted.recorder.getRecording({ params: { id: session } });
    assert.ok(['closing', 'closed'].includes(before.state));
    const status = await restarted.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    assert.equal(status.state, 'closed');
    const close = closeEntry(restarted, session);
    assert.deepEqual([close.reason, close.gaps], ['recorder-restarted', 0]);
    assert.equal((await restarted.storage.status({})).chunks, close.leaves);
    assert.deepEqual(readFileSync(orphan), sealed);
    // And a marker that says so.
    assert.equal(close.records, appended.length + late.length + 1);
    const { report } = await fetchVerified(restarted, session);
    assert.equal(report.verdict, 'verified', JSON.stringify(report));
    await restarted.stop();
  });
});

/** Appends two commits of one picture each after a first one of every stream. @returns how many records in all */
async function appendCommits(writer: RecordWriter, session: string): Promise<number> {
  const first = appendAll(writer, session, 2);
  await writer.flush();
  for (const i of [2, 3]) {
    writer.append({ type: RecordType.serverPdu, flags: 0, timeUs: writer.now(), body: serverPdu(i) });
    await writer.flush();
  }
  return first.length + 2;
}

/** Damages the second of these commits in the journal of a recorder. */
function damageJournal(data: string): void {
  const segments = join(data, 'session-recorder', 'journal', 'segments');
  const segment = join(segments, readdirSync(segments).toSorted()[0]);
  const bytes = readFileSync(segment);
  let at = 24;
  for (let frames = 0; frames < CAPTURED_STREAMS.length; frames++) at += 4 + bytes.readUInt32LE(at) + 16;
  const file = openSync(segment, 'r+');
  writeSync(file, Uint8Array.of(bytes[at + 40] ^ 1), 0, 1, at + 40);
  closeSync(file);
}

/** Requires one gap of one record: in the entry, in the recording's status, in a marker and in the verifier's words. */
async function requireGap(services: RecordingServices, session: string, records: number, why: RegExp): Promise<void> {
  const close = closeEntry(services, session);
  assert.deepEqual([close.gaps, close.records], [1, records]);
  const { quality } = await services.recorder.getRecording({ params: { id: session } });
  assert.deepEqual([quality.gaps, quality.missing_records, quality.problems], [1, 1, ['1 record is missing in 1 gap']]);
  const { report } = await fetchVerified(services, session);
  assert.equal(report.verdict, 'incomplete', JSON.stringify(report));
  assert.deepEqual(report.missing, ['1 records: lost while the session was recorded, as the recording itself says']);
  const [{ missing, from, to, time, detail }] = report.gaps;
  assert.equal(missing, 1);
  assert.ok(from! <= to! && to! <= time, `${from} to ${to}, told at ${time}`);
  assert.match(detail!, why);
}

test('records that a crash has left unreadable are told: in a marker of a gap, and by verification', async () => {
  await withServices({}, async (services, data) => {
    const session = await services.open();
    const appended = await appendCommits(await attach(services.records, session), session);
    const copy = mkdtempSync(join(root, 'damaged-'));
    cpSync(data, copy, { recursive: true });
    damageJournal(copy);
    const restarted = await startRecordingServices(copy, auditor);
    await restarted.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    // Beside what was appended, the gap and the restart.
    await requireGap(restarted, session, appended + 2, /damaged while the recorder did not run/);
    await restarted.stop();
  });
});

test('records that cannot be read back to be sealed are told in the same way, and the session goes on', async () => {
  await withServices({}, async (services, data) => {
    const session = await services.open();
    const writer = await attach(services.records, session);
    const appended = await appendCommits(writer, session);
    damageJournal(data);
    await writer.close();
    await services.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    // Beside what was appended: disconnected, end, gap.
    await requireGap(services, session, appended + 3, /records of the stream screen cannot be read back/);
    const metrics = await services.metrics('session-recorder');
    assert.match(metrics, /^lucid_recorder_degraded_recordings_total(\{.*\})? 1$/m);
  });
});

test('what no decoder can read counts, and above the limit the recording is degraded', async () => {
  for (const [percent, problems] of [
    ['50', []],
    ['0', [/^\d+(\.\d+)? % of the screen could not be decoded; up to 0 % is no problem$/]],
  ] as const) {
    await withServices({ LUCID_UNDECODABLE_PERCENT: percent }, async (services) => {
      const session = await services.open();
      const writer = await attach(services.records, session);
      appendAll(writer, session, 20);
      // A fast-path frame with an update that ends before it begins.
      const broken = Uint8Array.of(0x00, 0x07, 0x01, 0xff, 0xff, 0x00, 0x00);
      writer.append({ type: RecordType.serverPdu, flags: 0, timeUs: writer.now(), body: broken });
      await writer.close();
      const live = (await services.recorder.getRecording({ params: { id: session } })).quality;
      assert.deepEqual(live.streams, [], 'nothing is sealed yet');
      const { quality, undecodable_share } = await services.recorder.closeRecording({
        params: { id: session },
        body: { reason: 'left' },
      });
      assert.equal(quality.undecodable_bytes, broken.length);
      assert.equal(undecodable_share, broken.length / (broken.length + quality.decoded_bytes));
      assert.deepEqual([quality.durability, quality.gaps, quality.missing_records], ['strict', 0, 0]);
      assert.ok(quality.receipts >= 1);
      const records = new Map(quality.streams.map((totals) => [totals.stream, totals.records]));
      assert.deepEqual([records.get('input'), records.get('channels')], [20, 20]);
      assert.equal(quality.problems.length, problems.length);
      for (const [i, words] of problems.entries()) assert.match(quality.problems[i], words);
      const again = await services.recorder.getRecording({ params: { id: session } });
      assert.deepEqual(again.quality, quality, 'kept beyond its time in memory');
      const close = closeEntry(services, session);
      assert.equal(close.undecodable.bytes, broken.length);
    });
  }
});

test('relaxed durability is told in the close entry', async () => {
  await withServices({ LUCID_DURABILITY: 'relaxed' }, async (services) => {
    const session = await services.open();
    const writer = await attach(services.records, session);
    appendAll(writer, session, 10);
    await writer.close();
    await services.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    assert.equal(closeEntry(services, session).durability, 'relaxed');
    assert.equal((await fetchVerified(services, session)).report.verdict, 'verified');
  });
});

test("when the journal's disk is full sessions end in words, with all that was acknowledged", {
  skip: process.getuid?.() === 0 ? false : 'only root may mount a small file system',
}, async () => {
  const folder = mkdtempSync(join(root, 'full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=10m', 'tmpfs', folder]);
  try {
    await withServices({ LUCID_JOURNAL_FOLDER: folder }, async (services) => {
      const session = await services.open();
      const told = new Told();
      const writer = await attach(services.records, session, told);
      appendAll(writer, session, 60, 60_000);
      await writer.flush();
      const count = writer.acknowledged + 1;
      const late = await attach(services.records, await services.open());
      const data = new Uint8Array(900_000);
      const body = writeChannelBody({ direction: 'client-to-server', channel: 'cliprdr', data });
      let isOver = false;
      told.failure.promise.then(() => {
        isOver = true;
      });
      for (let i = 0; i < 9 && !isOver; i++) {
        writer.append({ type: RecordType.channelData, flags: 0, timeUs: writer.now(), body });
        await turn();
      }
      assert.match(await told.failure.promise, /cannot be recorded any more: the journal cannot grow/);
      assert.equal(late.acknowledged, -1);
      const health = (await services.health('session-recorder')).checks.journal;
      assert.match(health.detail!, /no segment can be added/);
      await services.recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
      const { reason, records } = closeEntry(services, session);
      assert.equal(reason, 'recording-failed');
      assert.ok(records >= count);
      assert.equal((await fetchVerified(services, session)).report.verdict, 'verified');
    });
  } finally {
    execFileSync('umount', ['-l', folder]);
  }
});

test('at a stop every recording is sealed, stored and closed', async () => {
  const data = mkdtempSync(join(root, 'data-'));
  const services = await startRecordingServices(data, auditor);
  const session = await services.open();
  const told = new Told();
  appendAll(await attach(services.records, session, told), session, 10);
  await services.stop();
  assert.equal(await told.failure.promise, 'recorder-stopped');
  const again = await startRecordingServices(data, auditor);
  assert.equal((await again.recorder.getRecording({ params: { id: session } })).state, 'closed');
  assert.equal((await fetchVerified(again, session)).report.verdict, 'verified');
  await again.stop();
});
