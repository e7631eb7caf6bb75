/** Files that are whole or absent after a crash: temporary name, fsync, rename, fsync of the folder. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Ending of a file that is not complete: left over after a crash, it may be deleted. */
const TEMPORARY_ENDING = '.tmp';

/**
 * Writes `bytes` as the file `path`, replacing what was called so: whole and durable when it returns. Folders are made
 * where they are missing.
 * @param mode permissions of the file
 */
export function writeDurably(path: string, bytes: Uint8Array, mode = 0o644): void {
  makeFolder(dirname(path));
  const temporary = path + TEMPORARY_ENDING;
  const fd = openSync(temporary, 'w', mode);
  try {
    writeFileSync(fd, bytes);
    fsyncSync(fd);
  } catch (cause) {
    unlinkSync(temporary);
    throw cause;
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

function makeFolder(path: string): void {
  const first = mkdirSync(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) syncFolder(dirname(made));
}

/** Makes the entries of a folder durable. */
function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
