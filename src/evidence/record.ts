/**
 * Records: what a recording is made of (docs/recording-format.md, Records).
 *
 * u32 LE body length | u8 type | u8 flags | u16 0 | u64 LE time µs | u64 LE seq | body
 */
import { FormatError } from './format-error.ts';

/** What a record's body holds. */
export const RecordType = {
  /** `screen`: JSON, see `ConfigBody`; first in every chunk. */
  config: 0x01,
  /** `screen`: a whole server PDU (TPKT or fast-path frame) as sent to the client inside TLS. */
  serverPdu: 0x02,
  /** `screen`: JSON, see `MarkerBody`. */
  marker: 0x03,
  /** `input`: a whole client PDU (TPKT or fast-path frame). */
  clientPdu: 0x10,
  /** `input`: JSON, see `MarkerBody`. */
  inputMarker: 0x11,
  /** `channels`: one chunk of a virtual channel, see `readChannelBody`. */
  channelData: 0x20,
  /** `keyframes`: see `readKeyframe`. */
  keyframe: 0x30,
  /** `index`: JSON, see `IndexBody`. */
  index: 0x40,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

/**
 * Streams in their canonical order. The first three are captured and share one gapless `seq`; `keyframes` and `index`
 * are derived when a run is sealed, and their records carry the seq and time of the last screen record that they reflect.
 */
export const STREAMS = ['screen', 'input', 'channels', 'keyframes', 'index'] as const;
export type Stream = (typeof STREAMS)[number];

/** The streams that are captured, not derived. */
export const CAPTURED_STREAMS = ['screen', 'input', 'channels'] as const satisfies readonly Stream[];

/** Session keys, and which of them seals a stream: a screen key opens the derived streams too. */
export const KEY_NAMES = ['screen', 'input', 'channels'] as const;
export type KeyName = (typeof KEY_NAMES)[number];

const STREAM_OF_TYPE: ReadonlyMap<number, Stream> = new Map([
  [RecordType.config, 'screen'],
  [RecordType.serverPdu, 'screen'],
  [RecordType.marker, 'screen'],
  [RecordType.clientPdu, 'input'],
  [RecordType.inputMarker, 'input'],
  [RecordType.channelData, 'channels'],
  [RecordType.keyframe, 'keyframes'],
  [RecordType.index, 'index'],
]);

/**
 * Flag: a copy of an earlier record, put at the head of a chunk so that the chunk can be played by itself. It keeps the
 * time and seq of its original; whoever counts records or orders them by seq skips it.
 */
export const FLAG_REPEATED = 0x01;

/** Bytes of a record before its body. */
export const RECORD_HEADER_BYTES = 24;
/** The longest body, in bytes: a keyframe of a large screen comes near it, a PDU never does. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** One timestamped, numbered item of a stream. */
export interface SessionRecord {
  readonly type: RecordType;
  /** 0 or FLAG_REPEATED. */
  readonly flags: number;
  /** Microseconds on the session's monotonic clock, 0 at its start: a safe integer. */
  readonly time: number;
  /** Number within the session, across all captured streams: a safe integer. */
  readonly seq: number;
  readonly body: Uint8Array;
}

/** The stream that records of `type` belong to, or null for an unknown type. */
export function streamOf(type: number): Stream | null {
  return STREAM_OF_TYPE.get(type) ?? null;
}

/** The name of the session key that `stream` is sealed with. */
export function keyNameOf(stream: Stream): KeyName {
  return stream === 'input' || stream === 'channels' ? stream : 'screen';
}

/** Whether `name` is a stream. */
export function isStream(name: string): name is Stream {
  return (STREAMS as readonly string[]).includes(name);
}

/** Bytes that `record` takes when written. */
export function recordSize(record: SessionRecord): number {
  return RECORD_HEADER_BYTES + record.body.length;
}

/**
 * Writes `record` as bytes of its own.
 * @throws RangeError when time or seq is no safe integer from 0 up, or the body is longer than MAX_BODY_BYTES
 */
export function writeRecord(record: SessionRecord): Uint8Array {
  const bytes = new Uint8Array(recordSize(record));
  writeRecordInto(bytes, 0, record);
  return bytes;
}

/**
 * Writes `record` into `target` from byte `at` on.
 * @returns the byte after the record
 * @throws RangeError as `writeRecord`, or when `target` is too short
 */
export function writeRecordInto(target: Uint8Array, at: number, record: SessionRecord): number {
  const { body, time, seq } = record;
  if (body.length > MAX_BODY_BYTES)
    throw new RangeError(`record body: ${body.length} bytes, at most ${MAX_BODY_BYTES}`);
  if (!(Number.isSafeInteger(time) && time >= 0)) throw new RangeError(`record time: ${time} µs`);
  if (!(Number.isSafeInteger(seq) && seq >= 0)) throw new RangeError(`record seq: ${seq}`);
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  view.setUint32(at, body.length, true);
  view.setUint8(at + 4, record.type);
  view.setUint8(at + 5, record.flags);
  view.setUint16(at + 6, 0, true);
  view.setUint32(at + 8, time % 0x1_0000_0000, true);
  view.setUint32(at + 12, Math.floor(time / 0x1_0000_0000), true);
  view.setUint32(at + 16, seq % 0x1_0000_0000, true);
  view.setUint32(at + 20, Math.floor(seq / 0x1_0000_0000), true);
  target.set(body, at + RECORD_HEADER_BYTES);
  return at + RECORD_HEADER_BYTES + body.length;
}

/** A record that was read, and the bytes that it occupies within its run. */
export interface PlacedRecord {
  readonly record: SessionRecord;
  /** Byte offset of the record's header. */
  readonly offset: number;
  /** Byte offset after its body. */
  readonly end: number;
}

/**
 * Reads the records of a run, one after another, without copying: bodies are views into `bytes`.
 * @param bytes whole records and nothing else
 * @param stream when given, each record must belong to it
 * @param from byte offset of the header to begin with
 * @throws FormatError naming the field and the byte offset of the record at fault
 */
export function* readRecords(bytes: Uint8Array, stream?: Stream, from = 0): Generator<PlacedRecord, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  while (at < bytes.length) {
    const placed = readRecordAt(bytes, view, at, stream);
    at = placed.end;
    yield placed;
  }
}

