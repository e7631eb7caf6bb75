/** The archive: a second folder, on another disk, that recordings' chunks are moved to and brought back from. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ServiceError } from '#contract/errors.ts';
import { isArchived } from '#evidence/act.ts';
import { chunkPath, LEAVES_PATH } from '#evidence/bundle-layout.ts';
import { STREAMS } from '#evidence/record.ts';
import { toHex } from '#evidence/text.ts';
import { fileMember } from './bundle/member.ts';
import { type DiskSpace, spaceOf } from './capacity.ts';
import { exists, makeFolder, writeDurably } from './durable-write.ts';
import { FactFiles } from './fact-files.ts';
import { readLeaves } from './leaf-file.ts';
import { removeFolder, SessionPlace } from './session-place.ts';

/** Tells an archive from the empty folder that is seen while its disk is not mounted. */
const MARKER = 'lucid-archive.txt';
const MARKER_TEXT = 'Recordings that Lucid has archived. It does not use this folder unless this file is here.\n';
/** Copied beside the chunks, so that an archive can be understood by itself; the store keeps its own. */
const KEPT_FOLDERS = ['keys', 'partial'];

export class Archive {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the archive, unless something is in it already: then it must be there. */
  async prepare(isUsed: boolean): Promise<void> {
    if (isUsed || (await this.isThere())) return;
    await makeFolder(this.folder);
    await writeDurably(join(this.folder, MARKER), Buffer.from(MARKER_TEXT));
  }

  isThere(): Promise<boolean> {
    return exists(join(this.folder, MARKER));
  }

  async space(): Promise<DiskSpace & { is_there: boolean }> {
    if (!(await this.isThere())) return { is_there: false, free_bytes: 0, total_bytes: 0 };
    return { is_there: true, ...(await spaceOf(this.folder)) };
  }

  /** @throws ServiceError `unavailable` when its disk is not mounted */
  async demand(): Promise<void> {
    if (await this.isThere()) return;
    const what = `the archive ${this.folder} is not there (it has no ${MARKER})`;
    throw new ServiceError('unavailable', `${what}: mount its disk, or mend LUCID_ARCHIVE_FOLDER`);
  }
}

export interface Move {
  /** Has it entered in the session's acts that the chunks are in the new place. */
  readonly record: (kind: 'archive' | 'restore') => Promise<void>;
  /** Aborted: the move stops between two chunks, and goes on from there when it is made again. */
  readonly signal: AbortSignal;
}

/**
 * Moves a session's chunks to the archive: each is copied, checked against its leaf and durable there, then the act is
 * recorded, and only then are they removed from the store. At any moment each chunk is in one of the places at least.
 *
 * @throws ServiceError `not_found` or `invalid_request` for a chunk that is damaged, `storage_full`, `unavailable`
 */
export async function archiveSession(place: SessionPlace, move: Move): Promise<void> {
  const away = demandAway(place);
  const facts = new FactFiles(place.session, place.home);
  if (!isArchived(await facts.acts())) {
    await copyChunks(place, { from: place.home, to: away }, move.signal);
    for (const path of await smallFiles(place.home)) {
      await writeDurably(join(away, path), await readFile(join(place.home, path)));
    }
    await move.record('archive');
  }
  for (const stream of STREAMS) await removeFolder(place.home, stream);
}

/** Brings a session's chunks back, in the same way. @throws as `archiveSession` */
export async function restoreSession(place: SessionPlace, move: Move): Promise<void> {
  const away = demandAway(place);
  const facts = new FactFiles(place.session, place.home);
  if (isArchived(await facts.acts())) {
    await copyChunks(place, { from: away, to: place.home }, move.signal);
    await move.record('restore');
  }
  await removeFolder(dirname(away), place.session);
}

function demandAway({ away }: SessionPlace): string {
  if (away !== null) return away;
  throw new ServiceError('wrong_state', 'there is no archive: set LUCID_ARCHIVE_FOLDER');
}

/** Copies every chunk that `to` lacks. */
async function copyChunks(
  { session, home }: SessionPlace,
  { from, to }: { from: string; to: string },
  signal: AbortSignal,
): Promise<void> {
  const source = new SessionPlace(session, from, null);
  for await (const leaves of readLeaves(join(home, LEAVES_PATH))) {
    for (const { leaf } of leaves) {
      if (signal.aborted) throw new ServiceError('unavailable', 'stopped before the end; it goes on later');
      const path = chunkPath(leaf);
      if (await exists(join(to, path))) continue;
      const chunk = fileMember(source, path, leaf.storedBytes);
      await writeDurably(join(to, path), chunk.read(0), toHex(leaf.sha256));
    }
  }
}

/** Entries, leaves and keys. */
async function smallFiles(home: string): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(home, { withFileTypes: true })) {
    if (entry.isFile()) paths.push(entry.name);
    else if (KEPT_FOLDERS.includes(entry.name)) {
      for (const name of await readdir(join(home, entry.name))) paths.push(`${entry.name}/${name}`);
    }
  }
  return paths;
}
