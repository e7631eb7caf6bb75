/** Checks a session's files against each other: what scrub, fsck and the restoring of a backup are made of. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ServiceError } from '#contract/errors.ts';
import {
  CLOSE_PATH,
  chunkPath,
  keyPath,
  LEAVES_PATH,
  OPEN_PATH,
  partialPath,
  TOMBSTONE_PATH,
} from '#evidence/bundle-layout.ts';
import type { CloseEntry, Entry, OpenEntry } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import { hashLeaf, type Leaf } from '#evidence/leaf.ts';
import { equal, MerkleTree } from '#evidence/merkle.ts';
import { sha256 } from '#evidence/node/hash.ts';
import type { Stream } from '#evidence/record.ts';
import { toHex } from '#evidence/text.ts';
import type { Tombstone } from '#evidence/tombstone.ts';
import { diskError } from './durable-write.ts';
import { FactFiles } from './fact-files.ts';
import { readLeaves } from './leaf-file.ts';
import { readEntry } from './session-facts.ts';
import type { SessionPlace } from './session-place.ts';

export const PROBLEM_KINDS = ['missing', 'unreadable', 'size', 'content'] as const;

/** What is wrong with a file. */
export interface Problem {
  readonly kind: (typeof PROBLEM_KINDS)[number];
  /** What was found and what was wanted. */
  readonly what: string;
}

/** A file that was looked at. */
export interface CheckedFile {
  /** Within the session's folder. */
  readonly path: string;
  /** Null: it is as it must be. */
  readonly problem: Problem | null;
  /** How far the leaves have been gone through, in bytes of `leaves.txt`: where a later check may go on. */
  readonly reached: number;
}

export interface CheckOptions {
  /** Chunks whose leaves stand before this byte of `leaves.txt` are not read. */
  readonly from?: number;
  /** Called before so many bytes are read: it may take its time. */
  readonly beforeRead?: (bytes: number) => Promise<void>;
}

const PIECE_BYTES = 1024 * 1024;

/**
 * Looks at every file that entries and leaves speak of, and reads each chunk. Signatures are for verifiers.
 *
 * @throws ServiceError `unavailable` only when the session's folder cannot be read at all
 */
export function checkSession(place: SessionPlace, options: CheckOptions = {}): AsyncGenerator<CheckedFile> {
  return new SessionCheck(place, options).run();
}

class SessionCheck {
  readonly #place: SessionPlace;
  readonly #from: number;
  readonly #beforeRead: (bytes: number) => Promise<void>;
  readonly #tree = new MerkleTree(sha256);
  readonly #next = new Map<Stream, number>();
  #reached = 0;
  #partials = 0;
  /** Leaves that the next partial entry speaks of, and its root. */
  #signed: { leaves: number; root: Uint8Array } | null = null;

  constructor(place: SessionPlace, { from = 0, beforeRead = async () => {} }: CheckOptions) {
    this.#place = place;
    this.#from = from;
    this.#beforeRead = beforeRead;
  }

  async *run(): AsyncGenerator<CheckedFile> {
    const open = yield* this.#entry(OPEN_PATH, 'lucid/open/v1', false);
    const close = yield* this.#entry(CLOSE_PATH, 'lucid/close/v1', true);
    const tombstone = yield* this.#tombstone(close);
    if (tombstone === null) yield* this.#keys(open);
    yield* await this.#nextPartial(close);
    yield* this.#leaves(close, tombstone !== null);
    yield* this.#ends(close);
  }

