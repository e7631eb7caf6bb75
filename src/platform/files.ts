import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it where they are missing. Node.js's own `recursive` never returns where a file system
 * says of an existing folder that it is not there once something is to be made in it, as /proc does.
 *
 * @param mode of each folder that is made
 * @returns the uppermost folder that was made; undefined when all were there
 * @throws the system's error
 */
export function makeFolders(path: string, mode = 0o700): string | undefined {
  if (existsSync(path)) return undefined;
  const first = makeFolders(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return first ?? path;
}

/**
 * Writes a file that only its owner may read: under a temporary name, synced, then renamed, so that it is there whole or
 * not at all.
 */
export function writeSecretFile(path: string, content: string | Uint8Array): void {
  makeFolders(dirname(path));
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Makes a rename or a new name in `folder` durable. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
