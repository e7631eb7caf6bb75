/** Makes a store of a backup. It is there whole and checked, or not at all. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isArchived } from '#evidence/act.ts';
import { parseBundlePath, SUMS_PATH } from '#evidence/bundle-layout.ts';
import { isSessionId } from '#evidence/fields.ts';
import { FormatError } from '#evidence/format-error.ts';
import { readTar, type TarMember } from '#evidence/node/tar-stream.ts';
import { quote } from '#evidence/text.ts';
import { type BackupManifest, MANIFEST_PATH, MAX_MANIFEST_BYTES, parseManifest } from './backup-manifest.ts';
import { checkSession } from './check-session.ts';
import { exists, makeFolder, syncFolder } from './durable-write.ts';
import { FactFiles } from './fact-files.ts';
import { SessionPlace } from './session-place.ts';

const RESTORED_PARTS = ['open', 'partial', 'close', 'leaves', 'acts', 'tombstone', 'key', 'chunk', 'sums'];
/** Damages that are told in full. */
const NAMED = 20;

export interface RestoredStore {
  /** When the backup began. */
  time: string;
  sessions: number;
  files: number;
  bytes: number;
  /** Files that were damaged when the backup was made: restored as they were then. */
  damaged: string[];
}

/** A session that has come whole. */
interface ReceivedSession {
  files: number;
  bytes: number;
  sums: string;
  /** Files that are not what was backed up. */
  wrong: string[];
  /** Files that do not agree with others, though they are what was backed up; chunks by their leaves alone. */
  damaged: string[];
}

/**
 * Restores a backup into an empty store. Everything is checked: each file against the sums, each session's leaves,
 * entries, keys and chunks against each other, and all of it against the manifest.
 *
 * @param folder of the store: nothing of it may be in use
 * @param onProgress told the bytes that have come
 * @throws Error when the store is not empty or a file cannot be written; FormatError naming what is wrong with the backup.
 *   The store is as empty as before then
 */
