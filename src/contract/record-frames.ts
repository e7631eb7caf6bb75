/**
 * Messages of the WebSocket `/v1/journal` between a gateway and the recorder, binary, little-endian:
 *
 * u8 kind | u32 writer | what the kind says. A writer's number is the gateway's choice, unique within the WebSocket.
 * Records are in the evidence's own form; their seq is the writer's count: 0, 1, 2, ...
 */
import { FormatError } from '#evidence/format-error.ts';
import { RECORD_HEADER_BYTES, readRecords, type SessionRecord, writeRecordInto } from '#evidence/record.ts';
import { ERROR_STATUS, type ErrorCode } from './errors.ts';
import type { NewRecord } from './record-transport.ts';

/** Path of the WebSocket. */
export const JOURNAL_PATH = '/v1/journal';

/** The longest message, in bytes: more than a gateway may leave unacknowledged. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

const Kind = { attach: 1, records: 2, close: 3, attached: 17, acknowledged: 18, failed: 19, closed: 20, refused: 21 };
const HEADER_BYTES = 5;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** The longest words that a message carries, in bytes. */
const MAX_TEXT_BYTES = 4096;

/** What a gateway sends. */
export type GatewayFrame =
  /** 16 bytes of session id, 16 bytes of connection id. */
  | { kind: 'attach'; writer: number; session: string; connection: string }
  /** Records, one after another. */
  | { kind: 'records'; writer: number; records: SessionRecord[] }
  | { kind: 'close'; writer: number };

/** What the recorder sends. */
export type RecorderFrame =
  /** u64 µs of the session's clock. */
  | { kind: 'attached'; writer: number; nowUs: number }
  /** u64 number of the last durable record. */
  | { kind: 'acknowledged'; writer: number; number: number }
  /** UTF-8 reason. */
  | { kind: 'failed'; writer: number; reason: string }
  | { kind: 'closed'; writer: number }
  /** UTF-8: error code, line feed, words. */
  | { kind: 'refused'; writer: number; code: ErrorCode; message: string };

/** Bytes that are no message: `field` and `reason` say what is wrong. */
export class FrameError extends Error {
  override readonly name = 'FrameError';

  constructor(field: string, reason: string) {
    super(`journal message, ${field}: ${reason}`);
  }
}

/** Bytes that a record takes. */
export function recordBytes({ body }: NewRecord): number {
  return RECORD_HEADER_BYTES + body.length;
}

/** Writes a message with a writer's records. @param first number of the first; the others follow it */
export function encodeRecords(writer: number, first: number, records: readonly NewRecord[]): Uint8Array {
  const size = records.reduce((sum, record) => sum + recordBytes(record), HEADER_BYTES);
  const bytes = start(Kind.records, writer, size);
  let at = HEADER_BYTES;
  for (const [i, { type, flags, timeUs, body }] of records.entries()) {
    at = writeRecordInto(bytes, at, { type, flags, time: timeUs, seq: first + i, body } as SessionRecord);
  }
  return bytes;
}

/** Writes a gateway's message without records. */
export function encodeGatewayFrame(frame: Exclude<GatewayFrame, { kind: 'records' }>): Uint8Array {
  if (frame.kind === 'close') return start(Kind.close, frame.writer, HEADER_BYTES);
  const bytes = start(Kind.attach, frame.writer, HEADER_BYTES + 32);
  bytes.set(uuidBytes(frame.session), HEADER_BYTES);
  bytes.set(uuidBytes(frame.connection), HEADER_BYTES + 16);
  return bytes;
}

/**
 * Reads a gateway's message; bodies of records are views into `bytes`.
 * @throws FrameError
 */
export function decodeGatewayFrame(bytes: Uint8Array): GatewayFrame {
  const { kind, writer, rest } = open(bytes);
  switch (kind) {
    case Kind.attach:
      wantLength(rest, 32, 'ids');
      return { kind: 'attach', writer, session: uuidText(rest, 0), connection: uuidText(rest, 16) };
    case Kind.records:
      return { kind: 'records', writer, records: recordsOf(rest) };
    case Kind.close:
      wantLength(rest, 0, 'end');
      return { kind: 'close', writer };
    default:
      throw new FrameError('kind', `${kind} is none that a gateway sends`);
  }
}

