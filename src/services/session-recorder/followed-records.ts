import type { SessionRecord } from '#evidence/record.ts';
import type { KeptState } from './journal/journal.ts';

/** Somebody who follows a recording while it is made. Calls must be cheap: they come from the thread that acknowledges. */
export interface RecordFollower {
  /** Records of the streams `screen` and `input` that are durable now, in their order. */
  durable(records: readonly SessionRecord[]): void;
  /** No more come. */
  ended(): void;
}

/** What plays the screen up to now: it goes on from a decoder's state. */
export interface ScreenSoFar {
  /** Null: from the beginning. */
  readonly state: KeptState | null;
  /**
   * Reads the written records of each run since then, the present one last, once they are durable. Not whole where the journal
   * is damaged, or the run has been stored and has left it meanwhile.
   */
  readonly runs: readonly (() => Promise<{ records: Uint8Array; isWhole: boolean }>)[];
  /** Seq of the record that comes next: what the present run has from there on, a follower is told too. */
  readonly nextSeq: number;
  /** Of the record before it, in µs of the session's clock. */
  readonly lastTime: number;
}

/** Keeps records until they are durable, for one follower: nobody is told of what a crash could still undo. */
export class FollowedRecords {
  readonly #follower: RecordFollower;
  #waiting: SessionRecord[] = [];

  constructor(follower: RecordFollower) {
    this.#follower = follower;
  }

  add(record: SessionRecord): void {
    this.#waiting.push(record);
  }

  /** All records up to `seq` are durable. */
  durable(seq: number): void {
    const first = this.#waiting.findIndex((record) => record.seq > seq);
    const durable = this.#waiting.splice(0, first < 0 ? this.#waiting.length : first);
    if (durable.length > 0) this.#follower.durable(durable);
  }

  end(): void {
    this.#waiting = [];
    this.#follower.ended();
  }
}
