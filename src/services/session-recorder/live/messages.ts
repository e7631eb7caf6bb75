/** What a live view and its thread tell each other. */
import type { LiveEvent } from '#contract/live-frames.ts';

export interface LiveThreadData {
  /** Least time between two frames of one viewer, in ms. */
  readonly intervalMs: number;
}

export type ToLiveThread =
  /** Begins, or begins anew: the captured state where a run begins. */
  | { kind: 'begin'; state: Uint8Array }
  /** Written records of the streams `screen` and `input`. Those from `beforeSeq` on are left out: they come another way. */
  | { kind: 'records'; bytes: Uint8Array; beforeSeq?: number }
  /** All records up to `seq` have been played: the screen may be shown. */
  | { kind: 'loaded'; seq: number; time: number }
  | { kind: 'join'; viewer: number; fromSeq: number }
  | { kind: 'leave'; viewer: number }
  /** The viewer can take a frame. */
  | { kind: 'next'; viewer: number }
  /** No more records come. */
  | { kind: 'end' };

export type FromLiveThread =
  /** All that was sent so far in `records` has been played, so many bytes of it since the last time. */
  | { kind: 'played'; bytes: number }
  | { kind: 'frame'; viewer: number; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'event'; event: LiveEvent }
  /** The session is over, and the viewer wants a frame when it has had the last. */
  | { kind: 'finished'; viewer: number };
