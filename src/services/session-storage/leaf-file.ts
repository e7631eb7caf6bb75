/** Reads `leaves.txt` a piece at a time: a session may have a million leaves, and many sessions are read at once. */
import { open } from 'node:fs/promises';
import { FormatError } from '#evidence/format-error.ts';
import { type Leaf, parseLeaf } from '#evidence/leaf.ts';
import type { Stream } from '#evidence/record.ts';
import { readUtf8 } from '#evidence/text.ts';

const LINE_FEED = 0x0a;
const PIECE_BYTES = 256 * 1024;

/** Whole lines of the file. */
interface Piece {
  /** Ends in a line feed. Valid until the next piece. */
  readonly lines: Buffer;
  /** Where they stand, in bytes from the file's start. */
  readonly offset: number;
}

/** A leaf and where its line ends, in bytes from the file's start: where the next one begins. */
export interface PlacedLeaf {
  readonly leaf: Leaf;
  readonly end: number;
}

export interface LeafRange {
  /** Where a line begins; 0 unless given. */
  readonly from?: number;
  /** Where to stop; the file's end unless given. */
  readonly to?: number;
}

/**
 * The file's leaves, some hundred at a time. A last line that a crash has torn is left out.
 *
 * @throws FormatError naming the byte where something else than a leaf stands; Error of `open` and `read`
 */
export async function* readLeaves(path: string, range: LeafRange = {}): AsyncGenerator<PlacedLeaf[]> {
  for await (const { lines, offset } of readPieces(path, range)) {
    const leaves: PlacedLeaf[] = [];
    for (let at = 0; at < lines.length; ) {
      const end = lines.indexOf(LINE_FEED, at);
      leaves.push({ leaf: leafOf(lines.subarray(at, end), offset + at), end: offset + end + 1 });
      at = end + 1;
    }
    yield leaves;
  }
}

/**
 * Finds a chunk's leaf.
 *
 * @returns null when there is none
 * @throws as `readLeaves`
 */
export async function findLeaf(path: string, session: string, stream: Stream, index: number): Promise<Leaf | null> {
  const beginning = Buffer.from(`lucid-leaf/v1 ${session} ${stream} ${index} `);
  for await (const { lines, offset } of readPieces(path, {})) {
    const at = lines.indexOf(beginning);
    if (at < 0) continue;
    return leafOf(lines.subarray(at, lines.indexOf(LINE_FEED, at)), offset + at);
  }
  return null;
}

async function* readPieces(path: string, { from = 0, to = Number.MAX_SAFE_INTEGER }: LeafRange): AsyncGenerator<Piece> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(PIECE_BYTES);
    for (let offset = from; offset < to; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, to - offset), offset);
      const lines = buffer.subarray(0, buffer.subarray(0, bytesRead).lastIndexOf(LINE_FEED) + 1);
      if (lines.length === 0) {
        if (bytesRead === buffer.length) throw new FormatError(`leaves.txt byte ${offset}`, 'a line without an end');
        return;
      }
      yield { lines, offset };
      offset += lines.length;
    }
  } finally {
    await file.close();
  }
}

function leafOf(line: Uint8Array, offset: number): Leaf {
  const field = `leaves.txt byte ${offset}`;
  try {
    return parseLeaf(readUtf8(line, field));
  } catch (cause) {
    if (cause instanceof FormatError && cause.field !== field) throw new FormatError(field, cause.message);
    throw cause;
  }
}
