import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { RecordType, readRecords } from '#evidence/record.ts';
import { newId } from '#platform/id.ts';
import { DiskJournal, type DiskJournalOptions } from './disk-journal.ts';
import type { CapturedStream, JournalPart, JournalRun } from './journal.ts';

const MIB = 1024 * 1024;
const root = mkdtempSync(join(tmpdir(), 'lucid-journal-'));
after(() => rmSync(root, { recursive: true }));
const newFolder = () => mkdtempSync(join(root, 'journal-'));

const TYPES = { screen: RecordType.serverPdu, input: RecordType.clientPdu, channels: RecordType.channelData } as const;
const STREAMS = Object.keys(TYPES) as CapturedStream[];

const record = (stream: CapturedStream, seq: number, bytes: number) => ({
  type: TYPES[stream],
  flags: 0,
  time: seq * 10,
  seq,
  body: new Uint8Array(bytes).fill(seq),
});

const openJournal = (folder: string, options: Partial<DiskJournalOptions> = {}) =>
  DiskJournal.open({
    folder,
    segmentBytes: 4 * MIB,
    limitBytes: 64 * MIB,
    floorBytes: 0,
    bufferBytes: 64 * MIB,
    maxAgeMs: 60_000,
    durability: 'strict',
    onTrouble: (words, error) => assert.fail(error ?? words),
    ...options,
  });

/** A session's part, and a way to wait for acknowledgements. */
function openPart(journal: DiskJournal, session = newId()) {
  let durable = -1;
  const failure = Promise.withResolvers<Error>();
  const waiting: { seq: number; resolve: () => void }[] = [];
  const events = {
    durable(seq: number) {
      assert.ok(seq > durable, `${seq} after ${durable}`);
      durable = seq;
      for (const { seq: wanted, resolve } of waiting) if (wanted <= seq) resolve();
    },
    failed: (error: Error) => failure.resolve(error),
  };
  return {
    session,
    events,
    part: journal.open(session, events) as JournalPart,
    failure: failure.promise,
    durable: () => durable,
    async until(seq: number) {
      if (durable < seq) await new Promise<void>((resolve) => waiting.push({ seq, resolve }));
    },
  };
}

async function readRun(run: JournalRun) {
  const bytes = await run.read();
  assert.equal(bytes.length, run.bytes);
  const records = [...readRecords(bytes, run.stream)].map((placed) => placed.record);
  assert.equal(records.length, run.records);
  assert.equal(records.at(-1)?.seq ?? -1, run.lastSeq);
  return records;
}

test('what was handed over before a close is on the disk after it, though nobody waited', async () => {
  for (const count of [1, 500]) {
    const folder = newFolder();
    const journal = await openJournal(folder);
    const { part, session, events, durable } = openPart(journal);
    for (let seq = 0; seq < count; seq++) part.append('screen', record('screen', seq, 64 * 1024));
    await journal.close();
    assert.equal(durable(), count - 1);
    const again = await openJournal(folder);
    assert.equal(again.resume(session, { ...events, durable() {} }, new Map(), 64 * MIB).part.durableSeq, count - 1);
    await again.close();
  }
});

const segmentsIn = (folder: string) => readdirSync(join(folder, 'segments'));
const keysIn = (folder: string) => readdirSync(join(folder, 'keys'));

test('records come back as they were, by stream and run, over segments', async () => {
  const journal = await openJournal(newFolder());
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...STREAMS), fc.nat(300_000), fc.nat(5)), { minLength: 1, maxLength: 40 }),
      async (appends) => {
        const { part, until } = openPart(journal);
        const wanted = new Map<JournalRun, number[][]>();
        const present = new Map<CapturedStream, number[][]>();
        const cut = (stream: CapturedStream) => {
          const run = part.cut(stream);
          if (run) wanted.set(run, present.get(stream)!);
          present.delete(stream);
        };
        for (const [seq, [stream, size, dice]] of appends.entries()) {
          part.append(stream, record(stream, seq, size));
          const list = present.get(stream) ?? [];
          present.set(stream, list);
          list.push([seq, size, size ? seq : -1]);
          if (dice === 0) cut(stream);
          if (dice === 1) await until(seq);
        }
        for (const stream of STREAMS) cut(stream);
        for (const [run, records] of wanted) {
          assert.deepEqual(
            (await readRun(run)).map(({ seq, body }) => [seq, body.length, body[0] ?? -1]),
            records,
          );
          run.release();
        }
        await until(appends.length - 1);
        part.close();
      },
    ),
    { numRuns: 30 },
  );
  assert.equal(journal.waitingBytes, 0);
  await journal.close();
});

