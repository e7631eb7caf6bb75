/** One session's evidence on disk: `leaves.txt` is the truth about its chunks, all else stands beside it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '#contract/errors.ts';
import type { StoredChunk } from '#contract/session-storage.ts';
import {
  CLOSE_PATH,
  chunkPath,
  entryPath,
  keyPath,
  LEAVES_PATH,
  OPEN_PATH,
  parseBundlePath,
} from '#evidence/bundle-layout.ts';
import { type Entry, parseEntry } from '#evidence/entry.ts';
import type { EntryLog, EntryPosition } from '#evidence/entry-log.ts';
import { FormatError } from '#evidence/format-error.ts';
import { formatLeaf, hashLeaf, type Leaf } from '#evidence/leaf.ts';
import { equal, MerkleTree } from '#evidence/merkle.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { parseNote } from '#evidence/note.ts';
import type { Stream } from '#evidence/record.ts';
import { fromHex, toHex, utf8 } from '#evidence/text.ts';
import { appendDurably, diskError, exists, makeFolder, settleFile, writeDurably } from './durable-write.ts';
import { findLeaf, readLeaves } from './leaf-file.ts';

/** Leaves so far, and the root over them. */
export interface TreeHead {
  leaves: number;
  root: string;
}

/** What a chunk's leaf says, besides its size. */
type NewChunk = Omit<StoredChunk, 'stream' | 'bytes'> & { stream: Stream };

/**
 * The evidence of one session, to be written to. What it keeps in memory does not grow with the session. Writing is done one call after another; the life of a chunk: file under a temporary name,
 * synced, renamed, folder synced, and only then its leaf.
 */
export class SessionFiles implements EntryLog {
  readonly session: string;
  readonly folder: string;
  readonly #tree = new MerkleTree(sha256);
  /** Number of the next chunk, by stream. */
  readonly #next = new Map<Stream, number>();
  #leavesBytes = 0;
  #storedBytes = 0;
  #closed = false;
  /** Writes that wait or run, one after another. */
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  private constructor(session: string, folder: string) {
    this.session = session;
    this.folder = folder;
  }

  /** Makes the folder of a new session; opens it when it is there. */
  static async create(session: string, folder: string): Promise<SessionFiles> {
    await makeFolder(folder).catch((error) => {
      throw diskError(error);
    });
    if (!(await exists(join(folder, LEAVES_PATH)))) await writeDurably(join(folder, LEAVES_PATH), new Uint8Array(0));
    return SessionFiles.open(session, folder);
  }

  /**
   * Reads what is on disk. A crash may have left a torn last line of `leaves.txt`, whose chunk was never acknowledged: the
   * next append overwrites it.
   *
   * @throws ServiceError `not_found`; FormatError when `leaves.txt` is damaged
   */
  static async open(session: string, folder: string): Promise<SessionFiles> {
    const files = new SessionFiles(session, folder);
    try {
      for await (const leaves of readLeaves(join(folder, LEAVES_PATH))) {
        for (const { leaf, end } of leaves) files.#add(leaf, end);
      }
      files.#closed = await exists(join(folder, CLOSE_PATH));
    } catch (error) {
      if (error instanceof FormatError) throw error;
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      throw isMissing ? new ServiceError('not_found', `nothing is stored of session ${session}`) : diskError(error);
    }
    return files;
  }

  /** Leaves so far. */
  get leaves(): number {
    return this.#tree.size;
  }

  /** Bytes of `leaves.txt` that stand for whole leaves. */
  get leavesBytes(): number {
    return this.#leavesBytes;
  }

  /** Bytes of all chunks. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** No write waits or runs. */
  get idle(): boolean {
    return this.#waiting === 0;
  }

  /**
   * Stores a sealed chunk and enters its leaf; both durable when it resolves. The same chunk again changes nothing.
   *
   * @throws ServiceError `invalid_request` when the bytes are not those of the hash, `conflict` when another chunk has
   *   this number or an earlier one is missing, `wrong_state` after the close entry, `storage_full`, `unavailable`
   */
  putChunk(chunk: NewChunk, bytes: Uint8Array): Promise<TreeHead> {
    const leaf = this.#leafOf(chunk, bytes.length);
    return this.#enter(leaf, () => writeDurably(join(this.folder, chunkPath(leaf)), bytes, chunk.sha256));
  }

