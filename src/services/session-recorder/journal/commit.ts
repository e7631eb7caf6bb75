/** Gathers what waits into one write. */
import { type SessionRecord, writeRecordInto } from '#evidence/record.ts';
import type { DiskPart } from './disk-part.ts';
import type { DiskRun, PlacedFrame } from './disk-run.ts';
import { addFlags, END_BYTES, FLAG_FIRST, FLAG_LAST, FRAME_OVERHEAD, layFrame } from './frame.ts';
import type { Segment } from './segment.ts';

/** A record, or a piece of a state, that waits to be written. */
export interface Waiting {
  readonly run: DiskRun;
  readonly content: SessionRecord | Uint8Array;
  /** Bytes of it when written. */
  readonly bytes: number;
  readonly seq: number;
}

/** One write, and what it makes durable. */
export interface Commit {
  readonly segment: Segment;
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly frames: readonly { readonly run: DiskRun; readonly frame: PlacedFrame }[];
  /** The highest seq of each part's records in it. */
  readonly acknowledged: ReadonlyMap<DiskPart, number>;
  /** How many of the waiting it takes. */
  readonly taken: number;
  /** Bytes of those. */
  readonly takenBytes: number;
}

/** One commit takes no more, so that those that come meanwhile do not wait for long. */
const MAX_COMMIT_BYTES = 8 * 1024 * 1024;
/** A frame takes no more records once it has so many bytes. */
const FULL_FRAME_BYTES = 1024 * 1024;

interface Plan {
  readonly run: DiskRun;
  readonly items: Waiting[];
  bytes: number;
}

/** Bytes of a segment that `waiting` needs at least. */
export function roomFor(waiting: Waiting): number {
  return FRAME_OVERHEAD + waiting.bytes;
}

/**
 * Takes from the front of `queue`, whose first there is room for, what one write can hold, each run's records gathered in frames of their own, so that a
 * run can be read back without reading others.
 */
export function gather(queue: readonly Waiting[], segment: Segment): Commit {
  const room = Math.min(segment.room, MAX_COMMIT_BYTES);
  const plans: Plan[] = [];
  const growing = new Map<DiskRun, Plan>();
  const acknowledged = new Map<DiskPart, number>();
  let size = 0;
  let taken = 0;
  let takenBytes = 0;
  for (const item of queue) {
    let plan = growing.get(item.run);
    const isNew = !plan || plan.bytes >= FULL_FRAME_BYTES;
    const cost = item.bytes + (isNew ? FRAME_OVERHEAD : 0);
    if (size + cost > room) break;
    size += cost;
    if (!plan || isNew) {
      plan = { run: item.run, items: [], bytes: 0 };
      growing.set(item.run, plan);
      plans.push(plan);
    }
    plan.items.push(item);
    plan.bytes += item.bytes;
    if (item.run.stream !== 'state') acknowledged.set(item.run.part, item.seq);
    taken++;
    takenBytes += item.bytes;
  }
  const bytes = new Uint8Array(size + END_BYTES);
  const frames = layPlans(Buffer.from(bytes.buffer), plans, segment);
  return { segment, offset: segment.used, bytes, frames, acknowledged, taken, takenBytes };
}

/**
 * Tells what belongs to runs that are cut, and so must be written, from what comes after records of runs that still grow.
 * Each session's records stay in order: what is acknowledged is all up to a seq.
 */
export function partition(queue: readonly Waiting[]): { urgent: Waiting[]; others: Waiting[] } {
  const blocked = new Set<DiskPart>();
  const [urgent, others]: Waiting[][] = [[], []];
  for (const item of queue) {
    const { run } = item;
    const isUrgent = run.stream === 'state' || (run.isCut && !blocked.has(run.part));
    if (!isUrgent) blocked.add(run.part);
    (isUrgent ? urgent : others).push(item);
  }
  return { urgent, others };
}

function layPlans(target: Buffer, plans: readonly Plan[], segment: Segment): Commit['frames'] {
  const commit = segment.commits;
  let at = 0;
  const frames = plans.map(({ run, items, bytes }) => {
    const begin = at;
    at = layFrame(target, at, { session: run.part.session, kind: run.stream, flags: 0, commit }, bytes);
    for (const { content } of items) {
      if (content instanceof Uint8Array) {
        target.set(content, at);
        at += content.length;
      } else at = writeRecordInto(target, at, content);
    }
    const length = FRAME_OVERHEAD + bytes;
    at = begin + length;
    const place = { segment, offset: segment.used + begin, length };
    return { run, begin, frame: { ...place, payloadBytes: bytes, records: items.length, lastSeq: items.at(-1)!.seq } };
  });
  addFlags(target, frames[0].begin, FLAG_FIRST);
  addFlags(target, frames.at(-1)!.begin, FLAG_LAST);
  return frames;
}