test('records are acknowledged after the turn in which they came, in groups', async () => {
  const journal = await openJournal(newFolder());
  const { part, until, durable } = openPart(journal);
  for (let seq = 0; seq < 100; seq++)
    part.append(seq % 2 ? 'input' : 'screen', record(seq % 2 ? 'input' : 'screen', seq, 10));
  assert.equal(durable(), -1);
  await until(99);
  assert.equal(journal.totals.commits, 1);
  assert.equal(part.durableSeq, 99);
  await journal.close();
});

test('nothing that was recorded can be read on the disk, and keys are private', async () => {
  const folder = newFolder();
  const journal = await openJournal(folder);
  const { part, until } = openPart(journal);
  const body = Buffer.from('a password that somebody typed');
  part.append('input', { ...record('input', 0, 0), body });
  await until(0);
  for (const name of segmentsIn(folder)) assert.ok(!readFileSync(join(folder, 'segments', name)).includes(body));
  for (const name of keysIn(folder)) assert.equal(statSync(join(folder, 'keys', name)).mode & 0o777, 0o600);
  await journal.close();
});

test('a segment and its key are destroyed when all in it is released; its file is used again', async () => {
  const folder = newFolder();
  const journal = await openJournal(folder);
  const { part, until } = openPart(journal);
  const runs: JournalRun[] = [];
  const seen = new Set<string>();
  const inodes = new Set<number>();
  for (let seq = 0; seq < 60; seq++) {
    part.append('screen', record('screen', seq, 900_000));
    runs.push(part.cut('screen')!);
    await until(seq);
    for (const name of segmentsIn(folder)) {
      seen.add(name);
      const file = statSync(join(folder, 'segments', name), { throwIfNoEntry: false });
      if (file) inodes.add(file.ino);
    }
    if (runs.length > 3) runs.shift()!.release();
  }
  assert.ok(seen.size > 12, `${seen.size} segments`);
  assert.ok(inodes.size < 7, `${inodes.size} files`);
  assert.ok(keysIn(folder).length < 5);
  assert.ok(journal.heldBytes <= 5 * 4 * MIB);
  for (const run of runs) run.release();
  await journal.close();
  assert.deepEqual(keysIn(folder), []);
});

test('beyond the limit nothing is acknowledged until something is released', async () => {
  const journal = await openJournal(newFolder(), { limitBytes: 16 * MIB });
  const { part, until, durable } = openPart(journal);
  for (let seq = 0; seq < 30; seq++) part.append('screen', record('screen', seq, 900_000));
  while (!journal.isFull) await until(durable() + 1);
  const first = openPart(journal);
  first.part.append('input', record('input', 0, 1));
  // What belongs to a run that is cut is written all the same: otherwise it could never be sealed.
  await first.part.keep(new Uint8Array(1000), 0);
  while (durable() < 14) await until(durable() + 1);
  assert.ok(durable() < 20);
  assert.equal(first.durable(), -1);
  assert.equal(journal.check().status, 'unhealthy');
  assert.ok(journal.heldBytes > 12 * MIB);
  const run = part.cut('screen')!;
  assert.equal((await readRun(run)).length, 30);
  run.release();
  await first.until(0);
  assert.equal(journal.isFull, false);
  await journal.close();
});

