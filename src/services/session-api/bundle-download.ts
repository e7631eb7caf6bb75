/** Sends a session's bundle, or the range of it that was asked for (RFC 9110, section 14). */
import { Readable } from 'node:stream';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { CallContext } from '#platform/http/app.ts';

const TYPES = { tar: 'application/x-tar', zip: 'application/zip' } as const;

/** First byte, and the one after the last. */
interface ByteRange {
  from: number;
  to: number;
}

/**
 * Ranges are for sessions that are over, whose bundles do not change: a download that broke off goes on where it was. The
 * bundle of a live session is sent as far as it goes, whole.
 *
 * @throws ServiceError `range_not_satisfiable`, and as session-storage
 */
export async function sendBundle(
  storage: Peers['session-storage'],
  id: string,
  format: 'tar' | 'zip',
  { request, reply }: CallContext,
): Promise<Readable> {
  const params = { id };
  const { bytes, etag, stable } = await storage.describeBundle({ params, query: { format } });
  reply.type(TYPES[format]).header('content-disposition', `attachment; filename="lucid-${id}.${format}"`);
  if (!stable) return Readable.from(await storage.getBundle({ params, query: { format } }), { objectMode: false });

  reply.header('accept-ranges', 'bytes').header('etag', `"${etag}"`);
  const { range: wanted, 'if-range': ifRange } = request.headers;
  const isSame = ifRange === undefined || ifRange === `"${etag}"`;
  const range = wanted !== undefined && isSame ? readRange(wanted, bytes) : null;
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${bytes}`);
    throw new ServiceError('range_not_satisfiable', `the bundle has ${bytes} bytes, ${wanted} was asked for`);
  }
  const { from, to } = range ?? { from: 0, to: bytes };
  if (range) reply.code(206).header('content-range', `bytes ${from}-${to - 1}/${bytes}`);
  reply.header('content-length', to - from);
  if (request.method === 'HEAD') return Readable.from([]);
  return Readable.from(await storage.getBundle({ params, query: { format, etag, from, to } }), { objectMode: false });
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
