/** Downloads that go on where they broke off (RFC 9110, section 14). */
import { ServiceError } from '#contract/errors.ts';
import type { CallContext } from '#platform/http/app.ts';

/** First byte, and the one after the last. */
export interface ByteRange {
  from: number;
  to: number;
}

/** What is downloaded, and does not change. */
export interface Download {
  /** In words. */
  what: string;
  bytes: number;
  /** Names these bytes and no others. */
  etag: string;
}

/**
 * Answers as the request's Range and If-Range want it: sets the status and the header fields.
 * @returns what is to be sent
 * @throws ServiceError `range_not_satisfiable`
 */
export function answerRange({ what, bytes, etag }: Download, { request, reply }: CallContext): ByteRange {
  reply.header('accept-ranges', 'bytes').header('etag', `"${etag}"`);
  const { range: wanted, 'if-range': ifRange } = request.headers;
  const isSame = ifRange === undefined || ifRange === `"${etag}"`;
  const range = wanted !== undefined && isSame ? readRange(wanted, bytes) : null;
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${bytes}`);
    throw new ServiceError('range_not_satisfiable', `${what} has ${bytes} bytes, ${wanted} was asked for`);
  }
  const { from, to } = range ?? { from: 0, to: bytes };
  if (range) reply.code(206).header('content-range', `bytes ${from}-${to - 1}/${bytes}`);
  reply.header('content-length', to - from);
  return { from, to };
}

/**
 * One range of bytes; anything else that the header may say is answered with the whole, as section 14.2 allows.
 *
 * @param length of the whole
 */
export function readRange(header: string, length: number): ByteRange | 'unsatisfiable' | null {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim()) ?? [];
  if (first === undefined || (first === '' && last === '')) return null;
  if (first === '')
    return Number(last) === 0 ? 'unsatisfiable' : { from: Math.max(0, length - Number(last)), to: length };
  const from = Number(first);
  const to = last === '' ? length : Math.min(length, Number(last) + 1);
  if (last !== '' && Number(last) < from) return null;
  return from >= length ? 'unsatisfiable' : { from, to };
}
