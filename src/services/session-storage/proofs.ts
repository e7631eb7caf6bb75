/** What is signed of a session, and that a chunk belongs to it: for who checks one chunk without downloading the others. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '#contract/errors.ts';
import type { ChunkProof, Manifest } from '#contract/session-storage.ts';
import { CLOSE_PATH, LEAVES_PATH, OPEN_PATH, parseBundlePath, partialPath } from '#evidence/bundle-layout.ts';
import type { Entry } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import { formatLeaf, hashLeaf, type Leaf } from '#evidence/leaf.ts';
import { InclusionPath } from '#evidence/merkle.ts';
import { sha256 } from '#evidence/node/hash.ts';
import type { Stream } from '#evidence/record.ts';
import { toHex } from '#evidence/text.ts';
import { leavesError } from './chunks.ts';
import { readLeaves } from './leaf-file.ts';
import { readEntry } from './session-facts.ts';
import type { SessionPlace } from './session-place.ts';

type SignedTree = ChunkProof['signed'];

/** @throws ServiceError `not_found`; `wrong_state` before the open entry; `unavailable` when a file is damaged */
export function readManifest({ home, session }: SessionPlace): Promise<Manifest> {
  return told(session, async () => {
    const open = await readNote(home, OPEN_PATH);
    if (!open) throw new ServiceError('wrong_state', `session ${session} has no open entry yet`);
    return { session_id: session, open: open.note, signed: await latestTree(home) };
  });
}

/**
 * Leaves are read twice, a piece at a time: a session may have a million, and one hash a level is kept of them.
 * @throws ServiceError `not_found`; `wrong_state` when the chunk is so new that no entry speaks of it; `unavailable`
 */
export function proveChunk({ home, session }: SessionPlace, stream: Stream, index: number): Promise<ChunkProof> {
  return told(session, async () => {
    const [signed, found] = [await latestTree(home), await placeOf(home, stream, index)];
    if (!found) throw new ServiceError('not_found', `session ${session} has no chunk ${index} of ${stream}`);
    if (!signed || found.at >= signed.leaves) {
      throw new ServiceError('wrong_state', 'no entry speaks of the chunk yet: try again in a few seconds');
    }
    const inclusion = new InclusionPath(sha256, found.at);
    for await (const leaf of leavesIn(home)) {
      if (inclusion.size === signed.leaves) break;
      inclusion.append(hashLeaf(sha256, leaf));
    }
    const { root, path } = inclusion.finish();
    if (toHex(root) !== signed.root) {
      throw new ServiceError('unavailable', `the leaves of session ${session} have not the root that is signed`);
    }
    return { leaf: formatLeaf(found.leaf), leaf_index: found.at, path: path.map(toHex), signed };
  });
}

/** The latest entry that speaks of the session's chunks; null before the first. */
async function latestTree(home: string): Promise<SignedTree | null> {
  const found = (await readNote(home, CLOSE_PATH)) ?? (await latestPartial(home));
  if (!found) return null;
  const { entry, note } = found;
  if (entry.kind === 'lucid/open/v1') throw new FormatError(CLOSE_PATH, `holds a ${entry.kind}`);
  const kind = entry.kind === 'lucid/close/v1' ? 'close' : 'partial';
  return { kind, leaves: entry.leaves, root: toHex(entry.root), note };
}

async function latestPartial(home: string): Promise<{ entry: Entry; note: string } | null> {
  const numbers = (await readdir(join(home, 'partial')).catch(nobody)).map((name) => {
    const part = parseBundlePath(`partial/${name}`);
    return part?.part === 'partial' ? part.number : -1;
  });
  const last = numbers.reduce((a, b) => Math.max(a, b), -1);
  return last < 0 ? null : readNote(home, partialPath(last));
}

async function readNote(home: string, path: string): Promise<{ entry: Entry; note: string } | null> {
  const entry = await readEntry(home, path);
  return entry && { entry, note: await readFile(join(home, path), 'utf8') };
}

async function* leavesIn(home: string): AsyncGenerator<Leaf> {
  for await (const leaves of readLeaves(join(home, LEAVES_PATH))) for (const { leaf } of leaves) yield leaf;
}

/** A chunk's leaf, and which of all it is. */
async function placeOf(home: string, stream: Stream, index: number): Promise<{ leaf: Leaf; at: number } | null> {
  let at = 0;
  for await (const leaf of leavesIn(home)) {
    if (leaf.stream === stream && leaf.index === index) return { leaf, at };
    at++;
  }
  return null;
}

/** A session whose first chunk is not stored yet has no folder of them. */
function nobody(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

/** Tells damage and faults of the disk as what they are to a caller. */
async function told<T>(session: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ServiceError ? error : leavesError(error, session);
  }
}
