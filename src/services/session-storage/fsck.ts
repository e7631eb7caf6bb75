/** Checks a store that is not running, all of it at once: what `lucid fsck` does. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { chunkPath, LEAVES_PATH, parseBundlePath } from '#evidence/bundle-layout.ts';
import { isSessionId } from '#evidence/fields.ts';
import { FormatError } from '#evidence/format-error.ts';
import { openDatabase } from '#platform/database.ts';
import type { Log } from '#platform/log.ts';
import { Archive } from './archive.ts';
import { checkSession } from './check-session.ts';
import { migrations, type Tables } from './database.ts';
import { exists } from './durable-write.ts';
import { EvidenceStore } from './evidence-store.ts';
import { readLeaves } from './leaf-file.ts';
import { ProblemList } from './problem-list.ts';
import { readFacts } from './session-facts.ts';
import { SessionIndex } from './session-index.ts';
import type { SessionPlace } from './session-place.ts';

const INDEX = 'index.sqlite';
const STORED_PARTS = ['open', 'partial', 'close', 'leaves', 'acts', 'tombstone', 'key', 'chunk'];

export interface FsckOptions {
  /** The store's, used by no other process. */
  folder: string;
  archiveFolder: string | null;
  /** Makes the index anew, and keeps what is wrong among its problems. */
  rebuild: boolean;
  log: Log;
  onProgress?: (done: { sessions: number; of: number; bytes: number }) => void;
}

export interface FsckReport {
  sessions: number;
  files: number;
  /** Read. */
  bytes: number;
  /** Where, and what is wrong. */
  problems: { where: string; what: string }[];
  rebuilt: boolean;
}

/**
 * Reads every session's files, and compares the index with them.
 * @throws Error when the folder holds no store, or cannot be read
 */
export async function checkStore(options: FsckOptions): Promise<FsckReport> {
  const { folder, rebuild, log } = options;
  const sessions = join(folder, 'sessions');
  if (!(await exists(sessions))) throw new Error(`${folder} holds no store: there is no folder sessions in it`);
  // Pending moves go with the index; they can be asked for again.
  if (rebuild) for (const end of ['', '-wal', '-shm']) await rm(join(folder, INDEX + end), { force: true });
  const database = await openDatabase<Tables>(join(folder, INDEX), migrations);
  try {
    const index = new SessionIndex(database);
    const archive = options.archiveFolder === null ? null : new Archive(options.archiveFolder);
    const store = new EvidenceStore(sessions, archive, index);
    const problems = new ProblemList(database);
    if (rebuild) await store.reconcile(log);
    return await new Fsck(options, store, problems).run();
  } finally {
    await database.destroy();
  }
}

class Fsck {
  readonly #options: FsckOptions;
  readonly #store: EvidenceStore;
  readonly #problems: ProblemList;
  readonly #report: FsckReport;

  constructor(options: FsckOptions, store: EvidenceStore, problems: ProblemList) {
    this.#options = options;
    this.#store = store;
    this.#problems = problems;
    this.#report = { sessions: 0, files: 0, bytes: 0, problems: [], rebuilt: options.rebuild };
  }

  async run(): Promise<FsckReport> {
    const indexed = await this.#store.index.settled();
    const names = (await readdir(this.#store.folder)).sort();
    for (const name of names) {
      if (!isSessionId(name)) {
        this.#add(`sessions/${name}`, 'is no session');
        continue;
      }
      await this.#check(this.#store.place(name));
      await this.#compare(name, indexed.get(name));
      indexed.delete(name);
      this.#report.sessions++;
      this.#options.onProgress?.({ sessions: this.#report.sessions, of: names.length, bytes: this.#report.bytes });
    }
    for (const id of indexed.keys()) this.#add(id, 'is in the index, but has no folder');
    return this.#report;
  }

  async #check(place: SessionPlace): Promise<void> {
    const { session } = place;
    const isReachable = await this.#store.demandContents(session).then(
      () => true,
      (error) => {
        this.#add(session, error.message);
        return false;
      },
    );
    const beforeRead = async (bytes: number) => {
      this.#report.bytes += bytes;
    };
    for await (const file of checkSession(place, { beforeRead })) {
      this.#report.files++;
      const isChunk = parseBundlePath(file.path)?.part === 'chunk';
      if (isChunk && !isReachable) continue;
      if (file.problem) this.#add(`${session}/${file.path}`, file.problem.what);
      if (this.#options.rebuild) await this.#problems.note(session, file);
    }
    for await (const { path, what } of strayFiles(place)) this.#add(`${session}/${path}`, what);
  }

  /** @param isSettled whether the index says that it can be relied on; undefined: it does not have the session */
  async #compare(id: string, isSettled: boolean | undefined): Promise<void> {
    if (isSettled === undefined) return this.#add(id, 'is not in the index: rebuild it');
    if (!isSettled) return;
    try {
      const { session_id: _, moving: __, ...row } = (await this.#store.index.get(id))!;
      const facts = await readFacts(id, this.#store.place(id).home);
      if (!isDeepStrictEqual(row, facts)) this.#add(id, 'the index says something else than the files: rebuild it');
    } catch (error) {
      // Named already, as what it is.
      if (!(error instanceof FormatError)) throw error;
    }
  }

  #add(where: string, what: string): void {
    this.#report.problems.push({ where, what });
  }
}

/** Files that no leaf and no entry speaks of: left over, or put there by someone. */
async function* strayFiles({ home }: SessionPlace): AsyncGenerator<{ path: string; what: string }> {
  const next = new Map<string, number>();
  try {
    for await (const leaves of readLeaves(join(home, LEAVES_PATH))) {
      for (const { leaf } of leaves) next.set(leaf.stream, leaf.index + 1);
    }
  } catch {
    // Damaged leaves are named where they are checked; which chunks are strays nobody can tell then.
    return;
  }
  for (const entry of await readdir(home, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory() && entry.parentPath === home) continue;
    const path = join(entry.parentPath, entry.name).slice(home.length + 1);
    const part = parseBundlePath(path);
    if (part === null || !STORED_PARTS.includes(part.part)) yield { path, what: 'no file of a session is called so' };
    else if (part.part === 'chunk' && part.index >= (next.get(part.stream) ?? 0)) {
      yield { path: chunkPath(part), what: 'has no leaf: its storing was interrupted' };
    }
  }
}
