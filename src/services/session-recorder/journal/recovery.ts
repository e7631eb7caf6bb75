/** Takes up what an earlier run of the service has left in the journal. */
import { type DiskPart, keptState } from './disk-part.ts';
import type { DiskRun } from './disk-run.ts';
import type { DiskThread } from './disk-thread.ts';
import type { CapturedStream, KeptState, ResumedPart, ResumedRun } from './journal.ts';
import { Segment } from './segment.ts';
import { STATE_HEAD_BYTES } from './state-piece.ts';
import type { FoundFrame } from './summary.ts';

interface Leftover {
  readonly segment: Segment;
  readonly frame: FoundFrame;
}

/** All that was found, by session, in the order in which it was written. */
export interface Leftovers {
  readonly segments: readonly Segment[];
  readonly sessions: Map<string, readonly Leftover[]>;
  /** What was durable and cannot be read any more, in words. */
  readonly damage: readonly string[];
}

/**
 * Reads all segments back, and takes what is in them in order.
 *
 * @param threads that share the work: nothing else is done yet
 * @param onProgress told how many segments have been read, and how many there are
 */
export async function readLeftovers(
  threads: readonly DiskThread[],
  onProgress: (read: number, all: number) => void,
): Promise<Leftovers> {
  const segments: Segment[] = [];
  const sessions = new Map<string, Leftover[]>();
  const damage: string[] = [];
  const numbers = await threads[0].run('list', undefined);
  let read = 0;
  const scans = numbers.map(async (number, i) => {
    const scanned = await threads[i % threads.length].run('scan', { number });
    onProgress(++read, numbers.length);
    return { number, scanned };
  });
  for (const { number, scanned } of await Promise.all(scans)) {
    const segment = new Segment(number, scanned.key, scanned.bytes);
    segments.push(segment);
    damage.push(...scanned.damage);
    for (const frame of scanned.frames) {
      const leftovers = sessions.get(frame.session) ?? [];
      leftovers.push({ segment, frame });
      sessions.set(frame.session, leftovers);
      segment.pins.add(frame.session);
    }
  }
  return { segments, sessions, damage };
}

/**
 * Gives a session's leftovers to its part: of each stream those beyond what is stored, as cut runs, and the latest state
 * that goes with the last stored screen run.
 */
export function resumePart(
  leftovers: Leftovers,
  part: DiskPart,
  stored: ReadonlyMap<CapturedStream, number>,
  runBytes: number,
): ResumedPart {
  const own = leftovers.sessions.get(part.session) ?? [];
  leftovers.sessions.delete(part.session);
  const growing = new Map<CapturedStream, Growing>();
  const runs: Growing[] = [];
  const states: Leftover[][] = [];
  let [lastSeq, lastTime, records] = [-1, 0, 0];
  for (const leftover of own) {
    const { kind, ...frame } = leftover.frame;
    if (kind === 'state') {
      if (frame.piece?.at === 0) states.push([]);
      states.at(-1)?.push(leftover);
      continue;
    }
    if (frame.lastSeq <= (stored.get(kind) ?? -1)) continue;
    let run = growing.get(kind);
    if (!run || run.run.bytes + frame.payloadBytes > runBytes) {
      run = { run: part.begin(kind, frame.firstTime), notes: [], firstSeq: frame.firstSeq };
      growing.set(kind, run);
      runs.push(run);
    }
    run.run.place({ segment: leftover.segment, ...frame });
    run.notes.push(...frame.notes);
    lastSeq = Math.max(lastSeq, frame.lastSeq);
    lastTime = Math.max(lastTime, frame.lastTime);
    records += frame.records;
  }
  part.durableSeq = Math.max(lastSeq, ...stored.values());
  const state = findState(states, part, stored.get('screen'));
  for (const segment of leftovers.segments) segment.pins.delete(part.session);
  return { part, runs: runs.toSorted((a, b) => a.firstSeq - b.firstSeq), state, lastSeq, lastTime, records };
}

interface Growing extends ResumedRun {
  readonly run: DiskRun<CapturedStream>;
  readonly notes: Uint8Array[];
}

/** The last state that is whole and reflects the record `seq`. */
function findState(states: readonly Leftover[][], part: DiskPart, seq: number | undefined): KeptState | null {
  const pieces = states.findLast((found) => found[0].frame.lastSeq === seq && isWhole(found));
  if (!pieces) return null;
  const run = part.begin('state', 0);
  for (const { segment, frame } of pieces) run.place({ segment, ...frame });
  return keptState(run);
}

/** Whether the pieces follow each other to the end of what they are pieces of. */
function isWhole(pieces: readonly Leftover[]): boolean {
  const bytes = pieces.reduce((sum, { frame }) => sum + frame.payloadBytes - STATE_HEAD_BYTES, 0);
  return bytes === pieces[0].frame.piece?.total;
}
