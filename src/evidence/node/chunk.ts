/** Chunks: a run of records, compressed and encrypted (docs/recording-format.md, Chunks). */
import { createHash } from 'node:crypto';
import { constants, zstdDecompressSync } from 'node:zlib';
import { FormatError } from '#evidence/format-error.ts';
import type { ChunkEncoding } from '#evidence/leaf.ts';
import type { Stream } from '#evidence/record.ts';
import { AgeSealer, openBytes, sealedSize } from './age.ts';
import type { AgeIdentity } from './age-keys.ts';
import { MAX_RUN_BYTES, type RunSummary, summarizeRun } from './run.ts';
import { compressIfWorthwhile, zstd } from './zstd.ts';

/**
 * zstd's window, as a power of two: 16 MiB, since desktops repeat themselves after long pauses; 128 MiB, the most that
 * zstd opens unasked, for keyframes, where one picture of a large screen repeats the one before.
 */
const WINDOW_LOG = 24;
const KEYFRAMES_WINDOW_LOG = 27;
const DEFAULT_LEVEL = 3;
/** Size of the pieces in which zlib hands over what it decompresses. */
const ZSTD_PIECE_BYTES = 1024 * 1024;

/** What is to become a chunk. */
export interface SealRequest {
  readonly stream: Stream;
  /** The run: whole records, up to MAX_RUN_BYTES. */
  readonly records: Uint8Array;
  /** Public half of the session key that the stream is sealed with (`age1…`). */
  readonly recipient: string;
  /** zstd's compression level, 1 to 19; 0 stores the run as it is. */
  readonly level?: number;
}

/** A chunk, and what its leaf says of it. */
export interface SealedChunk {
  readonly encoding: ChunkEncoding;
  /** The file. */
  readonly bytes: Uint8Array;
  readonly sha256: Buffer;
  readonly summary: RunSummary;
}

/** A run that was compressed, where that pays, and is not encrypted yet. */
export interface PackedRun {
  readonly encoding: ChunkEncoding;
  readonly payload: Uint8Array;
  /** Bytes of the file that it becomes. */
  readonly storedBytes: number;
}

/**
 * Seals a run as a chunk. Synchronous: meant for a worker thread, off libuv's pool. Sealing the same run again gives other
 * bytes: a chunk that may have been stored is never sealed again.
 * @throws FormatError when the run does not hold together, or the recipient cannot be read
 */
export function sealChunk({ stream, records, recipient, level = DEFAULT_LEVEL }: SealRequest): SealedChunk {
  const summary = summarizeRun(records, stream);
  const packed = packRun(records, stream, level);
  const bytes = new Uint8Array(packed.storedBytes);
  return { encoding: packed.encoding, bytes, sha256: sealPacked(packed, recipient, bytes), summary };
}

/** Compresses a run when that pays. @param level as `SealRequest` */
export function packRun(records: Uint8Array, stream: Stream, level: number): PackedRun {
  const windowLog = stream === 'keyframes' ? KEYFRAMES_WINDOW_LOG : WINDOW_LOG;
  const compressed = level === 0 ? null : compressIfWorthwhile(records, { level, windowLog });
  const payload = compressed ?? records;
  return { encoding: compressed ? 'zst' : 'raw', payload, storedBytes: sealedSize(payload.length, 1) };
}

/**
 * Encrypts a packed run and hashes the file as it comes to be.
 * @param target of exactly `storedBytes`: becomes the file
 * @returns SHA-256 of the file
 * @throws FormatError when the recipient cannot be read
 */
export function sealPacked({ payload }: PackedRun, recipient: string, target: Uint8Array): Buffer {
  const hash = createHash('sha256');
  let at = 0;
  // Each part is copied and hashed while it is in the processor's cache, and its own memory is free for the next.
  const sealer = new AgeSealer([recipient], (part) => {
    target.set(part, at);
    at += part.length;
    hash.update(part);
  });
  sealer.update(payload);
  sealer.final();
  return hash.digest();
}

/** Bytes that keyframes take in a chunk, a little more than less. */
export function compressedSize(keyframes: Uint8Array): number {
  return zstd(keyframes, { level: 1, windowLog: KEYFRAMES_WINDOW_LOG, isLong: true }).length;
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
