import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolders } from '#platform/files.ts';

/**
 * Takes a data folder for this process alone, until it is released or the process ends, however it ends.
 *
 * @throws Error that says so, when another process has it
 */
export function lockFolder(folder: string): () => void {
  const lock = openLock(folder);
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new Error(`${folder} is in use by another Lucid process; stop it, or choose another folder with --data`);
  }
  return () => lock.close();
}

function openLock(folder: string): DatabaseSync {
  try {
    makeFolders(folder);
    return new DatabaseSync(join(folder, 'lock.sqlite'));
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`${folder} cannot be the data folder: ${message}; choose another with --data`, { cause });
  }
}

const SQLITE_BUSY = 5;
