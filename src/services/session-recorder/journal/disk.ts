/** The disk as the journal uses it: every byte that the journal reads or writes goes through here. */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { makeFolders } from '#platform/files.ts';

/**
 * Calls block: they are made in the journal's own threads. Each throws the system's error.
 *
 * Nothing here tries a failed sync again: after one has failed, Linux counts the pages as written, and the next sync of
 * the same file succeeds although their bytes are lost.
 */
export interface Disk {
  /** Makes a folder and those above it, durably. */
  makeFolder(path: string): void;
  list(path: string): string[];
  freeBytes(path: string): number;
  /** Makes a file that is not there. @param mode permissions */
  create(path: string, mode: number): number;
  /** Opens a file that is there, for reading and writing. */
  open(path: string): number;
  size(file: number): number;
  /** @returns bytes read: fewer than wanted at the file's end only */
  read(file: number, target: Uint8Array, offset: number): number;
  /** Writes all of `bytes`. */
  write(file: number, bytes: Uint8Array, offset: number): void;
  /** Makes what was written durable (fdatasync). */
  sync(file: number): void;
  close(file: number): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): void;
}

/** The machine's own. */
export const disk: Disk = {
  makeFolder(path) {
    const first = makeFolders(path);
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made)) disk.syncFolder(dirname(made));
  },
  list: (path) => fs.readdirSync(path),
  freeBytes(path) {
    const { bavail, bsize } = fs.statfsSync(path);
    return bavail * bsize;
  },
  create: (path, mode) => fs.openSync(path, 'wx+', mode),
  open: (path) => fs.openSync(path, 'r+'),
  size: (file) => fs.fstatSync(file).size,
  read(file, target, offset) {
    let at = 0;
    while (at < target.length) {
      const read = fs.readSync(file, target, at, target.length - at, offset + at);
      if (read === 0) break;
      at += read;
    }
    return at;
  },
  write(file, bytes, offset) {
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(file, bytes, at, bytes.length - at, offset + at);
  },
  sync: (file) => fs.fdatasyncSync(file),
  close: (file) => fs.closeSync(file),
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (path) => fs.unlinkSync(path),
  syncFolder(path) {
    const folder = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(folder);
    } finally {
      fs.closeSync(folder);
    }
  },
};
