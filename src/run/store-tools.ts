/** What is done with a store whose services do not run: checking it, and filling an empty one from a backup. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createLog } from '#platform/log.ts';
import { checkStore, type FsckOptions, type FsckReport } from '#services/session-storage/fsck.ts';
import { type RestoredStore, restoreBackup } from '#services/session-storage/restore-backup.ts';
import { lockFolder } from './lock.ts';

export type { FsckReport } from '#services/session-storage/fsck.ts';
export type { RestoredStore } from '#services/session-storage/restore-backup.ts';

/** Runs `work` on the store's folder while no service can. @param data folder of `lucid up` or `lucid serve` */
async function withStore<T>(data: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(resolve(data), 'session-storage');
  const unlocks: (() => void)[] = [];
  try {
    // Both: `lucid up` takes the one, `lucid serve session-storage` the other.
    for (const taken of [resolve(data), folder]) unlocks.push(lockFolder(taken));
    return await work(folder);
  } finally {
    for (const unlock of unlocks) unlock();
  }
}

/**
 * Checks every file of the store, and its index.
 *
 * @param env settings: of these the archive's folder counts
 * @throws Error when there is no store, or it is in use
 */
export async function fsck(
  options: { data: string; env: NodeJS.ProcessEnv } & Pick<FsckOptions, 'rebuild' | 'onProgress'>,
): Promise<FsckReport> {
  const { data, env, ...rest } = options;
  if (!existsSync(join(resolve(data), 'session-storage'))) throw new Error(`${resolve(data)} holds no store of Lucid`);
  return withStore(data, (folder) =>
    checkStore({ folder, archiveFolder: env.LUCID_ARCHIVE_FOLDER || null, log: createLog('fatal'), ...rest }),
  );
}

/**
 * Restores a backup into an empty store, checking all of it.
 * @throws Error when the store is in use or not empty, or the backup is not whole
 */
export function restore(
  stream: AsyncIterable<Uint8Array>,
  data: string,
  onProgress?: (bytes: number) => void,
): Promise<RestoredStore> {
  return withStore(data, (folder) => restoreBackup(stream, folder, onProgress));
}