test('what waits for the disk is bounded: the session that exceeds it fails', async () => {
  const journal = await openJournal(newFolder(), { bufferBytes: MIB });
  const { part, failure } = openPart(journal);
  for (let seq = 0; seq < 3; seq++) part.append('screen', record('screen', seq, 500_000));
  assert.match((await failure).message, /does not keep up/);
  const other = openPart(journal);
  other.part.append('screen', record('screen', 0, 10));
  await other.until(0);
  await journal.close();
});

test('a frame that is damaged on the disk does not keep the others from being read', async () => {
  const folder = newFolder();
  const journal = await openJournal(folder);
  const { part, until } = openPart(journal);
  for (let seq = 0; seq < 5; seq++) {
    part.append('screen', record('screen', seq, 1000));
    await until(seq);
  }
  const path = join(folder, 'segments', segmentsIn(folder)[0]);
  const bytes = readFileSync(path);
  bytes[24 + 2 * (1000 + 24 + 44) + 500] ^= 1;
  writeFileSync(path, bytes);
  const run = part.cut('screen')!;
  assert.deepEqual(
    (await readRun(run)).map(({ seq }) => seq),
    [0, 1, 3, 4],
  );
  assert.match(run.damage.join(), /^segment 1: frame.tag: does not authenticate \(at byte 2160\)$/);
  await journal.close();
});

test('relaxed: records are acknowledged on receipt, and become durable all the same', async () => {
  const folder = newFolder();
  const journal = await openJournal(folder, { durability: 'relaxed' });
  const { part, until, session, events } = openPart(journal);
  part.append('screen', record('screen', 0, 10));
  await until(0);
  assert.equal(part.durableSeq, -1);
  assert.equal((await readRun(part.cut('screen')!)).length, 1);
  assert.equal(part.durableSeq, 0);
  await journal.close();
  const again = await openJournal(folder);
  assert.equal(again.resume(session, events, new Map(), MIB).records, 1);
  await again.close();
});

test('what an earlier run left is taken up beyond what is stored, the rest is destroyed', async () => {
  const folder = newFolder();
  const first = await openJournal(folder);
  const [one, two] = [openPart(first), openPart(first)];
  for (let seq = 0; seq < 40; seq++) {
    const stream = STREAMS[seq % 3];
    one.part.append(stream, record(stream, seq, 1000 * seq));
    if (seq === 20) one.part.cut(stream);
    if (seq % 10 === 0) await one.until(seq);
  }
  two.part.append('screen', record('screen', 0, 10));
  const state = await one.part.keep(new Uint8Array(2_500_000).fill(7), 18);
  await one.part.keep(new Uint8Array(10), 39);
  assert.equal((await state.read()).length, 2_500_000);
  await Promise.all([one.until(39), two.until(0)]);
  await first.close();

  const again = await openJournal(folder);
  const resumed = again.resume(one.session, one.events, new Map([['screen', 18]]), 100_000);
  assert.deepEqual([resumed.lastSeq, resumed.lastTime, resumed.records], [39, 390, 33]);
  assert.equal(resumed.part.durableSeq, 39);
  const read = new Map<CapturedStream, number[]>(STREAMS.map((stream) => [stream, []]));
  for (const { run } of resumed.runs) {
    for (const { seq, body } of await readRun(run)) {
      assert.ok(body.length === 1000 * seq && body.every((byte) => byte === seq));
      read.get(run.stream)!.push(seq);
    }
  }
  for (const [i, stream] of STREAMS.entries()) {
    const all = Array.from({ length: 40 }, (_, seq) => seq).filter((seq) => seq % 3 === i);
    assert.deepEqual(read.get(stream), stream === 'screen' ? all.filter((seq) => seq > 18) : all);
  }
  assert.ok(resumed.runs.length > 4);
  assert.deepEqual(await resumed.state!.read(), new Uint8Array(2_500_000).fill(7));
  // The journal goes on in a new segment.
  resumed.part.append('screen', record('screen', 40, 10));
  assert.equal((await readRun(resumed.part.cut('screen')!))[0].seq, 40);
  again.forgetAllBut(new Set());
  resumed.part.close();
  await again.close();
  assert.deepEqual(keysIn(folder), []);
});
