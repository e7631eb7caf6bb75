/**
 * Claim: a record is acknowledged little later than the disk takes to make a write durable, whatever else the process does
 * with its files, and the journal takes records as fast as a disk of its kind writes.
 * Floors, measured in the same run, turn by turn: a bare write and fdatasync of the same size on an allotted file.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RecordType } from '#evidence/record.ts';
import { newId } from '#platform/id.ts';
import { DiskJournal } from '#services/session-recorder/journal/disk-journal.ts';
import type { JournalPart } from '#services/session-recorder/journal/journal.ts';
import { printResult, quantile, type Row } from './support/result.ts';

const SHORT = process.argv.includes('--short');
const ROUNDS = SHORT ? 50 : 2000;
const SESSIONS = SHORT ? 10 : 100;
const SECONDS = SHORT ? 1 : 10;
/** Until the journal has made its first files: later it uses them again. */
const WARM_UP_SECONDS = SHORT ? 0.2 : 3;
const RECORD_BYTES = 4000;
const BULK_BYTES = (SHORT ? 32 : 512) * 1024 * 1024;
const MIB = 1024 * 1024;

const folderGiven = process.argv.indexOf('--folder');
const root = mkdtempSync(join(folderGiven < 0 ? tmpdir() : process.argv[folderGiven + 1], 'lucid-bench-journal-'));
const body = new Uint8Array(RECORD_BYTES).map((_, i) => (i * 31) & 255);

/** A session that can wait for its acknowledgements. */
class Session {
  readonly part: JournalPart;
  #next = 0;
  #durable = -1;
  #told = () => {};

  constructor(journal: DiskJournal) {
    this.part = journal.open(newId(), {
      durable: (seq) => {
        this.#durable = seq;
        this.#told();
      },
      failed: (error) => {
        throw error;
      },
    });
  }

  append(bytes: Uint8Array): void {
    const seq = this.#next++;
    this.part.append('screen', { type: RecordType.serverPdu, flags: 0, time: seq, seq, body: bytes });
  }

  async acknowledged(): Promise<void> {
    while (this.#durable < this.#next - 1) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#told = resolve;
      await promise;
    }
  }

  release(): void {
    this.part.cut('screen')?.release();
  }
}

const openJournal = (name: string) =>
  DiskJournal.open({
    folder: join(root, name),
    segmentBytes: 32 * MIB,
    limitBytes: 4096 * MIB,
    floorBytes: 0,
    bufferBytes: 512 * MIB,
    maxAgeMs: 60_000,
    durability: 'strict',
    onTrouble: (words, error) => {
      throw error ?? new Error(words);
    },
  });

/** The disk by itself: one write after another, each made durable. */
class BareDisk {
  readonly #file: number;
  readonly #bytes = Buffer.from(body);
  #at = 0;

