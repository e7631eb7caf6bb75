/** zstd as chunks use it (docs/recording-format.md, Chunks), and whether it pays. */
import { constants, zstdCompressSync } from 'node:zlib';

/** zstd pays when it saves at least this share. */
const WORTHWHILE_SAVING = 1 / 32;
/** Shorter runs are tried as a whole. */
const MIN_SAMPLED_BYTES = 4 * 1024 * 1024;
/** The part of a run that is looked at, as a power of two (a sixteenth), and the length of the slices that make it up. */
const SAMPLE_LOG = 4;
const SLICE_BYTES = 16 * 1024;
const SAMPLE_LEVEL = 1;

export interface ZstdOptions {
  /** 1 to 19. */
  readonly level: number;
  /** Of the window, as a power of two. */
  readonly windowLog: number;
  /** Looks for long repetitions at any distance within the window. */
  readonly isLong: boolean;
}

/**
 * Compresses a run where that pays.
 * @returns null when it saves less than a thirty-second part, or a sample says that it would
 */
export function compressIfWorthwhile(records: Uint8Array, options: Omit<ZstdOptions, 'isLong'>): Buffer | null {
  if (records.length >= MIN_SAMPLED_BYTES && estimateSaving(records, options.windowLog) < WORTHWHILE_SAVING)
    return null;
  const compressed = zstd(records, { ...options, isLong: true });
  return compressed.length <= records.length * (1 - WORTHWHILE_SAVING) ? compressed : null;
}

/**
 * The share that zstd may save, estimated from slices that are spread over the run: what each has in itself, and what they
 * have in common. A repetition shows in a sample only when both places are in it, so that what is common counts as often as
 * the sample is smaller than the run: an estimate that is rather too high than too low.
 */
function estimateSaving(records: Uint8Array, windowLog: number): number {
  const slices = sliceEvenly(records);
  const sample = Buffer.concat(slices);
  // What is too far apart in the run is to be too far apart in the sample.
  const options = { level: SAMPLE_LEVEL, windowLog: windowLog - SAMPLE_LOG };
  const alone = slices.reduce(
    (sum, slice) => sum + Math.min(slice.length, zstd(slice, { ...options, isLong: false }).length),
    0,
  );
  const together = zstd(sample, { ...options, isLong: true }).length;
  const own = 1 - alone / sample.length;
  const common = Math.max(0, alone - together) / sample.length;
  return own + common * (records.length / sample.length);
}

/**
 * Slices from all over the run, one from each part of it. Their places within the parts are such that no distance is
 * preferred or left out: something that comes again after any fixed distance is in two of them sooner or later.
 */
function sliceEvenly(records: Uint8Array): Uint8Array[] {
  const count = Math.floor(records.length / 2 ** SAMPLE_LOG / SLICE_BYTES);
  const part = records.length / count;
  return Array.from({ length: count }, (_, i) => {
    const at = Math.floor(i * part + ((i * i * Math.SQRT2) % 1) * (part - SLICE_BYTES));
    return records.subarray(at, at + SLICE_BYTES);
  });
}

/** Compresses bytes as one frame. */
export function zstd(bytes: Uint8Array, { level, windowLog, isLong }: ZstdOptions): Buffer {
  return zstdCompressSync(bytes, {
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_windowLog]: windowLog,
      ...(isLong && { [constants.ZSTD_c_enableLongDistanceMatching]: 1 }),
    },
    chunkSize: compressBound(bytes.length),
    pledgedSrcSize: bytes.length,
  });
}

/** Room for all of zstd's output: then it works straight from input to output, in two thirds of the time. */
function compressBound(length: number): number {
  return length + (length >> 8) + 64 * 1024;
}