/** Writes a recorder's message. */
export function encodeRecorderFrame(frame: RecorderFrame): Uint8Array {
  switch (frame.kind) {
    case 'attached':
      return withNumber(Kind.attached, frame.writer, frame.nowUs);
    case 'acknowledged':
      return withNumber(Kind.acknowledged, frame.writer, frame.number);
    case 'failed':
      return withText(Kind.failed, frame.writer, frame.reason);
    case 'refused':
      return withText(Kind.refused, frame.writer, `${frame.code}\n${frame.message}`);
    case 'closed':
      return start(Kind.closed, frame.writer, HEADER_BYTES);
  }
}

/**
 * Reads a recorder's message.
 * @throws FrameError
 */
export function decodeRecorderFrame(bytes: Uint8Array): RecorderFrame {
  const { kind, writer, rest } = open(bytes);
  switch (kind) {
    case Kind.attached:
      return { kind: 'attached', writer, nowUs: numberOf(rest) };
    case Kind.acknowledged:
      return { kind: 'acknowledged', writer, number: numberOf(rest) };
    case Kind.failed:
      return { kind: 'failed', writer, reason: textOf(rest) };
    case Kind.closed:
      wantLength(rest, 0, 'end');
      return { kind: 'closed', writer };
    case Kind.refused: {
      const [, code, message] = /^([a-z_]+)\n(.*)$/s.exec(textOf(rest)) ?? [];
      if (!Object.hasOwn(ERROR_STATUS, code ?? '')) throw new FrameError('code', 'is no error code');
      return { kind: 'refused', writer, code: code as ErrorCode, message };
    }
    default:
      throw new FrameError('kind', `${kind} is none that a recorder sends`);
  }
}

function start(kind: number, writer: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  bytes[0] = kind;
  new DataView(bytes.buffer).setUint32(1, writer, true);
  return bytes;
}

function withNumber(kind: number, writer: number, value: number): Uint8Array {
  const bytes = start(kind, writer, HEADER_BYTES + 8);
  new DataView(bytes.buffer).setBigUint64(HEADER_BYTES, BigInt(value), true);
  return bytes;
}

function withText(kind: number, writer: number, text: string): Uint8Array {
  // Cut by characters, of which none takes more than three bytes of UTF-8 a code unit.
  const encoded = new TextEncoder().encode(text.slice(0, MAX_TEXT_BYTES / 3));
  const bytes = start(kind, writer, HEADER_BYTES + encoded.length);
  bytes.set(encoded, HEADER_BYTES);
  return bytes;
}

function open(bytes: Uint8Array): { kind: number; writer: number; rest: Uint8Array } {
  if (bytes.length < HEADER_BYTES) throw new FrameError('header', `${bytes.length} bytes, wanted ${HEADER_BYTES}`);
  if (bytes.length > MAX_FRAME_BYTES) throw new FrameError('length', `${bytes.length}, at most ${MAX_FRAME_BYTES}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { kind: bytes[0], writer: view.getUint32(1, true), rest: bytes.subarray(HEADER_BYTES) };
}

function recordsOf(bytes: Uint8Array): SessionRecord[] {
  try {
    return [...readRecords(bytes)].map(({ record }) => record);
  } catch (error) {
    if (error instanceof FormatError) throw new FrameError('records', error.message);
    throw error;
  }
}

function numberOf(rest: Uint8Array): number {
  wantLength(rest, 8, 'number');
  const value = Number(new DataView(rest.buffer, rest.byteOffset, 8).getBigUint64(0, true));
  if (!Number.isSafeInteger(value)) throw new FrameError('number', 'above 2^53 - 1');
  return value;
}

function textOf(rest: Uint8Array): string {
  if (rest.length > MAX_TEXT_BYTES) throw new FrameError('text', `${rest.length} bytes, at most ${MAX_TEXT_BYTES}`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(rest);
  } catch {
    throw new FrameError('text', 'not valid UTF-8');
  }
}

function wantLength(rest: Uint8Array, length: number, field: string): void {
  if (rest.length !== length) throw new FrameError(field, `${rest.length} bytes, wanted ${length}`);
}

function uuidBytes(id: string): Uint8Array {
  if (!UUID.test(id)) throw new RangeError(`id ${JSON.stringify(id)}: wanted a UUID in lower case`);
  const hex = id.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16));
}

function uuidText(bytes: Uint8Array, at: number): string {
  const hex = Array.from(bytes.subarray(at, at + 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
