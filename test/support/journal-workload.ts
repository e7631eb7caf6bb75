/** Sessions that write to a journal, and what of them must be there afterwards. */
import assert from 'node:assert/strict';
import { RecordType, readRecords, type SessionRecord } from '#evidence/record.ts';
import { DiskJournal, type DiskJournalOptions } from '#services/session-recorder/journal/disk-journal.ts';
import type { CapturedStream } from '#services/session-recorder/journal/journal.ts';

const TYPES = { screen: RecordType.serverPdu, input: RecordType.clientPdu, channels: RecordType.channelData } as const;
export const STREAMS = Object.keys(TYPES) as CapturedStream[];

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The stream and record that a session has at `seq`: both sides of a test know it. */
export function recordAt(session: string, seq: number): { stream: CapturedStream; record: SessionRecord } {
  const random = seeded(Number.parseInt(session.slice(-6), 16) * 7919 + seq);
  const stream = STREAMS[Math.floor(random() * 3)];
  const size = Math.floor(random() ** 4 * 6000);
  const body = Buffer.alloc(size, `${session} ${seq} `);
  return { stream, record: { type: TYPES[stream], flags: 0, time: seq, seq, body } };
}

/** A journal with small segments, so that many come and go. */
export function openSmallJournal(folder: string, options: Partial<DiskJournalOptions> = {}): Promise<DiskJournal> {
  return DiskJournal.open({
    folder,
    segmentBytes: 64 * 1024,
    limitBytes: 256 * 1024 * 1024,
    floorBytes: 0,
    bufferBytes: 16 * 1024 * 1024,
    maxAgeMs: 60_000,
    durability: 'strict',
    onTrouble: (words, error) => assert.fail(error ?? words),
    ...options,
  });
}

/** Of each stream, the seq up to which it was stored and released. */
export type Stored = Map<CapturedStream, number>;

/**
 * Reads what a journal has of a session.
 * @returns the highest seq that it has, after a check that all from what is stored up to it is there, as it was written
 */
export async function checkSession(journal: DiskJournal, session: string, stored: Stored): Promise<number> {
  const nothing = { durable: () => {}, failed: (error: Error) => assert.fail(error) };
  const { runs, lastSeq, records } = journal.resume(session, nothing, stored, 1e9);
  const found = new Set<number>();
  for (const { run } of runs) {
    for (const { record } of readRecords(await run.read())) {
      const wanted = recordAt(session, record.seq);
      assert.equal(run.stream, wanted.stream);
      assert.deepEqual(Buffer.from(record.body), wanted.record.body, `record ${record.seq} of ${session}`);
      assert.ok(!found.has(record.seq), `record ${record.seq} of ${session} is there twice`);
      found.add(record.seq);
    }
    assert.deepEqual(run.damage, []);
  }
  assert.equal(found.size, records);
  for (let seq = 0; seq <= lastSeq; seq++) {
    const isStored = seq <= (stored.get(recordAt(session, seq).stream) ?? -1);
    assert.ok(isStored || found.has(seq), `record ${seq} of ${lastSeq} of ${session} is missing`);
  }
  return Math.max(lastSeq, ...stored.values());
}
