/**
 * What is derived from a run of screen records when it is sealed: keyframes to seek to and to check a replay against,
 * and the index that a timeline is drawn from. The decoder's state goes from run to run.
 */
import { constants, deflateSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { SealHead } from '#contract/chunk-processor.ts';
import { FormatError } from '#evidence/format-error.ts';
import { type KeyframePosition, type SecondOfActivity, type Thumbnail, writeIndex } from '#evidence/index-record.ts';
import { writeKeyframe } from '#evidence/keyframe.ts';
import { compressedSize } from '#evidence/node/chunk.ts';
import { sha256 } from '#evidence/node/hash.ts';
import {
  FLAG_REPEATED,
  MAX_BODY_BYTES,
  RecordType,
  readRecords,
  type SessionRecord,
  writeRecord,
} from '#evidence/record.ts';
import { readMarkerBody } from '#evidence/record-body.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import { DecodeError } from '#rdp/bytes.ts';
import { writePng } from '#rdp/graphics/png.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { shrink } from '#rdp/graphics/thumbnail.ts';

/** Between two keyframes of one run lie at least so many bytes of screen records, and so many µs. */
export const KEYFRAME_DISTANCE = 8 * 1024 * 1024;
export const KEYFRAME_INTERVAL = 4_000_000;
/** The part of a recording that keyframes may take. */
const KEYFRAME_SHARE = 0.15;
/** Bytes of one run's keyframes, pixels as they are. */
const MAX_KEYFRAMES_BYTES = 96 * 1024 * 1024;
/** Pixels of larger screens are compressed one by one, so that a keyframe stays within the limit of a record. */
const MAX_STORED_PIXELS = 10_000_000;
const THUMBNAIL_WIDTH = 160;
const THUMBNAIL_HEIGHT = 100;
/** Seconds that one index record describes at most: a run is cut after a minute. */
const MAX_SECONDS = 10_000;
/** The largest state: an 8K screen, a full pointer cache and fragments. */
const MAX_STATE_BYTES = 192 * 1024 * 1024;
/**
 * A server can ask for a screen's worth of painting in a kilobyte: whoever does so for so long goes without an index, and
 * does not hold up the sealing of other sessions.
 */
const PATIENCE_MS = 30_000;

/** What the sealer knows besides the records. */
export interface IndexRunOptions {
  /** Numbers that the chunks of this run get. */
  readonly nextIndex: { readonly screen: number; readonly keyframes: number };
  /** Stored bytes of the recording, this run's own chunk included, and how many of them are keyframes. */
  readonly storedBytes: { readonly all: number; readonly keyframes: number };
  readonly activity: SealHead['activity'];
  /** How long the run may take; 30 s unless given. */
  readonly patienceMs?: number;
}

/** What `indexRun` makes. */
export interface IndexedRun {
  /** Written records of the stream `keyframes`; none where they would take too much of the recording. */
  readonly keyframes: Uint8Array[];
  /** The written record of the stream `index`. */
  readonly index: Uint8Array;
  /** The decoder's state after the run, for the next one. */
  readonly state: Uint8Array;
  /** Bytes of this run's server PDUs that were read, and that could not be. */
  readonly decodedBytes: number;
  readonly undecodableBytes: number;
}

/**
 * Derives keyframes and index from a run.
 *
 * @param records a whole screen run, as it is sealed
 * @param state what the run before left; empty at the first
 * @throws FormatError when a record or the state is malformed, or decoding takes too long
 */
export function indexRun(records: Uint8Array, state: Uint8Array, options: IndexRunOptions): IndexedRun {
  return new RunIndexer(openState(state), state.length === 0, options).run(records);
}

function openState(state: Uint8Array): ScreenDecoder {
  if (state.length === 0) return new ScreenDecoder();
  let bytes: Uint8Array;
  try {
    bytes = zstdDecompressSync(state, { maxOutputLength: MAX_STATE_BYTES });
  } catch (cause) {
    throw new FormatError('decoder state', `cannot be decompressed: ${(cause as Error).message}`);
  }
  try {
    return ScreenDecoder.restore(bytes);
  } catch (cause) {
    if (cause instanceof DecodeError) throw new FormatError('decoder state', cause.message);
    throw cause;
  }
}

const deflate = (bytes: Uint8Array) => deflateSync(bytes);
/**
 * A keyframe's pixels are not compressed by themselves: the chunk is, and there one screen is mostly a repetition of the
 * one before. That makes keyframes of a desktop fifteen times smaller than compressing each.
 */
const store = (bytes: Uint8Array) => deflateSync(bytes, { level: constants.Z_NO_COMPRESSION });

interface Candidate {
  readonly written: Uint8Array;
  readonly position: Omit<KeyframePosition, 'offset'>;
  readonly thumbnail: Thumbnail;
}

class RunIndexer {
  readonly #decoder: ScreenDecoder;
  readonly #isFirst: boolean;
  readonly #options: IndexRunOptions;
  #keyframes: Candidate[] = [];
  readonly #markers: { time: number; kind: ReturnType<typeof readMarkerBody>['kind'] }[] = [];
  readonly #bytesBySecond = new Map<number, number>();
  #keyframesBytes = 0;

  constructor(decoder: ScreenDecoder, isFirst: boolean, options: IndexRunOptions) {
    this.#decoder = decoder;
    this.#isFirst = isFirst;
    this.#options = options;
  }

  run(records: Uint8Array): IndexedRun {
    const before = { ...this.#decoder.counts };
    let last: SessionRecord | null = null;
    let lastKeyframe = { end: 0, time: Number.NEGATIVE_INFINITY };
    const patienceMs = this.#options.patienceMs ?? PATIENCE_MS;
    const startedAt = performance.now();
    for (const { record, end } of readRecords(records, 'screen')) {
      // A config that is repeated at a chunk's head tells the recording's first size, not the present one.
      const isRepeated = (record.flags & FLAG_REPEATED) !== 0;
      if (!isRepeated || this.#isFirst) applyScreenRecord(this.#decoder, record);
      if (performance.now() - startedAt > patienceMs) {
        throw new FormatError('run', `takes longer than ${patienceMs / 1000} s to decode`);
      }
      if (isRepeated) continue;
      last = record;
      this.#count(record);
      const { time } = record;
      const isDue = end - lastKeyframe.end >= KEYFRAME_DISTANCE && time - lastKeyframe.time >= KEYFRAME_INTERVAL;
      if (isDue && end < records.length) {
        this.#addKeyframe(record, { screenChunk: this.#options.nextIndex.screen, screenOffset: end });
        lastKeyframe = { end, time };
      }
    }
    if (last === null) throw new FormatError('run', 'holds no record of its own');
    this.#addKeyframe(last, { screenChunk: this.#options.nextIndex.screen + 1, screenOffset: 0 });
    this.#thinOut();
    const { decoded, ignored, undecodable } = this.#decoder.counts;
    return {
      keyframes: this.#keyframes.map(({ written }) => written),
      index: this.#writeIndex(last),
      state: zstdCompressSync(this.#decoder.save(), { params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
      decodedBytes: decoded + ignored - before.decoded - before.ignored,
      undecodableBytes: undecodable - before.undecodable,
    };
  }

  #count(record: SessionRecord): void {
    if (record.type === RecordType.marker) {
      this.#markers.push({ time: record.time, kind: readMarkerBody(record.body).kind });
    }
    const second = Math.floor(record.time / 1_000_000);
    this.#bytesBySecond.set(second, (this.#bytesBySecond.get(second) ?? 0) + record.body.length);
  }

  /** Bytes that this run's keyframes may take when they are stored. */
  get #budget(): number {
    const { all, keyframes } = this.#options.storedBytes;
    return all * KEYFRAME_SHARE - keyframes;
  }

  /** Whatever it costs, a recording has one keyframe. */
  get #hasNone(): boolean {
    return this.#options.storedBytes.keyframes === 0;
  }

  /** Makes a keyframe of the screen after `record`, when there may be room for it. */
  #addKeyframe(record: SessionRecord, goesOn: Pick<KeyframePosition, 'screenChunk' | 'screenOffset'>): void {
    const { width, height, pixels } = this.#decoder;
    const isFull = this.#keyframesBytes + pixels.length > MAX_KEYFRAMES_BYTES;
    if (this.#budget <= 0 && !this.#hasNone) return;
    if (isFull && this.#keyframes.length > 0) return;
    const { time, seq } = record;
    const body = writeKeyframe({
      width,
      height,
      seq,
      sha256: sha256(pixels),
      png: writePng({ width, height, pixels }, width * height > MAX_STORED_PIXELS ? deflate : store),
      state: this.#decoder.save(false),
    });
    if (body.length > MAX_BODY_BYTES) return;
    const written = writeRecord({ type: RecordType.keyframe, flags: 0, time, seq, body });
    const small = shrink({ width, height, pixels }, THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT);
    const png = Buffer.from(writePng(small, deflate)).toString('base64');
    this.#keyframes.push({
      written,
      position: { seq, time, chunk: this.#options.nextIndex.keyframes, ...goesOn },
      thumbnail: { time, width: small.width, height: small.height, png },
    });
    this.#keyframesBytes += written.length;
  }

  /** Leaves out every second keyframe until the rest takes no more than its share. */
  #thinOut(): void {
    while (this.#keyframes.length > (this.#hasNone ? 1 : 0)) {
      const parts = this.#keyframes.map(({ written }) => written);
      if (compressedSize(Buffer.concat(parts)) <= this.#budget) return;
      const { length } = this.#keyframes;
      // The last one is kept longest: it is at the run's end, and the next run begins with it.
      this.#keyframes = length === 1 ? [] : this.#keyframes.filter((_, i) => (length - 1 - i) % 2 === 0);
    }
  }

  /** Where the keyframes stand in their run. */
  #positions(): KeyframePosition[] {
    let offset = 0;
    return this.#keyframes.map(({ position, written }) => {
      const here = { ...position, offset };
      offset += written.length;
      return here;
    });
  }

  #writeIndex(last: SessionRecord): Uint8Array {
    const { time, seq } = last;
    const body = writeIndex({
      version: 1,
      ...this.#activity(),
      markers: this.#markers,
      keyframes: this.#positions(),
      thumbnails: this.#keyframes.map(({ thumbnail }) => thumbnail),
    });
    return writeRecord({ type: RecordType.index, flags: 0, time, seq, body });
  }

  /** Every second from the first to the last in which something happened. */
  #activity(): { from: number; seconds: SecondOfActivity[] } {
    const inputs = new Map(this.#options.activity.map((counts) => [counts.second, counts]));
    const active = [...this.#bytesBySecond.keys(), ...inputs.keys()];
    const to = active.reduce((a, b) => Math.max(a, b));
    const from = Math.max(
      active.reduce((a, b) => Math.min(a, b)),
      to - MAX_SECONDS + 1,
    );
    const seconds = Array.from({ length: to - from + 1 }, (_, i) => {
      const { keys = 0, clicks = 0 } = inputs.get(from + i) ?? {};
      return { bytes: this.#bytesBySecond.get(from + i) ?? 0, keys, clicks };
    });
    return { from, seconds };
  }
}
