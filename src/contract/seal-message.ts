/**
 * How a run of records travels to the chunk processor and its sealed chunks come back: heads in JSON, bytes as they are.
 *
 * request: u32 LE head length | head (SealHead) | u32 LE state length | decoder state | records to the end
 * answer: u32 LE head length | head (SealAnswerHead) | u32 LE state length | new decoder state | chunks, one after another
 */
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { SealAnswerHead, SealHead } from './chunk-processor.ts';
import { ServiceError } from './errors.ts';

const MAX_HEAD_BYTES = 1024 * 1024;

/**
 * The decoder's state after a run whose decoding broke off, or whose state was lost: what the screen shows is unknown from
 * there on, so no keyframe and no index is made any more. No state of a decoder has this length.
 */
export const LOST_STATE: Uint8Array = Uint8Array.of(0);

export interface SealRequest {
  head: SealHead;
  /** What the last run of this stream left; empty at the first. */
  state: Uint8Array;
  /** Written records, whole. */
  records: Uint8Array;
}

export interface SealAnswer {
  head: SealAnswerHead;
  state: Uint8Array;
  /** Bytes of the chunks that `head.chunks` describes, in the same order. */
  chunks: Uint8Array[];
}

/** Writes a request; the records may come in parts, so that a run is copied once. */
export function encodeSealRequest(head: SealHead, state: Uint8Array, records: readonly Uint8Array[]): Uint8Array {
  return encode(head, state, records);
}

/**
 * Reads a request; state and records are views into `bytes`.
 * @throws ServiceError `invalid_request` naming the part at fault
 */
export function decodeSealRequest(bytes: Uint8Array): SealRequest {
  const fail = (words: string) => new ServiceError('invalid_request', `seal request: ${words}`);
  const { head, state, rest } = decode(bytes, SealHead, fail);
  return { head, state, records: rest };
}

/** Writes an answer. */
export function encodeSealAnswer({ head, state, chunks }: SealAnswer): Uint8Array<ArrayBuffer> {
  return encode(head, state, chunks);
}

/**
 * Reads an answer; state and chunks are views into `bytes`.
 * @throws ServiceError `upstream_failed` naming the part at fault
 */
export function decodeSealAnswer(bytes: Uint8Array): SealAnswer {
  const fail = (words: string) => new ServiceError('upstream_failed', `seal answer: ${words}`);
  const { head, state, rest } = decode(bytes, SealAnswerHead, fail);
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const chunk of head.chunks) {
    chunks.push(rest.subarray(at, at + chunk.bytes));
    at += chunk.bytes;
  }
  if (at !== rest.length) throw fail(`chunks: ${rest.length} bytes, the head says ${at}`);
  return { head, state, chunks };
}

function encode(head: object, state: Uint8Array, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(head));
  const length = parts.reduce((sum, part) => sum + part.length, 4 + json.length + 4 + state.length);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, json.length, true);
  bytes.set(json, 4);
  let at = 4 + json.length;
  view.setUint32(at, state.length, true);
  bytes.set(state, at + 4);
  at += 4 + state.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function decode<S extends TSchema>(
  bytes: Uint8Array,
  schema: S,
  fail: (words: string) => ServiceError,
): { head: Static<S>; state: Uint8Array; rest: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const section = (at: number, name: string, limit: number) => {
    if (bytes.length - at < 4) throw fail(`${name}: truncated`);
    const length = view.getUint32(at, true);
    if (length > limit) throw fail(`${name}: ${length} bytes, at most ${limit}`);
    if (length > bytes.length - at - 4) throw fail(`${name}: ${length} bytes, ${bytes.length - at - 4} left`);
    return bytes.subarray(at + 4, at + 4 + length);
  };
  const json = section(0, 'head', MAX_HEAD_BYTES);
  const state = section(4 + json.length, 'state', bytes.length);
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw fail('head: not JSON');
  }
  if (!Value.Check(schema, head)) {
    const [error] = Value.Errors(schema, head);
    throw fail(`head${error?.instancePath ?? ''}: ${error?.message ?? 'not of the wanted form'}`);
  }
  return { head, state, rest: bytes.subarray(4 + json.length + 4 + state.length) };
}
