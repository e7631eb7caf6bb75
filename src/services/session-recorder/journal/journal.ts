import type { CAPTURED_STREAMS, SessionRecord } from '#evidence/record.ts';

export type CapturedStream = (typeof CAPTURED_STREAMS)[number];

/** The recorder's write-ahead log: holds every record from its arrival until it is sealed and stored. */
export interface Journal {
  /** Begins a recording's part. */
  open(session: string, events: JournalEvents): JournalPart;
  /** Bytes that are held for all recordings. */
  readonly heldBytes: number;
  /** More than this is not acknowledged, until something is released. */
  readonly limitBytes: number;
  /**
   * Records wait because the limit is reached. Runs that have records on the disk should be cut, so that something can be
   * released: what belongs to a run that is cut is written all the same.
   */
  readonly isFull: boolean;
  /** Why no recording may begin now, in words; null when one may. */
  refusal(): Promise<string | null>;
  /**
   * Takes up a recording that an earlier run of the service has left.
   *
   * @param stored seq of each stream's last record that is in a stored chunk: up to it nothing is needed any more
   * @param runBytes that a run may have
   */
  resume(
    session: string,
    events: JournalEvents,
    stored: ReadonlyMap<CapturedStream, number>,
    runBytes: number,
  ): ResumedPart;
  /** Forgets what an earlier run has left of recordings other than these. */
  forgetAllBut(sessions: ReadonlySet<string>): void;
}

export interface JournalEvents {
  /** All records up to `seq` are durable. Never called within `append`: one call answers for a group of records. */
  durable(seq: number): void;
  /** The journal has failed: what was not called durable is lost. Never called within `append`. */
  failed(error: Error): void;
}

/** One recording's records in the journal. */
export interface JournalPart {
  /** Appends a record to its stream's present run. The body must not be changed until it is durable. */
  append(stream: CapturedStream, record: SessionRecord): void;
  /** The run that grows now; null when it is empty. */
  present(stream: CapturedStream): PresentRun | null;
  /** Ends the present run; null when it is empty. */
  cut(stream: CapturedStream): JournalRun | null;
  /**
   * Keeps what a decoder knows after a run, out of memory and through a crash. Durable when it resolves.
   * @param seq of the run's last record
   * @throws Error when the journal has failed
   */
  keep(state: Uint8Array, seq: number): Promise<KeptState>;
  /** Highest seq up to which all is on the disk; -1 at first. */
  readonly durableSeq: number;
  /** Forgets everything that is left. */
  close(): void;
}

/** A run that grows. */
export interface PresentRun {
  /** Of its records, and of those that are on the disk. */
  readonly bytes: number;
  readonly durableBytes: number;
  /** When it began, in µs of the session's clock. */
  readonly firstTime: number;
  /** As that of a run that is cut, but of the records that have been added by now; some that came later may follow. */
  read(before?: Uint8Array): Promise<Uint8Array>;
  /** What `read` could not read, in words. */
  readonly damage: readonly string[];
}

/** Records of one stream, from one cut to the next. After a failure, only those that are durable. */
export interface JournalRun {
  readonly stream: CapturedStream;
  readonly bytes: number;
  readonly records: number;
  /** Seq of the last record; -1 when there is none. */
  readonly lastSeq: number;
  /**
   * Reads the written records back, once all of them are durable or lost. Where some are damaged, the others.
   * @param before bytes to stand before them
   * @returns `before` and the records, in memory that other threads may see without a copy
   */
  read(before?: Uint8Array): Promise<Uint8Array>;
  /** What `read` could not read, in words. */
  readonly damage: readonly string[];
  /** The run is stored: it may be forgotten. */
  release(): void;
}

/** A decoder's state in the journal. */
export interface KeptState {
  /** @throws Error when it cannot be read any more */
  read(): Promise<Uint8Array>;
  release(): void;
}

/** What the journal still has of a recording that an earlier run of the service has left. */
export interface ResumedPart {
  readonly part: JournalPart;
  /** Cut runs that are not stored yet, in the order in which they began. */
  readonly runs: readonly ResumedRun[];
  /** State after the last stored screen run, if it was kept. */
  readonly state: KeptState | null;
  /** Of all records that are left; -1 and 0 when there is none. */
  readonly lastSeq: number;
  readonly lastTime: number;
  readonly records: number;
}

export interface ResumedRun {
  readonly run: JournalRun;
  readonly firstSeq: number;
  /** Its configs and markers, written. */
  readonly notes: readonly Uint8Array[];
}