  constructor() {
    this.#file = openSync(join(root, 'bare'), 'w');
    for (let at = 0; at < 32 * MIB; at += MIB) writeSync(this.#file, Buffer.alloc(MIB), 0, MIB, at);
    fdatasyncSync(this.#file);
  }

  commit(): number {
    const started = performance.now();
    writeSync(this.#file, this.#bytes, 0, this.#bytes.length, this.#at);
    fdatasyncSync(this.#file);
    this.#at = (this.#at + this.#bytes.length) % (31 * MIB);
    return performance.now() - started;
  }

  close(): void {
    closeSync(this.#file);
  }
}

const latencies = (what: string, times: readonly number[]): Row => {
  return { what, 'p50 ms': quantile(times, 0.5), 'p99 ms': quantile(times, 0.99) };
};

/** One record at a time: what the journal adds to the disk. */
async function latency(isPoolBusy: boolean): Promise<Row[]> {
  const journal = await openJournal(`latency-${isPoolBusy}`);
  const session = new Session(journal);
  session.append(body);
  await session.acknowledged();
  await sleep(WARM_UP_SECONDS * 1000);
  const bare = new BareDisk();
  const [own, floor]: number[][] = [[], []];
  let isOver = false;
  // What a store in the same process does: chunks of some MiB, each synced, on all threads of libuv's pool.
  const store = async (i: number) => {
    const file = await open(join(root, `chunk-${i}`), 'w');
    const chunk = Buffer.alloc(4 * MIB, i);
    while (!isOver) {
      await file.write(chunk, 0, chunk.length, 0);
      await file.sync();
      await sleep(50);
    }
    await file.close();
  };
  const stores = isPoolBusy ? [1, 2, 3, 4, 5, 6, 7, 8].map(store) : [];
  for (let i = 0; i < (isPoolBusy ? ROUNDS / 4 : ROUNDS); i++) {
    floor.push(bare.commit());
    const started = performance.now();
    session.append(body);
    await session.acknowledged();
    own.push(performance.now() - started);
    if (i % 1000 === 999) session.release();
  }
  isOver = true;
  await Promise.all(stores);
  bare.close();
  await journal.close();
  const words = isPoolBusy ? ', while a store syncs chunks' : '';
  return [latencies(`bare write and fdatasync${words}`, floor), latencies(`journal, to acknowledgement${words}`, own)];
}

/** Many sessions, each with some updates a second. */
async function many(): Promise<Row> {
  const journal = await openJournal('many');
  const times: number[] = [];
  const begin = performance.now() + WARM_UP_SECONDS * 1000;
  const end = begin + SECONDS * 1000;
  const work = async () => {
    const session = new Session(journal);
    while (performance.now() < end) {
      await sleep(50 + Math.random() * 100);
      const started = performance.now();
      session.append(body);
      await session.acknowledged();
      if (started >= begin) times.push(performance.now() - started);
    }
    session.part.close();
  };
  const working = Array.from({ length: SESSIONS }, work);
  await sleep(WARM_UP_SECONDS * 1000);
  const started = process.cpuUsage();
  const before = journal.totals.commits;
  await Promise.all(working);
  const { user, system } = process.cpuUsage(started);
  const commits = journal.totals.commits - before;
  await journal.close();
  return {
    ...latencies(`${SESSIONS} sessions, 10 records a second each`, times),
    'records a commit': times.length / commits,
    'CPU %': (user + system) / 1e4 / SECONDS,
  };
}

/** As much as it takes. */
async function bulk(): Promise<Row[]> {
  const journal = await openJournal('bulk');
  const session = new Session(journal);
  const pdu = new Uint8Array(16_000).fill(7);
  const write = async (bytes: number) => {
    const started = performance.now();
    for (let written = 0; written < bytes; ) {
      for (let burst = 0; burst < 4 * MIB; burst += pdu.length) session.append(pdu);
      written += 4 * MIB;
      await session.acknowledged();
      if (written % (32 * MIB) === 0) session.release();
    }
    return bytes / 1e3 / (performance.now() - started);
  };
  await write(BULK_BYTES / 4);
  const own = await write(BULK_BYTES);
  await journal.close();
  const file = openSync(join(root, 'bulk-bare'), 'w');
  const piece = Buffer.alloc(4 * MIB, 7);
  for (let at = 0; at < 32 * MIB; at += piece.length) writeSync(file, piece, 0, piece.length, at);
  fdatasyncSync(file);
  const begun = performance.now();
  for (let written = 0; written < BULK_BYTES; written += piece.length) {
    writeSync(file, piece, 0, piece.length, written % (32 * MIB));
    fdatasyncSync(file);
  }
  const floor = BULK_BYTES / 1e3 / (performance.now() - begun);
  closeSync(file);
  return [
    { what: 'bare writes of 4 MiB, each synced', 'MB/s': floor },
    { what: 'journal, one session', 'MB/s': own },
  ];
}

try {
  printResult('journal', [...(await latency(false)), ...(await latency(true)), await many(), ...(await bulk())]);
} finally {
  rmSync(root, { recursive: true, force: true });
}
