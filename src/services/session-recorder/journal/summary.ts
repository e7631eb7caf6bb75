/** What recovery must know of a frame without keeping its records in memory. */
import { FormatError } from '#evidence/format-error.ts';
import { RecordType, readRecords, writeRecord } from '#evidence/record.ts';
import type { Frame, FrameKind } from './frame.ts';
import { readStatePiece } from './state-piece.ts';

export interface FoundFrame {
  readonly session: string;
  readonly kind: FrameKind;
  readonly offset: number;
  readonly length: number;
  readonly payloadBytes: number;
  /** Of a state: one record, whose seq is that of the last record it reflects. */
  readonly records: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstTime: number;
  readonly lastTime: number;
  /** Configs and markers, written. */
  readonly notes: readonly Uint8Array[];
  /** Of a piece of a state: where it stands, and how long the state is; null of records. */
  readonly piece: { readonly at: number; readonly total: number } | null;
}

/** @throws FormatError when an authentic frame does not hold what its kind says: written by another version */
export function summarizeFrame(frame: Frame): FoundFrame {
  const { session, kind, offset, length, payload } = frame;
  const place = { session, kind, offset, length, payloadBytes: payload.length };
  if (kind === 'state') {
    const { seq, total, at } = readStatePiece(payload);
    return {
      ...place,
      records: 1,
      firstSeq: seq,
      lastSeq: seq,
      firstTime: 0,
      lastTime: 0,
      notes: [],
      piece: { at, total },
    };
  }
  const placed = [...readRecords(payload, kind)].map(({ record }) => record);
  const first = placed[0];
  const last = placed.at(-1);
  if (!first || !last) throw new FormatError('frame.payload', `holds no record (at byte ${offset})`);
  const isNote = (type: number) => type === RecordType.config || type === RecordType.marker;
  return {
    ...place,
    records: placed.length,
    firstSeq: first.seq,
    lastSeq: last.seq,
    firstTime: first.time,
    lastTime: last.time,
    notes: placed.filter(({ type }) => isNote(type)).map(writeRecord),
    piece: null,
  };
}
