/** Archives as sequences of segments whose lengths are known before their bytes are made: any range can be had. */

import { piecesOf, readAhead } from './read-ahead.ts';

/** A stretch of an archive. */
export interface Segment {
  /** In bytes. */
  readonly length: number;
  /** The bytes from `from` on, 0 ≤ from < length, in pieces that nobody changes afterwards. */
  read(from: number): AsyncIterable<Uint8Array>;
}

/** A segment of bytes that are made when they are needed. */
export function madeSegment(length: number, make: () => Uint8Array | Promise<Uint8Array>): Segment {
  return {
    length,
    async *read(from) {
      yield (await make()).subarray(from);
    },
  };
}

/** Length of the whole. */
export async function lengthOf(segments: AsyncIterable<Segment>): Promise<number> {
  let length = 0;
  for await (const segment of segments) length += segment.length;
  return length;
}

/**
 * The bytes from `from` up to and without `to`. What comes before is passed over unread.
 * @throws what reading a segment throws
 */
export async function* readSegments(
  segments: AsyncIterable<Segment>,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  const parts = partsWithin(segments, from, to);
  for await (const begun of readAhead(parts, ({ segment, start }) => segment.read(start))) {
    const { start, end } = begun.what;
    let at = start;
    for await (const piece of piecesOf(begun)) {
      yield at + piece.length > end ? piece.subarray(0, end - at) : piece;
      at += piece.length;
      if (at >= end) break;
    }
  }
}

/** What lies of each segment between `from` and `to`. */
async function* partsWithin(
  segments: AsyncIterable<Segment>,
  from: number,
  to: number,
): AsyncGenerator<{ segment: Segment; start: number; end: number }> {
  let at = 0;
  for await (const segment of segments) {
    if (at >= to) return;
    const [start, end] = [Math.max(0, from - at), Math.min(segment.length, to - at)];
    if (start < end) yield { segment, start, end };
    at += segment.length;
  }
}
