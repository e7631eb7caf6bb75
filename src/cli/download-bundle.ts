import { createWriteStream, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ServiceError } from '#contract/errors.ts';
import { download } from './api.ts';
import { progressBar } from './progress.ts';
import { untar } from './untar.ts';

export interface Downloaded {
  path: string;
  bytes: number;
  /** Files unpacked; 1 for an archive. */
  files: number;
}

export interface DownloadOptions {
  path: string;
  format: 'tar' | 'zip';
  /** Into a folder; tar only. */
  unpack: boolean;
}

/**
 * Downloads a session's bundle as an archive, or unpacks it into a new folder while it comes. What is there under `path`
 * afterwards is whole: until then it has another name. An archive that broke off earlier goes on where it was, if it is
 * still the same.
 *
 * @throws Error when `path` exists already, or the download breaks off
 */
export async function downloadBundle(sessionId: string, options: DownloadOptions): Promise<Downloaded> {
  const { path, format, unpack } = options;
  if (existsSync(path)) throw new Error(`${path} exists already: give another --output`);
  const url = `/api/v1/sessions/${sessionId}/bundle?format=${format}`;
  if (!unpack) return { path, ...(await downloadFile(path, url)) };
  const result = await unpackTo(`${path}.part`, url);
  await rename(`${path}.part`, path);
  return { path, ...result };
}

/**
 * Downloads a file. It appears under `path` when it is whole; one that broke off earlier goes on where it was.
 * @param url path of the route
 * @throws Error when the download breaks off
 */
export async function downloadFile(path: string, url: string): Promise<Omit<Downloaded, 'path'>> {
  const result = await saveTo(`${path}.part`, url);
  await rename(`${path}.part`, path);
  await rm(tagFile(`${path}.part`), { force: true });
  return result;
}

async function unpackTo(folder: string, url: string): Promise<Omit<Downloaded, 'path'>> {
  const response = await download(url);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const counter = new ByteCounter();
  let files = 0;
  try {
    const bar = progressBar('downloading', lengthOf(response));
    await pipeline(response, counter, bar, async (source: AsyncIterable<Buffer>) => {
      files = await untar(source, folder);
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return { bytes: counter.bytes, files };
}

async function saveTo(file: string, url: string): Promise<Omit<Downloaded, 'path'>> {
  const response = await download(url, resumption(file)).catch((error) => {
    // The part is all of it, or more: nobody knows what else is in it.
    if (error instanceof ServiceError && error.code === 'range_not_satisfiable') return download(url);
    throw error;
  });
  const isResumed = response.statusCode === 206;
  const tag = response.headers.etag;
  // Only what has a name of its own can be asked for again.
  if (tag) writeFileSync(tagFile(file), tag);
  else await rm(tagFile(file), { force: true });
  const counter = new ByteCounter();
  const bar = progressBar(isResumed ? 'going on' : 'downloading', lengthOf(response));
  try {
    await pipeline(response, counter, bar, createWriteStream(file, { flags: isResumed ? 'a' : 'w' }));
  } catch (error) {
    if (!tag) await rm(file, { force: true });
    const advice = tag ? ': the same command goes on where it broke off' : '';
    throw new Error(`the download broke off (${(error as Error).message})${advice}`, { cause: error });
  }
  return { bytes: statSync(file).size, files: 1 };
}

/** Headers that ask for what is missing of an earlier download, if it is still the same archive. */
function resumption(file: string): Record<string, string> {
  if (!existsSync(file) || !existsSync(tagFile(file))) return {};
  const { size } = statSync(file);
  if (size === 0) return {};
  return { range: `bytes=${size}-`, 'if-range': readFileSync(tagFile(file), 'utf8') };
}

/** Names the archive that a part belongs to. */
function tagFile(file: string): string {
  return `${file}.etag`;
}

function lengthOf({ headers }: IncomingMessage): number | null {
  return headers['content-length'] === undefined ? null : Number(headers['content-length']);
}

class ByteCounter extends Transform {
  bytes = 0;

  override _transform(part: Buffer, _encoding: string, done: (error: null, part: Buffer) => void): void {
    this.bytes += part.length;
    done(null, part);
  }
}
