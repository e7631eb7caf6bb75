/**
 * How a run of records travels to the chunk processor and its sealed chunks come back: heads in JSON, bytes as they are.
 *
 * request: u32 LE head length | head (SealHead) | u32 LE state length | decoder state | records to the end
 * answer: chunks, one after another | new decoder state | head (SealAnswerHead) | u32 LE state length | u32 LE head length
 *
 * Both can be written without moving the large part: records are read from the journal to behind a request's prefix, and
 * chunks are encrypted into the answer.
 */
import type { Static, TSchema } from 'typebox';
import { SealAnswerHead, SealHead } from './chunk-processor.ts';
import { ServiceError } from './errors.ts';
import { findFault } from './find-fault.ts';

const MAX_HEAD_BYTES = 1024 * 1024;
/** Room for an answer's head: three chunks take less than 1 KiB. */
const ANSWER_HEAD_BYTES = 4096;
const ANSWER_END_BYTES = 8;

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

type Fail = (words: string) => ServiceError;

/** What stands in a request before the records. @param head @param state as in `SealRequest` */
export function sealRequestPrefix(head: SealHead, state: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(head));
  const bytes = new Uint8Array(4 + json.length + 4 + state.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, json.length, true);
  bytes.set(json, 4);
  view.setUint32(4 + json.length, state.length, true);
  bytes.set(state, 8 + json.length);
  return bytes;
}

/** Writes a request whose records come in parts. */
export function encodeSealRequest(head: SealHead, state: Uint8Array, records: readonly Uint8Array[]): Uint8Array {
  return concat([sealRequestPrefix(head, state), ...records]);
}

/**
 * Reads a request; state and records are views into `bytes`.
 * @throws ServiceError `invalid_request` naming the part at fault
 */
export function decodeSealRequest(bytes: Uint8Array): SealRequest {
  const fail: Fail = (words) => new ServiceError('invalid_request', `seal request: ${words}`);
  const view = viewOf(bytes);
  const section = (at: number, name: string, limit: number) => {
    if (bytes.length - at < 4) throw fail(`${name}: truncated`);
    const length = view.getUint32(at, true);
    if (length > limit) throw fail(`${name}: ${length} bytes, at most ${limit}`);
    if (length > bytes.length - at - 4) throw fail(`${name}: ${length} bytes, ${bytes.length - at - 4} left`);
    return bytes.subarray(at + 4, at + 4 + length);
  };
  const json = section(0, 'head', MAX_HEAD_BYTES);
  const state = section(4 + json.length, 'state', bytes.length);
  const head = readHead(json, SealHead, fail);
  return { head, state, records: bytes.subarray(8 + json.length + state.length) };
}

/** An answer whose chunks are written where they are to stand. */
export class SealAnswerWriter {
  /** A place for each chunk, to be filled before `finish`. */
  readonly places: readonly Uint8Array[];
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #stateBytes: number;
  readonly #headAt: number;

  /** @param chunkBytes size of each chunk; @param state after the run */
  constructor(chunkBytes: readonly number[], state: Uint8Array) {
    const chunks = chunkBytes.reduce((sum, bytes) => sum + bytes, 0);
    this.#stateBytes = state.length;
    this.#headAt = chunks + state.length;
    this.#bytes = new Uint8Array(this.#headAt + ANSWER_HEAD_BYTES + ANSWER_END_BYTES);
    let at = 0;
    this.places = chunkBytes.map((bytes) => {
      at += bytes;
      return this.#bytes.subarray(at - bytes, at);
    });
    this.#bytes.set(state, chunks);
  }

  /** @returns the answer, in memory of its own @throws RangeError when the head is too long */
  finish(head: SealAnswerHead): Uint8Array<ArrayBuffer> {
    const json = new TextEncoder().encode(JSON.stringify(head));
    if (json.length > ANSWER_HEAD_BYTES) throw new RangeError(`seal answer: a head of ${json.length} bytes`);
    const end = this.#headAt + json.length;
    this.#bytes.set(json, this.#headAt);
    const view = viewOf(this.#bytes);
    view.setUint32(end, this.#stateBytes, true);
    view.setUint32(end + 4, json.length, true);
    return this.#bytes.subarray(0, end + ANSWER_END_BYTES);
  }
}

/**
 * Reads an answer; state and chunks are views into `bytes`.
 * @throws ServiceError `upstream_failed` naming the part at fault
 */
export function decodeSealAnswer(bytes: Uint8Array): SealAnswer {
  const fail: Fail = (words) => new ServiceError('upstream_failed', `seal answer: ${words}`);
  const end = bytes.length - ANSWER_END_BYTES;
  if (end < 0) throw fail('truncated');
  const view = viewOf(bytes);
  const [stateBytes, headBytes] = [view.getUint32(end, true), view.getUint32(end + 4, true)];
  if (stateBytes + headBytes > end) throw fail(`state and head: ${stateBytes} and ${headBytes} bytes, ${end} left`);
  const headAt = end - headBytes;
  const head = readHead(bytes.subarray(headAt, end), SealAnswerHead, fail);
  const stateAt = headAt - stateBytes;
  let at = 0;
  const chunks = head.chunks.map(({ bytes: length }) => {
    at += length;
    return bytes.subarray(at - length, Math.min(at, stateAt));
  });
  if (at !== stateAt) throw fail(`chunks: ${stateAt} bytes, the head says ${at}`);
  return { head, state: bytes.subarray(stateAt, headAt), chunks };
}

function readHead<S extends TSchema>(json: Uint8Array, schema: S, fail: Fail): Static<S> {
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw fail('head: not JSON');
  }
  const fault = findFault(schema, head);
  if (fault) throw fail(`head${fault}`);
  return head as Static<S>;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
