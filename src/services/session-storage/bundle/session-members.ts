/** A session's files, as a bundle or a backup has them, without holding their list in memory. */
import { createHash } from 'node:crypto';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '#contract/errors.ts';
import {
  ACTS_PATH,
  CLOSE_PATH,
  chunkPath,
  LEAVES_PATH,
  OPEN_PATH,
  parseBundlePath,
  partialPath,
  SUMS_PATH,
  TOMBSTONE_PATH,
} from '#evidence/bundle-layout.ts';
import { byBytes } from '#evidence/node/bundle-source.ts';
import { STREAMS, type Stream } from '#evidence/record.ts';
import { toHex } from '#evidence/text.ts';
import { leavesError } from '../chunks.ts';
import { readLeaves } from '../leaf-file.ts';
import type { SessionPlace } from '../session-place.ts';
import { fileMember, type Member, memoryMember } from './member.ts';

const MAX_SMALL_FILE_BYTES = 1024 * 1024;
/** A line of SHA256SUMS, its path left out. */
const SUM_LINE_BYTES = 64 + 2 + 1;

export interface MemberOptions {
  /** `backup`: acts too. */
  readonly purpose: 'bundle' | 'backup';
  /** Files that are put in beside the store's. */
  readonly added: readonly Member[];
  /** Paths of chunks that are left out, since they are missing or cut off. */
  readonly damaged: ReadonlySet<string>;
}

/**
 * What is stored of a session at one moment: of a live one, the leaves until then, their chunks, and the entries that
 * speak of no more than these. Each member stays the same however often it is read.
 */
export class SessionMembers {
  readonly #place: SessionPlace;
  readonly #options: MemberOptions;
  /** All but leaves and chunks. */
  readonly small: readonly Member[];
  readonly #leaves: Member;

  private constructor(place: SessionPlace, options: MemberOptions, small: readonly Member[], leaves: Member) {
    this.#place = place;
    this.#options = options;
    this.small = small;
    this.#leaves = leaves;
  }

  /** @throws ServiceError `not_found`, `unavailable` */
  static async open(place: SessionPlace, options: MemberOptions): Promise<SessionMembers> {
    try {
      // Partial entries before the leaves: then none speaks of a leaf that is not taken along.
      const entries = [
        await readSmall(place, OPEN_PATH),
        ...(await readPartials(place)),
        await readSmall(place, CLOSE_PATH),
      ];
      const facts = [await readSmall(place, TOMBSTONE_PATH)];
      if (options.purpose === 'backup') facts.push(await readSmall(place, ACTS_PATH));
      const keys = await readKeys(place);
      const small = [...entries, ...facts, ...keys].filter((member) => member !== null);
      const leaves = fileMember(place, LEAVES_PATH, await wholeLines(join(place.home, LEAVES_PATH)));
      return new SessionMembers(place, options, [...small, ...options.added], leaves);
    } catch (error) {
      throw leavesError(error, place.session);
    }
  }

  /** Nothing was ever shown in the session. */
  get isEmpty(): boolean {
    return this.#leaves.size === 0 && !this.small.some(({ path }) => path === OPEN_PATH);
  }

  /** The session is over: its bytes do not change any more. */
  get isClosed(): boolean {
    return this.small.some(({ path }) => path === CLOSE_PATH);
  }