  /**
   * Enters the leaf of a chunk whose file a crash has left without one: the file is hashed again, and never sealed again.
   *
   * @throws ServiceError `not_found` when no file with this hash lies in the chunk's place; else as `putChunk`
   */
  async adoptChunk(chunk: NewChunk): Promise<TreeHead> {
    const path = join(this.folder, chunkPath(this.#leafOf(chunk, 0)));
    const found = await settleFile(path);
    if (found?.sha256 !== chunk.sha256) {
      throw new ServiceError(
        'not_found',
        `no chunk ${chunk.index} of ${chunk.stream} with this hash lies in the store`,
      );
    }
    return this.#enter(this.#leafOf(chunk, found.bytes), async () => {});
  }

  #leafOf(chunk: NewChunk, storedBytes: number): Leaf {
    return {
      session: this.session,
      stream: chunk.stream,
      index: chunk.index,
      encoding: chunk.compression,
      storedBytes,
      sha256: fromHex(chunk.sha256, 32, 'sha256'),
      firstTime: chunk.first_us,
      lastTime: chunk.last_us,
      records: chunk.records,
    };
  }

  /** @param write makes the chunk's file durable */
  #enter(leaf: Leaf, write: () => Promise<void>): Promise<TreeHead> {
    return this.#inTurn(async () => {
      const name = `chunk ${leaf.index} of ${leaf.stream}`;
      const line = formatLeaf(leaf);
      const next = this.#next.get(leaf.stream) ?? 0;
      if (leaf.index < next) {
        const known = await findLeaf(join(this.folder, LEAVES_PATH), this.session, leaf.stream, leaf.index);
        if (known && formatLeaf(known) === line) return this.#head();
        throw new ServiceError('conflict', `${name} is stored with other bytes or another description`);
      }
      if (this.#closed) throw new ServiceError('wrong_state', `${name} came after the close entry`);
      if (leaf.index !== next) throw new ServiceError('conflict', `${name} came, chunk ${next} was expected`);
      if (leaf.lastTime < leaf.firstTime) throw new ServiceError('invalid_request', 'last_us is before first_us');
      await write();
      await appendDurably(join(this.folder, LEAVES_PATH), this.#leavesBytes, utf8(`${line}\n`));
      this.#add(leaf, this.#leavesBytes + line.length + 1);
      return this.#head();
    });
  }

  /**
   * Stores a session key that is encrypted to its recipients. The same bytes again change nothing; other bytes replace it
   * only until the open entry names it, so that an opening that broke off can be done again.
   *
   * @param name `screen`, or `screen.1` for a later grant
   * @throws ServiceError `invalid_request` for a name that no key has, `conflict` when other bytes are stored
   */
  async putKey(name: string, bytes: Uint8Array): Promise<void> {
    const path = `keys/${name}.age`;
    const part = parseBundlePath(path);
    if (part?.part !== 'key' || keyPath(part.key, part.grant) !== path) {
      throw new ServiceError('invalid_request', `no session key is called ${name}`);
    }
    return this.#inTurn(async () => {
      const isOpen = await exists(join(this.folder, OPEN_PATH));
      if (isOpen && (await this.#isStored(path, bytes))) return;
      await writeDurably(join(this.folder, path), bytes);
    });
  }

  /**
   * Takes a signed entry, which must agree with the chunks that are stored.
   *
   * @throws ServiceError `invalid_request` when the note is no entry of this session, `conflict` when another entry
   *   stands in its place or its leaves and root are not those of the store, `storage_full`, `unavailable`
   */
  append(note: string): Promise<EntryPosition> {
    return this.#inTurn(async () => {
      const bytes = utf8(note);
      const entry = this.#read(bytes);
      const path = entryPath(entry);
      const taken = await this.#isStored(path, bytes);
      if (!taken) {
        this.#check(entry);
        await writeDurably(join(this.folder, path), bytes);
      }
      if (entry.kind === 'lucid/close/v1') this.#closed = true;
      return { path, index: null };
    });
  }

  #read(bytes: Uint8Array): Entry {
    let entry: Entry;
    try {
      entry = parseEntry(parseNote(bytes).text);
    } catch (error) {
      if (error instanceof FormatError) throw new ServiceError('invalid_request', `not an entry: ${error.message}`);
      throw error;
    }
    if (entry.session === this.session) return entry;
    throw new ServiceError('invalid_request', `an entry of session ${entry.session} came for ${this.session}`);
  }

  #check(entry: Entry): void {
    if (this.#closed) throw new ServiceError('wrong_state', `${entry.kind} came after the close entry`);
    if (entry.kind === 'lucid/open/v1') return;
    if (entry.leaves !== this.#tree.size || !equal(entry.root, this.#tree.root())) {
      const { leaves, root } = this.#head();
      const found = `${entry.leaves} leaves with root ${toHex(entry.root)}`;
      throw new ServiceError('conflict', `${entry.kind} speaks of ${found}; stored are ${leaves} with root ${root}`);
    }
  }

  /** Whether `path` holds `bytes`. @throws ServiceError `conflict` when it holds others */
  async #isStored(path: string, bytes: Uint8Array): Promise<boolean> {
    const stored = await readFile(join(this.folder, path)).catch((error) => {
      if (error.code === 'ENOENT') return null;
      throw diskError(error);
    });
    if (stored === null) return false;
    if (stored.equals(bytes)) return true;
    throw new ServiceError('conflict', `${path} of session ${this.session} is stored with other content`);
  }

  /** @param end of the leaf's line, in bytes from the file's start */
  #add(leaf: Leaf, end: number): void {
    this.#tree.append(hashLeaf(sha256, leaf));
    this.#next.set(leaf.stream, leaf.index + 1);
    this.#leavesBytes = end;
    this.#storedBytes += leaf.storedBytes;
  }

  #head(): TreeHead {
    return { leaves: this.#tree.size, root: toHex(this.#tree.root()) };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const turn = this.#tail.then(work).finally(() => this.#waiting--);
    this.#tail = turn.catch(() => {});
    return turn;
  }
}

/** What the leaf says of its chunk. */
export function storedChunk(leaf: Leaf): StoredChunk {
  return {
    stream: leaf.stream,
    index: leaf.index,
    compression: leaf.encoding,
    bytes: leaf.storedBytes,
    sha256: toHex(leaf.sha256),
    first_us: leaf.firstTime,
    last_us: leaf.lastTime,
    records: leaf.records,
  };
}
