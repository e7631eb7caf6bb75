import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readTar } from '#evidence/node/tar-stream.ts';

const SAFE_PATH = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,7}$/;

/**
 * Unpacks a bundle's tar stream (POSIX ustar) into a folder: plain files and folders with plain relative names, nothing
 * else.
 *
 * @returns how many files were written
 * @throws Error naming what is not as it should be
 */
export async function untar(stream: AsyncIterable<Uint8Array>, folder: string): Promise<number> {
  let files = 0;
  for await (const { path, content } of readTar(stream)) {
    if (!SAFE_PATH.test(path)) throw new Error(`the archive names a file ${JSON.stringify(path)}: refused`);
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await pipeline(Readable.from(content), createWriteStream(target, { flags: 'wx' }));
    files++;
  }
  return files;
}