  get #isDeleted(): boolean {
    return this.small.some(({ path }) => path === TOMBSTONE_PATH);
  }

  /** Bytes of `leaves.txt` that are taken. */
  get leavesBytes(): number {
    return this.#leaves.size;
  }

  /** Every file, SHA256SUMS last. */
  async *all(): AsyncGenerator<Member> {
    let sumsBytes = 0;
    for (const member of [...this.small, this.#leaves]) {
      sumsBytes += SUM_LINE_BYTES + Buffer.byteLength(member.path);
      yield member;
    }
    for await (const chunk of this.#chunks(null)) {
      sumsBytes += SUM_LINE_BYTES + chunk.path.length;
      yield chunk;
    }
    yield this.#sums(sumsBytes);
  }

  /** @param stream of these chunks alone; null: all, in the order in which they were stored */
  async *#chunks(stream: Stream | null): AsyncGenerator<Member> {
    if (this.#isDeleted) return;
    const range = { to: this.#leaves.size };
    for await (const leaves of readLeaves(join(this.#place.home, LEAVES_PATH), range)) {
      for (const { leaf } of leaves) {
        if (stream !== null && leaf.stream !== stream) continue;
        const path = chunkPath(leaf);
        if (!this.#options.damaged.has(path)) yield fileMember(this.#place, path, leaf.storedBytes, toHex(leaf.sha256));
      }
    }
  }

  /** SHA256SUMS: what the leaves say of chunks is taken for granted, so that one that has changed is found out. */
  #sums(size: number): Member {
    const read = async function* (this: SessionMembers, from: number): AsyncGenerator<Uint8Array> {
      let at = 0;
      for await (const lines of this.#sumLines()) {
        const bytes = Buffer.from(lines);
        if (at + bytes.length > from) yield bytes.subarray(Math.max(0, from - at));
        at += bytes.length;
      }
    }.bind(this);
    return {
      path: SUMS_PATH,
      size,
      leafSum: null,
      read,
      async sha256() {
        const hash = createHash('sha256');
        for await (const piece of read(0)) hash.update(piece);
        return hash.digest('hex');
      },
    };
  }

  /** Sorted by the paths' bytes. Nothing but its chunks stands within a stream's folder, and these are in order. */
  async *#sumLines(): AsyncGenerator<string> {
    const members = [...this.small, this.#leaves].map((member) => ({ path: member.path, member, stream: null }));
    const streams = STREAMS.map((stream) => ({ path: `${stream}/`, member: null, stream }));
    for (const { member, stream } of [...members, ...streams].sort((a, b) => byBytes(a.path, b.path))) {
      if (member !== null) yield sumLine(member.path, await member.sha256());
      else {
        let lines = '';
        for await (const chunk of this.#chunks(stream)) {
          lines += sumLine(chunk.path, await chunk.sha256());
          if (lines.length < 65_536) continue;
          yield lines;
          lines = '';
        }
        yield lines;
      }
    }
  }
}

function sumLine(path: string, sum: string): string {
  return `${sum}  ${path}\n`;
}

async function readSmall(place: SessionPlace, path: string): Promise<Member | null> {
  try {
    const file = join(place.home, path);
    const { size } = await stat(file);
    if (size > MAX_SMALL_FILE_BYTES)
      throw new ServiceError('unavailable', `${path} of ${place.session}: ${size} bytes`);
    return memoryMember(path, await readFile(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function readPartials(place: SessionPlace): Promise<Member[]> {
  const numbers: number[] = [];
  for (const name of await namesIn(join(place.home, 'partial'))) {
    const part = parseBundlePath(`partial/${name}`);
    if (part?.part === 'partial') numbers.push(part.number);
  }
  const members: Member[] = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const path = partialPath(number);
    members.push(fileMember(place, path, (await stat(join(place.home, path))).size));
  }
  return members;
}

async function readKeys(place: SessionPlace): Promise<(Member | null)[]> {
  const paths = (await namesIn(join(place.home, 'keys')))
    .map((name) => `keys/${name}`)
    .filter((path) => parseBundlePath(path)?.part === 'key');
  return Promise.all(paths.map((path) => readSmall(place, path)));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Bytes of the file up to its last line feed: a line behind it is torn. */
async function wholeLines(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(Math.min(size, 4096));
    await file.read(tail, 0, tail.length, size - tail.length);
    return size - tail.length + tail.lastIndexOf(0x0a) + 1;
  } finally {
    await file.close();
  }
}
