/**
 * Several seal requests, or their answers, in one body:
 *
 * u32 LE count | count × (u32 LE length | u32 LE kind) | items, one after another
 *
 * Requests are of kind 0. An answer is of kind 0 and as in `seal-message.ts`, or of kind 1: why the run was not sealed, as
 * JSON `{ code, message }`.
 */
import { ERROR_STATUS, type ErrorCode, ServiceError } from './errors.ts';

/** Items that a batch may have. */
export const MAX_BATCH_ITEMS = 1024;
const HEAD_BYTES = 4;
const ENTRY_BYTES = 8;
const SEALED = 0;
const REFUSED = 1;

export function encodeSealBatch(requests: readonly Uint8Array[]): Uint8Array {
  return encode(requests.map((bytes) => ({ kind: SEALED, bytes })));
}

/** Reads requests: views into `bytes`. @throws ServiceError `invalid_request` */
export function decodeSealBatch(bytes: Uint8Array): Uint8Array[] {
  const fail = (words: string) => new ServiceError('invalid_request', `seal batch: ${words}`);
  return decode(bytes, fail).map(({ kind, bytes }, i) => {
    if (kind !== SEALED) throw fail(`item ${i}: kind ${kind}`);
    return bytes;
  });
}

export function encodeSealBatchAnswer(answers: readonly (Uint8Array | ServiceError)[]): Uint8Array {
  return encode(
    answers.map((answer) => {
      if (!(answer instanceof ServiceError)) return { kind: SEALED, bytes: answer };
      const { code, message } = answer;
      return { kind: REFUSED, bytes: new TextEncoder().encode(JSON.stringify({ code, message })) };
    }),
  );
}

/**
 * Reads answers: views into `bytes`, or why a run was not sealed.
 * @param count of the requests
 * @throws ServiceError `upstream_failed`
 */
export function decodeSealBatchAnswer(bytes: Uint8Array, count: number): (Uint8Array | ServiceError)[] {
  const fail = (words: string) => new ServiceError('upstream_failed', `seal batch answer: ${words}`);
  const items = decode(bytes, fail);
  if (items.length !== count) throw fail(`${items.length} items, wanted ${count}`);
  return items.map(({ kind, bytes }, i) => {
    if (kind === SEALED) return bytes;
    const error = kind === REFUSED ? readError(bytes) : null;
    if (error === null) throw fail(`item ${i}: neither an answer nor an error`);
    return error;
  });
}

function readError(json: Uint8Array): ServiceError | null {
  try {
    const { code, message } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
    return Object.hasOwn(ERROR_STATUS, code) ? new ServiceError(code as ErrorCode, String(message)) : null;
  } catch {
    return null;
  }
}

interface Item {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

function encode(items: readonly Item[]): Uint8Array {
  const length = items.reduce((sum, { bytes }) => sum + ENTRY_BYTES + bytes.length, HEAD_BYTES);
  const body = new Uint8Array(length);
  const view = new DataView(body.buffer);
  view.setUint32(0, items.length, true);
  let at = HEAD_BYTES + items.length * ENTRY_BYTES;
  for (const [i, { kind, bytes }] of items.entries()) {
    view.setUint32(HEAD_BYTES + i * ENTRY_BYTES, bytes.length, true);
    view.setUint32(HEAD_BYTES + i * ENTRY_BYTES + 4, kind, true);
    body.set(bytes, at);
    at += bytes.length;
  }
  return body;
}

function decode(body: Uint8Array, fail: (words: string) => ServiceError): Item[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < HEAD_BYTES) throw fail('truncated');
  const count = view.getUint32(0, true);
  if (count > MAX_BATCH_ITEMS) throw fail(`${count} items, at most ${MAX_BATCH_ITEMS}`);
  let at = HEAD_BYTES + count * ENTRY_BYTES;
  if (body.length < at) throw fail('its list of items is truncated');
  const items = Array.from({ length: count }, (_, i) => {
    const length = view.getUint32(HEAD_BYTES + i * ENTRY_BYTES, true);
    const kind = view.getUint32(HEAD_BYTES + i * ENTRY_BYTES + 4, true);
    if (length > body.length - at) throw fail(`item ${i}: ${length} bytes, ${body.length - at} left`);
    at += length;
    return { kind, bytes: body.subarray(at - length, at) };
  });
  if (at !== body.length) throw fail(`${body.length - at} bytes after the last item`);
  return items;
}
