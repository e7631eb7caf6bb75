/** What the journal asks of its threads, and what they answer. */
import type { FoundFrame } from './summary.ts';

/** Laid-out frames, to be sealed, written and made durable. */
export interface CommitJob {
  readonly number: number;
  readonly key: Uint8Array;
  /** Where the first frame belongs in the segment. */
  readonly offset: number;
  /** Frames, then a length of 0, in memory of their own. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface CommitTimes {
  readonly writeMs: number;
  readonly syncMs: number;
}

export interface PrepareJob {
  readonly number: number;
  readonly bytes: number;
  /** A destroyed segment whose file is used again; null to make a new one. */
  readonly reuse: number | null;
  /** Free space that a new file must leave. */
  readonly floorBytes: number;
}

export interface ReadJob {
  readonly places: readonly {
    readonly number: number;
    readonly key: Uint8Array;
    readonly offsets: readonly number[];
    readonly lengths: readonly number[];
  }[];
  /** What stands before the payloads in the result. */
  readonly before: Uint8Array;
  /** Payload bytes in all. */
  readonly bytes: number;
}

export interface ReadResult {
  /** `before`, then the payloads of all frames that could be read, one after another. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** Why frames could not be read, one line a frame. */
  readonly damage: readonly string[];
}

export interface ScannedSegment {
  readonly key: Uint8Array;
  readonly bytes: number;
  readonly frames: readonly FoundFrame[];
  readonly torn: boolean;
  /** What was durable once and cannot be read any more, in words. */
  readonly damage: readonly string[];
}