  async *#entry<K extends Entry['kind']>(
    path: string,
    kind: K,
    isOptional: boolean,
  ): AsyncGenerator<CheckedFile, Extract<Entry, { kind: K }> | null> {
    try {
      const entry = await readEntry(this.#place.home, path);
      if (entry === null) {
        yield this.#told(path, isOptional ? null : MISSING);
        return null;
      }
      const isRight = entry.kind === kind && entry.session === this.#place.session;
      const what = `holds a ${entry.kind} of session ${entry.session}`;
      yield this.#told(path, isRight ? null : contentProblem(what));
      return isRight ? (entry as Extract<Entry, { kind: K }>) : null;
    } catch (error) {
      yield this.#told(path, problemOf(error));
      return null;
    }
  }

  async *#tombstone(close: CloseEntry | null): AsyncGenerator<CheckedFile, Tombstone | null> {
    try {
      const tombstone = await new FactFiles(this.#place.session, this.#place.home).tombstone();
      const isRight = tombstone === null || (close !== null && equal(tombstone.root, close.root));
      yield this.#told(TOMBSTONE_PATH, isRight ? null : contentProblem(`is of another recording than ${CLOSE_PATH}`));
      return tombstone;
    } catch (error) {
      yield this.#told(TOMBSTONE_PATH, problemOf(error));
      return null;
    }
  }

  async *#keys(open: OpenEntry | null): AsyncGenerator<CheckedFile> {
    for (const { name, file } of open?.keys ?? []) yield await this.#contents(keyPath(name), null, file);
  }

  async *#leaves(close: CloseEntry | null, isDeleted: boolean): AsyncGenerator<CheckedFile> {
    const { home, session } = this.#place;
    try {
      for await (const leaves of readLeaves(join(home, LEAVES_PATH))) {
        for (const { leaf, end } of leaves) {
          const next = this.#next.get(leaf.stream) ?? 0;
          if (leaf.session !== session) throw new FormatError('leaf.session', `${leaf.session}, wanted ${session}`);
          if (leaf.index !== next)
            throw new FormatError('leaf.index', `${leaf.index} of ${leaf.stream}, wanted ${next}`);
          this.#next.set(leaf.stream, next + 1);
          this.#tree.append(hashLeaf(sha256, leaf));
          this.#reached = end;
          if (!isDeleted && end > this.#from) yield await this.#chunk(leaf);
          if (this.#tree.size !== this.#signed?.leaves) continue;
          yield this.#root();
          yield* await this.#nextPartial(close);
        }
      }
    } catch (error) {
      yield this.#told(LEAVES_PATH, problemOf(error));
    }
  }

  #chunk(leaf: Leaf): Promise<CheckedFile> {
    return this.#contents(chunkPath(leaf), leaf.storedBytes, leaf.sha256);
  }

  /** The leaves so far must have the root of the partial entry that speaks of them. */
  #root(): CheckedFile {
    const { root } = this.#signed!;
    const path = partialPath(this.#partials - 1);
    if (equal(this.#tree.root(), root)) return this.#told(path, null);
    const what = `its root ${toHex(root)} is not that of the first ${this.#tree.size} leaves`;
    return this.#told(path, contentProblem(what));
  }

  /** Goes on to the next partial entry that can be read. @returns those on the way that cannot */
  async #nextPartial(close: CloseEntry | null): Promise<CheckedFile[]> {
    const { home, session } = this.#place;
    const wrong: CheckedFile[] = [];
    this.#signed = null;
    while (this.#signed === null && this.#partials < (close?.partials ?? Number.POSITIVE_INFINITY)) {
      const path = partialPath(this.#partials);
      try {
        const entry = await readEntry(home, path);
        // Of a live session nobody knows how many there are.
        if (entry === null && close === null) break;
        this.#partials++;
        if (entry === null) wrong.push(this.#told(path, MISSING));
        else if (entry.kind !== 'lucid/partial/v1' || entry.session !== session) {
          wrong.push(this.#told(path, contentProblem(`holds a ${entry.kind} of session ${entry.session}`)));
        } else if (entry.leaves <= this.#tree.size) {
          const what = `speaks of ${entry.leaves} leaves, the one before of ${this.#tree.size}`;
          wrong.push(this.#told(path, contentProblem(what)));
        } else this.#signed = entry;
      } catch (error) {
        this.#partials++;
        wrong.push(this.#told(path, problemOf(error)));
      }
    }
    return wrong;
  }

  async *#ends(close: CloseEntry | null): AsyncGenerator<CheckedFile> {
    const { size } = this.#tree;
    if (close !== null && (close.leaves !== size || !equal(close.root, this.#tree.root()))) {
      const what = `${size} leaves with root ${toHex(this.#tree.root())}, ${CLOSE_PATH} signs ${close.leaves} with root`;
      yield this.#told(LEAVES_PATH, contentProblem(`${what} ${toHex(close.root)}`));
    } else if (this.#signed !== null && this.#signed.leaves > size) {
      const what = `${size} leaves, ${partialPath(this.#partials - 1)} signs ${this.#signed.leaves}`;
      yield this.#told(LEAVES_PATH, contentProblem(what));
    } else yield this.#told(LEAVES_PATH, null);
  }

  /** Reads a file through. @param size in bytes; null: nobody knows */
  async #contents(path: string, size: number | null, wanted: Uint8Array): Promise<CheckedFile> {
    try {
      const file = await this.#place.open(path);
      try {
        const found = (await file.stat()).size;
        if (size !== null && found !== size) {
          return this.#told(path, { kind: 'size', what: `${found} bytes, its leaf says ${size}` });
        }
        const hash = createHash('sha256');
        const buffer = Buffer.alloc(Math.min(found, PIECE_BYTES));
        for (let at = 0; at < found; ) {
          await this.#beforeRead(Math.min(buffer.length, found - at));
          const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
          if (bytesRead === 0) return this.#told(path, { kind: 'size', what: `ends after ${at} of ${found} bytes` });
          hash.update(buffer.subarray(0, bytesRead));
          at += bytesRead;
        }
        const sum = hash.digest();
        if (equal(sum, wanted)) return this.#told(path, null);
        return this.#told(path, contentProblem(`its SHA-256 is ${toHex(sum)}, wanted ${toHex(wanted)}`));
      } finally {
        await file.close();
      }
    } catch (error) {
      return this.#told(path, problemOf(error));
    }
  }

  #told(path: string, problem: Problem | null): CheckedFile {
    return { path, problem, reached: Math.max(this.#reached, this.#from) };
  }
}

const MISSING: Problem = { kind: 'missing', what: 'is missing' };

function contentProblem(what: string): Problem {
  return { kind: 'content', what };
}

function problemOf(error: unknown): Problem {
  if (error instanceof FormatError) return contentProblem(error.message);
  if (error instanceof ServiceError && error.code === 'not_found') return MISSING;
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return MISSING;
  return { kind: 'unreadable', what: diskError(error).message };
}
