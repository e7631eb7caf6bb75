/** Where a session's files lie: in the store, and what was archived in the archive. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ServiceError } from '#contract/errors.ts';
import { STREAMS } from '#evidence/record.ts';
import { diskError, exists, syncFolder } from './durable-write.ts';

export class SessionPlace {
  readonly session: string;
  /** Entries, leaves and acts are always here. */
  readonly home: string;
  /** Where keys and chunks are once they are archived; null: there is no archive. */
  readonly away: string | null;

  constructor(session: string, home: string, away: string | null) {
    this.session = session;
    this.home = home;
    this.away = away;
  }

  /**
   * Opens a file for reading, wherever it lies.
   *
   * @param path within the session's folder
   * @throws ServiceError `not_found`, `unavailable` when the disk fails
   */
  async open(path: string): Promise<FileHandle> {
    // Home once more at the end: the file may be on its way back while it is looked for.
    const folders = this.away === null ? [this.home] : [this.home, this.away, this.home];
    for (const folder of folders) {
      try {
        return await open(join(folder, path), 'r');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw diskError(error);
      }
    }
    throw new ServiceError('not_found', `${path} of session ${this.session} is missing`);
  }

  /** Removes keys and chunks, wherever they lie: keys first, for without them nobody can read the chunks. */
  async removeContents(): Promise<void> {
    try {
      for (const folder of this.away === null ? [this.home] : [this.home, this.away]) {
        for (const name of ['keys', ...STREAMS]) await removeFolder(folder, name);
      }
      if (this.away !== null) await removeFolder(dirname(this.away), basename(this.away));
    } catch (error) {
      throw diskError(error);
    }
  }
}

/** Removes a folder and what is in it, durably; does nothing when it is not there. */
export async function removeFolder(parent: string, name: string): Promise<void> {
  if (!(await exists(join(parent, name)))) return;
  await rm(join(parent, name), { recursive: true, force: true });
  await syncFolder(parent);
}