export async function restoreBackup(
  stream: AsyncIterable<Uint8Array>,
  folder: string,
  onProgress: (bytes: number) => void = () => {},
): Promise<RestoredStore> {
  const target = join(folder, 'sessions');
  const kept = await readdir(target).catch(() => []);
  if (kept.length > 0) throw new Error(`${target} is not empty: a backup is restored into an empty store`);
  const staging = join(folder, 'sessions.restoring');
  await rm(staging, { recursive: true, force: true });
  await makeFolder(staging);
  try {
    const restored = await new Restoring(staging, onProgress).run(stream);
    // An index of another store would be in the way; the next start makes a new one.
    for (const end of ['', '-wal', '-shm']) await rm(join(folder, `index.sqlite${end}`), { force: true });
    await rename(staging, target);
    await syncFolder(folder);
    return restored;
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

class Restoring {
  readonly #folder: string;
  readonly #onProgress: (bytes: number) => void;
  readonly #sessions = new Map<string, ReceivedSession>();
  #bytes = 0;

  constructor(folder: string, onProgress: (bytes: number) => void) {
    this.#folder = folder;
    this.#onProgress = onProgress;
  }

  async run(stream: AsyncIterable<Uint8Array>): Promise<RestoredStore> {
    let manifest: BackupManifest | null = null;
    let current: { id: string; files: number; bytes: number } | null = null;
    for await (const member of readTar(stream)) {
      if (manifest !== null) throw new FormatError(MANIFEST_PATH, `${quote(member.path)} comes after it`);
      if (member.path === MANIFEST_PATH) {
        if (current !== null) throw new FormatError(`sessions/${current.id}`, `has no ${SUMS_PATH}`);
        manifest = await readManifest(member);
        continue;
      }
      const { id, path } = parsePath(member.path);
      if (current !== null && current.id !== id) throw new FormatError(`sessions/${current.id}`, `has no ${SUMS_PATH}`);
      if (this.#sessions.has(id)) throw new FormatError(`sessions/${id}`, 'comes twice');
      current ??= { id, files: 0, bytes: 0 };
      await this.#write(join(this.#folder, id, path), member);
      current.files++;
      current.bytes += member.size;
      if (path !== SUMS_PATH) continue;
      this.#sessions.set(id, { ...current, ...(await this.#finish(id, current.files)) });
      current = null;
    }
    if (manifest === null) throw new FormatError(MANIFEST_PATH, 'is missing: the backup broke off');
    return this.#compare(manifest);
  }

  async #write(path: string, { content }: TarMember): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, 'wx', 0o644);
    try {
      for await (const part of content) {
        await writeAll(file, part);
        this.#bytes += part.length;
        this.#onProgress(this.#bytes);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Checks a session that has come, and makes its folders durable. */
  async #finish(id: string, files: number): Promise<Pick<ReceivedSession, 'sums' | 'wrong' | 'damaged'>> {
    const home = join(this.#folder, id);
    const sums = await readFile(join(home, SUMS_PATH));
    const wrong = await checkSums(home, sums, files);
    const damaged: string[] = [];
    for await (const { path, problem } of checkSession(new SessionPlace(id, home, null))) {
      if (problem) damaged.push(`${path}: ${problem.what}`);
    }
    await rm(join(home, SUMS_PATH));
    const facts = new FactFiles(id, home);
    if (isArchived(await facts.acts())) {
      await facts.recordAct({ time: new Date().toISOString(), kind: 'restore', by: null, reason: 'from-backup' });
    }
    for (const entry of await readdir(home, { withFileTypes: true })) {
      if (entry.isDirectory()) await syncFolder(join(home, entry.name));
    }
    await syncFolder(home);
    return { sums: createHash('sha256').update(sums).digest('hex'), wrong, damaged };
  }

  #compare({ time, sessions, damaged }: BackupManifest): RestoredStore {
    const wrong: string[] = [];
    const known = new Set(damaged.map(({ id, path }) => `${id}/${path}`));
    const restored = { time, sessions: sessions.length, files: 0, bytes: 0, damaged: [] as string[] };
    for (const { id, files, bytes, sums } of sessions) {
      const received = this.#sessions.get(id);
      this.#sessions.delete(id);
      if (!received) wrong.push(`sessions/${id}: is missing; the manifest names it`);
      else if (received.files !== files || received.bytes !== bytes || received.sums !== sums) {
        wrong.push(
          `sessions/${id}: ${received.files} files of ${received.bytes} bytes, or their sums, are not the manifest's`,
        );
      }
      wrong.push(...(received?.wrong ?? []).map((problem) => `sessions/${id}/${problem}`));
      for (const problem of received?.damaged ?? []) {
        const path = problem.slice(0, problem.indexOf(': '));
        const isOld = parseBundlePath(path)?.part !== 'chunk' || known.has(`${id}/${path}`);
        (isOld ? restored.damaged : wrong).push(`sessions/${id}/${problem}`);
      }
      restored.files += files;
      restored.bytes += bytes;
    }
    for (const id of this.#sessions.keys()) wrong.push(`sessions/${id}: the manifest does not name it`);
    if (wrong.length === 0) return restored;
    const more = wrong.length > NAMED ? `\nand ${wrong.length - NAMED} more` : '';
    throw new FormatError('the backup is not whole', `\n${wrong.slice(0, NAMED).join('\n')}${more}`);
  }
}

/** `sessions/<id>/<path>`, where path is one that a session has. */
function parsePath(path: string): { id: string; path: string } {
  const [top, id, ...rest] = path.split('/');
  const own = rest.join('/');
  const part = parseBundlePath(own)?.part;
  if (top === 'sessions' && isSessionId(id ?? '') && part && RESTORED_PARTS.includes(part)) return { id, path: own };
  throw new FormatError('backup', `${quote(path)} is no file of a backup`);
}

async function readManifest({ size, content }: TarMember): Promise<BackupManifest> {
  if (size > MAX_MANIFEST_BYTES) throw new FormatError(MANIFEST_PATH, `${size} bytes, at most ${MAX_MANIFEST_BYTES}`);
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return parseManifest(Buffer.concat(parts));
}

/** SHA256SUMS must list what came, and nothing else; chunks are checked against their leaves instead. */
async function checkSums(home: string, sums: Buffer, files: number): Promise<string[]> {
  const problems: string[] = [];
  const lines = sums.toString('latin1').split('\n');
  lines.pop();
  // SHA256SUMS does not list itself.
  let unlisted = files - 1;
  for (const line of lines) {
    const [sum, path = ''] = line.split('  ');
    const part = parseBundlePath(path)?.part;
    if (!part || !RESTORED_PARTS.includes(part)) return [`${SUMS_PATH}: ${quote(line)} is no sum of a file`];
    const file = join(home, path);
    const isThere = await exists(file);
    if (isThere) unlisted--;
    if (part === 'chunk') continue;
    if (!isThere) problems.push(`${path}: is missing`);
    else if ((await sumOf(file)) !== sum) problems.push(`${path}: is not what was backed up`);
  }
  if (unlisted !== 0) problems.push(`${SUMS_PATH}: does not list ${unlisted} of the files that came`);
  return problems;
}

async function sumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest('hex');
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}
