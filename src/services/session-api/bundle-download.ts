/** Sends a session's bundle, or the range of it that was asked for. */
import { Readable } from 'node:stream';
import type { Peers } from '#contract/index.ts';
import type { CallContext } from '#platform/http/app.ts';
import { answerRange } from './ranges.ts';

const TYPES = { tar: 'application/x-tar', zip: 'application/zip' } as const;

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
  context: CallContext,
): Promise<Readable> {
  const { request, reply } = context;
  const params = { id };
  const { bytes, etag, stable } = await storage.describeBundle({ params, query: { format } });
  reply.type(TYPES[format]).header('content-disposition', `attachment; filename="lucid-${id}.${format}"`);
  if (!stable) return Readable.from(await storage.getBundle({ params, query: { format } }), { objectMode: false });

  const { from, to } = answerRange({ what: 'the bundle', bytes, etag }, context);
  if (request.method === 'HEAD') return Readable.from([]);
  return Readable.from(await storage.getBundle({ params, query: { format, etag, from, to } }), { objectMode: false });
}
