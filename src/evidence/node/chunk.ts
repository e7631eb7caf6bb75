/** Chunks: a run of records, compressed and encrypted (docs/recording-format.md, Chunks). */
import { createHash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { FormatError } from '#evidence/format-error.ts';
import type { ChunkEncoding } from '#evidence/leaf.ts';
import type { Stream } from '#evidence/record.ts';
import { AgeSealer, openBytes } from './age.ts';
import type { AgeIdentity } from './age-keys.ts';
import { MAX_RUN_BYTES, type RunSummary, summarizeRun } from './run.ts';

/**
 * zstd's window, as a power of two: 16 MiB, since desktops repeat themselves after long pauses; 128 MiB, the most that
 * zstd opens unasked, for keyframes, where one picture of a large screen repeats the one before.
 */
const WINDOW_LOG = 24;
const KEYFRAMES_WINDOW_LOG = 27;
const DEFAULT_LEVEL = 3;
/** Size of the pieces in which zlib hands over what it decompresses. */
const ZSTD_PIECE_BYTES = 1024 * 1024;
/** zstd pays when it saves at least this share. */
const WORTHWHILE_SAVING = 1 / 32;

/** What is to become a chunk. */
export interface SealRequest {
  readonly stream: Stream;
  /** The run: whole records, up to MAX_RUN_BYTES. */
  readonly records: Uint8Array;
  /** Public half of the session key that the stream is sealed with (`age1…`). */
  readonly recipient: string;
  /** zstd's compression level. */
  readonly level?: number;
}

/** A chunk, and what its leaf says of it. */
export interface SealedChunk {
  readonly encoding: ChunkEncoding;
  /** The file, in parts. */
  readonly parts: readonly Uint8Array[];
  readonly storedBytes: number;
  readonly sha256: Buffer;
  readonly summary: RunSummary;
}

/**
 * Seals a run as a chunk. Synchronous: meant for a worker thread, off libuv's pool. Sealing the same run again gives other
 * bytes: a chunk that may have been stored is never sealed again.
 * @throws FormatError when the run does not hold together, or the recipient cannot be read
 */
export function sealChunk({ stream, records, recipient, level = DEFAULT_LEVEL }: SealRequest): SealedChunk {
  const summary = summarizeRun(records, stream);
  const { encoding, bytes } = compress(records, level, stream === 'keyframes' ? KEYFRAMES_WINDOW_LOG : WINDOW_LOG);
  const hash = createHash('sha256');
  const parts: Uint8Array[] = [];
  let storedBytes = 0;
  const sealer = new AgeSealer([recipient], (part) => {
    hash.update(part);
    parts.push(part);
    storedBytes += part.length;
  });
  sealer.update(bytes);
  sealer.final();
  return { encoding, parts, storedBytes, sha256: hash.digest(), summary };
}

/** Compresses a run when that pays. */
function compress(
  records: Uint8Array,
  level: number,
  windowLog: number,
): { encoding: ChunkEncoding; bytes: Uint8Array } {
  const compressed = zstd(records, level, windowLog);
  return compressed.length <= records.length * (1 - WORTHWHILE_SAVING)
    ? { encoding: 'zst', bytes: compressed }
    : { encoding: 'raw', bytes: records };
}

/** Bytes that keyframes take in a chunk, a little more than less. */
export function compressedSize(keyframes: Uint8Array): number {
  return zstd(keyframes, 1, KEYFRAMES_WINDOW_LOG).length;
}

function zstd(bytes: Uint8Array, level: number, windowLog: number): Buffer {
  return zstdCompressSync(bytes, {
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_windowLog]: windowLog,
      [constants.ZSTD_c_enableLongDistanceMatching]: 1,
    },
    chunkSize: compressBound(bytes.length),
    pledgedSrcSize: bytes.length,
  });
}

/** Room for all of zstd's output: then it works straight from input to output, in two thirds of the time. */
function compressBound(length: number): number {
  return length + (length >> 8) + 64 * 1024;
}

/**
 * Opens a chunk's stored bytes.
 * @param stored the file
 * @param encoding as its name and leaf say: nothing else is accepted
 * @param identity the session key that the stream is sealed with
 * @returns the run
 * @throws FormatError
 */
export function openChunk(stored: Uint8Array, encoding: ChunkEncoding, identity: AgeIdentity): Buffer {
  const bytes = openBytes(stored, [identity]);
  if (encoding === 'raw') return bytes;
  try {
    return zstdDecompressSync(bytes, {
      maxOutputLength: MAX_RUN_BYTES,
      chunkSize: ZSTD_PIECE_BYTES,
      params: { [constants.ZSTD_d_windowLogMax]: 27 },
    });
  } catch (cause) {
    throw new FormatError('zstd', cause instanceof Error ? cause.message : String(cause));
  }
}
