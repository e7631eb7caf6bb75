/** Files that are whole or absent after a crash, written without blocking the thread. */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { ServiceError } from '#contract/errors.ts';

/** Ending of a file that is not complete: left over after a crash, it may be deleted. */
export const TEMPORARY_ENDING = '.tmp';

/** Bytes hashed and written at a time: other work gets its turn in between. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Writes `content` as the file `path`, making its folder where it is missing: temporary name, fsync, rename, fsync of the
 * folder. Durable when it resolves.
 *
 * @param sha256 hexadecimal hash that the bytes must have: checked on what is written, before the file gets its name
 * @throws ServiceError `invalid_request` when the hash is another; `storage_full`; `unavailable` when the disk fails
 */
export async function writeDurably(
  path: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  sha256?: string,
): Promise<void> {
  const temporary = path + TEMPORARY_ENDING;
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, 'w', 0o644);
    try {
      const found = await writeHashed(file, content instanceof Uint8Array ? piecesOf(content) : content);
      if (sha256 !== undefined && found !== sha256) {
        throw new ServiceError('invalid_request', `the bytes of ${basename(path)} hash to ${found}, wanted ${sha256}`);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw diskError(error);
  }
}

async function writeHashed(
  file: FileHandle,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) {
    hash.update(piece);
    for (let at = 0; at < piece.length; ) at += (await file.write(piece, at)).bytesWritten;
  }
  return hash.digest('hex');
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

/**
 * Appends to a file, durable when it resolves. What a failed append has left is cut off again.
 *
 * @param length bytes that the file has before
 * @throws ServiceError as `writeDurably`
 */
export async function appendDurably(path: string, length: number, bytes: Uint8Array): Promise<void> {
  try {
    const file = await open(path, 'r+');
    try {
      await file.truncate(length);
      for (let at = 0; at < bytes.length; ) {
        at += (await file.write(bytes, at, bytes.length - at, length + at)).bytesWritten;
      }
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw diskError(error);
  }
}

/**
 * Makes sure that a file which a crash has left stays as it is, name and all.
 *
 * @returns its size and hexadecimal SHA-256; null when there is none
 * @throws ServiceError `unavailable` when the disk fails
 */
export async function settleFile(path: string): Promise<{ bytes: number; sha256: string } | null> {
  try {
    const file = await open(path, 'r+');
    try {
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const piece of file.createReadStream({ autoClose: false, highWaterMark: PIECE_BYTES })) {
        hash.update(piece);
        bytes += piece.length;
      }
      await file.sync();
      await syncFolder(dirname(path));
      return { bytes, sha256: hash.digest('hex') };
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw diskError(error);
  }
}

/** Makes a folder and those above it, durably. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Makes new and lost names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Whether there is such a file. @throws ServiceError `unavailable` when the disk fails */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error) => {
      if (error.code === 'ENOENT') return false;
      throw diskError(error);
    },
  );
}

/** What a caller is told when the disk refuses. */
export function diskError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new ServiceError('storage_full', 'the disk of the store is full: free space, or move the store')
    : new ServiceError('unavailable', `the store's disk fails: ${message}`);
}
