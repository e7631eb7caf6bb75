import type { DiskRun } from './disk-run.ts';
import { END_BYTES } from './frame.ts';
import { SEGMENT_HEADER_BYTES } from './segment-reader.ts';

/** A segment, as it is known in memory. */
export class Segment {
  readonly number: number;
  readonly key: Uint8Array;
  readonly bytes: number;
  /** Made beyond the limit: for records of runs that are cut alone. */
  readonly isOverdraft: boolean;
  readonly bornAt = performance.now();
  /** Where the next frame goes. */
  used = SEGMENT_HEADER_BYTES;
  commits = 0;
  /** A commit to it is under way. */
  isBusy = false;
  /** Why it is written no more, although it has room. */
  poison: Error | null = null;
  /** Runs that have frames in it: it is destroyed when there are none. */
  readonly holders = new Set<DiskRun>();
  /** Sessions of an earlier run that have frames in it and are not taken up yet. */
  readonly pins = new Set<string>();

  constructor(number: number, key: Uint8Array, bytes: number, isOverdraft = false) {
    this.number = number;
    this.key = key;
    this.bytes = bytes;
    this.isOverdraft = isOverdraft;
  }

  /** Something in it is needed still. */
  get isHeld(): boolean {
    return this.isBusy || this.holders.size > 0 || this.pins.size > 0;
  }

  /** Bytes that frames may still take. */
  get room(): number {
    return this.bytes - this.used - END_BYTES;
  }

  get isEmpty(): boolean {
    return this.used === SEGMENT_HEADER_BYTES;
  }
}
