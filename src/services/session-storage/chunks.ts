/** Chunks for those who read them: pages of what there is, and their bytes. */
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ServiceError } from '#contract/errors.ts';
import type { StoredChunk } from '#contract/session-storage.ts';
import { chunkPath, LEAVES_PATH } from '#evidence/bundle-layout.ts';
import { FormatError } from '#evidence/format-error.ts';
import type { Leaf } from '#evidence/leaf.ts';
import type { Stream } from '#evidence/record.ts';
import { toHex } from '#evidence/text.ts';
import { diskError } from './durable-write.ts';
import { FactFiles } from './fact-files.ts';
import { findLeaf, type PlacedLeaf, readLeaves } from './leaf-file.ts';
import type { SessionPlace } from './session-place.ts';

const DEFAULT_PAGE = 500;
const PIECE_BYTES = 256 * 1024;

/**
 * A page of a session's chunks, in the order in which they were stored. The cursor is a place in `leaves.txt`, so that a
 * page costs the same wherever it stands.
 *
 * @throws ServiceError `not_found`, `invalid_request` for a cursor that no page gave, `unavailable`
 */
export async function listChunks(
  { home, session }: SessionPlace,
  { limit = DEFAULT_PAGE, cursor = '0' }: { limit?: number | undefined; cursor?: string | undefined },
): Promise<{ items: StoredChunk[]; next_cursor: string | null }> {
  const page: PlacedLeaf[] = [];
  try {
    for await (const leaves of readLeaves(join(home, LEAVES_PATH), { from: Number(cursor) })) {
      page.push(...leaves.slice(0, limit + 1 - page.length));
      if (page.length > limit) break;
    }
  } catch (error) {
    if (error instanceof FormatError && cursor !== '0') {
      throw new ServiceError('invalid_request', `no page gave the cursor ${cursor}: ${error.message}`);
    }
    throw leavesError(error, session);
  }
  const items = page.slice(0, limit).map(({ leaf }) => storedChunk(leaf));
  return { items, next_cursor: page.length > limit ? String(page[limit - 1].end) : null };
}

/**
 * A chunk's bytes as stored.
 * @throws ServiceError `not_found`, of a deleted recording too; `unavailable` when a chunk that has a leaf cannot be read
 */
export async function readChunk(place: SessionPlace, stream: Stream, index: number): Promise<Readable> {
  const leaf = await findLeaf(join(place.home, LEAVES_PATH), place.session, stream, index).catch((error) => {
    throw leavesError(error, place.session);
  });
  if (!leaf) throw new ServiceError('not_found', `session ${place.session} has no chunk ${index} of ${stream}`);
  const file = await place.open(chunkPath(leaf)).catch(async (error) => {
    if (await new FactFiles(place.session, place.home).tombstone()) {
      throw new ServiceError('not_found', `the recording of session ${place.session} was deleted`);
    }
    throw new ServiceError('unavailable', error.message);
  });
  return file.createReadStream({ highWaterMark: PIECE_BYTES });
}

/** What the leaf says of its chunk. */
function storedChunk(leaf: Leaf): StoredChunk {
  return {
    stream: leaf.stream,
    index: leaf.index,
    compression: leaf.encoding,
    bytes: leaf.storedBytes,
    sha256: toHex(leaf.sha256),
    first_us: leaf.firstTime,
    last_us: leaf.lastTime,
    records: leaf.records,
  };
}

/** What a caller is told when `leaves.txt` cannot be read. */
export function leavesError(error: unknown, session: string): ServiceError {
  if (error instanceof FormatError) {
    return new ServiceError('unavailable', `the evidence of session ${session} is damaged: ${error.message}`);
  }
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
    ? new ServiceError('not_found', `nothing is stored of session ${session}`)
    : diskError(error);
}
