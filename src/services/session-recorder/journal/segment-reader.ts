/** Reads a segment back (docs/journal.md, Segments). */
import type { KeyObject } from 'node:crypto';
import { FormatError } from '#evidence/format-error.ts';
import { claimedLength, FLAG_FIRST, FLAG_LAST, type Frame, frameKey, openFrame } from './frame.ts';

const MAGIC = Buffer.from('lucid-journal/v1');
/** Magic, u64 LE number. */
export const SEGMENT_HEADER_BYTES = MAGIC.length + 8;

/** What a segment holds. */
export interface SegmentContent {
  readonly number: number;
  /** Frames of whole commits, in the order in which they were written. */
  readonly frames: Frame[];
  /** Whether the last commit was not written whole: it was never acknowledged, and is left out. */
  readonly torn: boolean;
  /** Offsets of frames that were durable once and cannot be read any more. */
  readonly damaged: number[];
}

/** The head of a segment, with the end mark that follows while it is empty. */
export function writeSegmentHeader(number: number): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES + 4);
  MAGIC.copy(bytes);
  bytes.writeBigUInt64LE(BigInt(number), MAGIC.length);
  return bytes;
}

/**
 * Reads a whole segment.
 *
 * A commit is written only when the one before is durable. So whatever cannot be read within the last commit was not
 * written whole, and whatever cannot be read before it has been damaged since.
 *
 * @throws FormatError when it does not begin as a segment
 */
export function readSegment(bytes: Buffer, key: Uint8Array): SegmentContent {
  const number = readHeader(bytes);
  const secret = frameKey(key);
  const found: (Frame | { offset: number })[] = [];
  for (let at = SEGMENT_HEADER_BYTES; ; ) {
    const length = claimedLength(bytes, at);
    if (length === 0) break;
    if (length === null) {
      found.push({ offset: at });
      break;
    }
    found.push(tryFrame(bytes.subarray(at, at + length), secret, at));
    at += length;
  }
  const last = found.findLastIndex(isFrame);
  const lastCommit = last < 0 ? -1 : (found[last] as Frame).commit;
  const begin = found.findIndex((item) => isFrame(item) && item.commit === lastCommit);
  const isWhole =
    last >= 0 &&
    found.slice(begin, last + 1).every(isFrame) &&
    (found[begin] as Frame).flags & FLAG_FIRST &&
    (found[last] as Frame).flags & FLAG_LAST;
  const end = isWhole ? last + 1 : tornFrom(found, begin);
  const kept = found.slice(0, end);
  return {
    number,
    frames: kept.filter(isFrame),
    torn: end < found.length,
    damaged: kept.filter((item) => !isFrame(item)).map(({ offset }) => offset),
  };
}

/** Where the torn commit begins: unreadable frames before its first readable one are its own if the commit before is whole. */
function tornFrom(found: (Frame | { offset: number })[], begin: number): number {
  let from = Math.max(0, begin);
  while (from > 0 && !isFrame(found[from - 1])) from--;
  const before = found[from - 1];
  const previousIsWhole = from === 0 || (isFrame(before) && (before.flags & FLAG_LAST) !== 0);
  return previousIsWhole ? from : Math.max(0, begin);
}

function tryFrame(bytes: Buffer, key: KeyObject, offset: number): Frame | { offset: number } {
  try {
    return openFrame(bytes, key, offset);
  } catch (error) {
    if (error instanceof FormatError) return { offset };
    throw error;
  }
}

function isFrame(item: Frame | { offset: number }): item is Frame {
  return 'payload' in item;
}

function readHeader(bytes: Buffer): number {
  if (bytes.length < SEGMENT_HEADER_BYTES) throw new FormatError('segment', `${bytes.length} bytes: truncated`);
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new FormatError('segment.magic', `wanted ${MAGIC}`);
  const number = bytes.readBigUInt64LE(MAGIC.length);
  if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw new FormatError('segment.number', `${number} is too large`);
  return Number(number);
}
