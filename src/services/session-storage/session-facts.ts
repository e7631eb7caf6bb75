/** What a session's files say of it, at a glance: what the index keeps. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredSession } from '#contract/session-storage.ts';
import { isArchived, isHeld } from '#evidence/act.ts';
import { CLOSE_PATH, LEAVES_PATH, OPEN_PATH } from '#evidence/bundle-layout.ts';
import { type Entry, parseEntry } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import { parseNote } from '#evidence/note.ts';
import { diskError } from './durable-write.ts';
import { FactFiles } from './fact-files.ts';
import { readLeaves } from './leaf-file.ts';

export type SessionFacts = Omit<StoredSession, 'session_id' | 'moving'>;

/**
 * Reads a session's facts from its files; of a closed one the close entry says how much there is, so that its leaves need
 * not be read.
 *
 * @param folder of the session in the store
 * @throws FormatError when a file is damaged; ServiceError `not_found`, `unavailable`
 */
export async function readFacts(session: string, folder: string): Promise<SessionFacts> {
  const [open, close] = await Promise.all([readEntry(folder, OPEN_PATH), readEntry(folder, CLOSE_PATH)]);
  if (open !== null && open.kind !== 'lucid/open/v1') throw new FormatError(OPEN_PATH, `holds a ${open.kind}`);
  if (close !== null && close.kind !== 'lucid/close/v1') throw new FormatError(CLOSE_PATH, `holds a ${close.kind}`);
  const files = new FactFiles(session, folder);
  const [acts, tombstone] = await Promise.all([files.acts(), files.tombstone()]);
  const size = close === null ? await countLeaves(folder) : { chunks: close.leaves, stored_bytes: 0 };
  for (const { storedBytes } of close?.streams ?? []) size.stored_bytes += storedBytes;
  return {
    state: tombstone ? 'deleted' : close ? 'closed' : 'live',
    ...(tombstone ? { chunks: 0, stored_bytes: 0 } : size),
    opened_at: open?.time ?? null,
    closed_at: close?.time ?? null,
    deleted_at: tombstone?.time ?? null,
    held: isHeld(acts),
    place: isArchived(acts) ? 'archive' : 'store',
  };
}

async function countLeaves(folder: string): Promise<{ chunks: number; stored_bytes: number }> {
  const size = { chunks: 0, stored_bytes: 0 };
  try {
    for await (const leaves of readLeaves(join(folder, LEAVES_PATH))) {
      size.chunks += leaves.length;
      for (const { leaf } of leaves) size.stored_bytes += leaf.storedBytes;
    }
  } catch (error) {
    throw error instanceof FormatError ? error : diskError(error);
  }
  return size;
}

/**
 * The entry in a note of the session's folder; who signed it is for verifiers to see.
 *
 * @returns null when there is no such file
 * @throws FormatError when it is no entry, or too long for one; ServiceError `unavailable`
 */
export async function readEntry(folder: string, path: string): Promise<Entry | null> {
  const file = join(folder, path);
  try {
    const { size } = await stat(file);
    if (size > MAX_NOTE_BYTES) throw new FormatError(path, `${size} bytes, at most ${MAX_NOTE_BYTES}`);
    return parseEntry(parseNote(await readFile(file)).text);
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(path, error.message);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw diskError(error);
  }
}

const MAX_NOTE_BYTES = 1024 * 1024;
