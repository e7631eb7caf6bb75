/**
 * Leaves: the canonical line that stands for a chunk in its session's Merkle tree (docs/recording-format.md, Leaves).
 *
 * lucid-leaf/v1 <session> <stream> <index> <zst|raw> <stored bytes> <sha256> <first µs> <last µs> <records>
 */
import { wantId, wantNumber, wantWord } from './fields.ts';
import { FormatError } from './format-error.ts';
import { leafHash } from './merkle.ts';
import type { Sha256 } from './primitives.ts';
import { STREAMS, type Stream } from './record.ts';
import { fromHex, readUtf8, toHex, utf8 } from './text.ts';

/** How a chunk's records are stored inside the age file. */
export type ChunkEncoding = 'zst' | 'raw';

/** What a leaf says of a chunk. */
export interface Leaf {
  readonly session: string;
  readonly stream: Stream;
  /** Number of the chunk within its stream, from 0 up without gaps. */
  readonly index: number;
  readonly encoding: ChunkEncoding;
  /** Bytes of the stored file. */
  readonly storedBytes: number;
  /** SHA-256 of the stored file. */
  readonly sha256: Uint8Array;
  /** Time of the first and of the last record that is no repetition, in µs of the session's clock. */
  readonly firstTime: number;
  readonly lastTime: number;
  /** Records in the chunk, repetitions included. */
  readonly records: number;
}

/** File names have six digits. */
export const MAX_CHUNK_INDEX = 999_999;
/** The most leaves that a session may have. */
export const MAX_LEAVES = 1_000_000;
const MAX_LEAVES_BYTES = 256 * MAX_LEAVES;

/** The leaf's line, without line feed: its bytes are what is hashed. */
export function formatLeaf(leaf: Leaf): string {
  const { session, stream, index, encoding, storedBytes, sha256, firstTime, lastTime, records } = leaf;
  return `lucid-leaf/v1 ${session} ${stream} ${index} ${encoding} ${storedBytes} ${toHex(sha256)} ${firstTime} ${lastTime} ${records}`;
}

/**
 * Reads a leaf's line, without line feed.
 * @throws FormatError naming the field
 */
export function parseLeaf(line: string): Leaf {
  const fields = line.split(' ');
  if (fields[0] !== 'lucid-leaf/v1') throw new FormatError('leaf', 'does not begin with "lucid-leaf/v1 "');
  if (fields.length !== 10) throw new FormatError('leaf', `${fields.length} fields, wanted 10`);
  const leaf: Leaf = {
    session: wantId(fields[1], 'leaf.session'),
    stream: wantWord(fields[2], STREAMS, 'leaf.stream'),
    index: wantNumber(fields[3], 'leaf.index', MAX_CHUNK_INDEX),
    encoding: wantWord(fields[4], ['zst', 'raw'], 'leaf.encoding'),
    storedBytes: wantNumber(fields[5], 'leaf.storedBytes'),
    sha256: fromHex(fields[6], 32, 'leaf.sha256'),
    firstTime: wantNumber(fields[7], 'leaf.firstTime'),
    lastTime: wantNumber(fields[8], 'leaf.lastTime'),
    records: wantNumber(fields[9], 'leaf.records'),
  };
  if (leaf.lastTime < leaf.firstTime) throw new FormatError('leaf.lastTime', 'before firstTime');
  return leaf;
}

/** The leaf's hash in its session's Merkle tree. */
export function hashLeaf(sha256: Sha256, leaf: Leaf): Uint8Array {
  return leafHash(sha256, utf8(formatLeaf(leaf)));
}

/** `leaves.txt`: each leaf's line with a line feed. */
export function formatLeaves(leaves: readonly Leaf[]): string {
  return leaves.map((leaf) => `${formatLeaf(leaf)}\n`).join('');
}

/**
 * Reads `leaves.txt`.
 * @throws FormatError naming the line, counted from 1
 */
export function parseLeaves(bytes: Uint8Array): Leaf[] {
  if (bytes.length > MAX_LEAVES_BYTES) throw new FormatError('leaves.txt', `longer than ${MAX_LEAVES_BYTES} bytes`);
  const lines = readUtf8(bytes, 'leaves.txt').split('\n');
  if (lines.pop() !== '') throw new FormatError('leaves.txt', 'does not end with a line feed: truncated');
  if (lines.length > MAX_LEAVES) throw new FormatError('leaves.txt', `more than ${MAX_LEAVES} lines`);
  return lines.map((line, i) => {
    try {
      return parseLeaf(line);
    } catch (cause) {
      if (cause instanceof FormatError) throw new FormatError(`leaves.txt line ${i + 1}`, cause.message);
      throw cause;
    }
  });
}