function readRecordAt(bytes: Uint8Array, view: DataView, at: number, stream?: Stream): PlacedRecord {
  const fail = (field: string, reason: string) =>
    new FormatError(`record.${field}`, `${reason} (record at byte ${at} of ${bytes.length})`);
  if (bytes.length - at < RECORD_HEADER_BYTES) {
    throw fail('header', `${bytes.length - at} bytes left, a header has ${RECORD_HEADER_BYTES}: truncated`);
  }
  const length = view.getUint32(at, true);
  const type = view.getUint8(at + 4);
  const flags = view.getUint8(at + 5);
  const belongsTo = streamOf(type);
  if (belongsTo === null) throw fail('type', `0x${type.toString(16).padStart(2, '0')} is unknown`);
  if (stream !== undefined && belongsTo !== stream) {
    throw fail('type', `0x${type.toString(16).padStart(2, '0')} belongs to ${belongsTo}, found in ${stream}`);
  }
  if ((flags & ~FLAG_REPEATED) !== 0) throw fail('flags', `0x${flags.toString(16)}: unknown bits are set`);
  if (view.getUint16(at + 6, true) !== 0) throw fail('reserved', `${view.getUint16(at + 6, true)}, must be 0`);
  if (length > MAX_BODY_BYTES) throw fail('length', `${length} bytes, at most ${MAX_BODY_BYTES}`);
  const end = at + RECORD_HEADER_BYTES + length;
  if (end > bytes.length) {
    throw fail('body', `${length} bytes, ${bytes.length - at - RECORD_HEADER_BYTES} left: truncated`);
  }
  const time = view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * 0x1_0000_0000;
  const seq = view.getUint32(at + 16, true) + view.getUint32(at + 20, true) * 0x1_0000_0000;
  if (!Number.isSafeInteger(time)) throw fail('time', 'above 2^53 - 1 µs');
  if (!Number.isSafeInteger(seq)) throw fail('seq', 'above 2^53 - 1');
  const body = bytes.subarray(at + RECORD_HEADER_BYTES, end);
  return { record: { type: type as RecordType, flags, time, seq, body }, offset: at, end };
}
