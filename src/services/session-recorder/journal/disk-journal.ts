import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CheckResult } from '#platform/health.ts';
import type { Commit, Waiting } from './commit.ts';
import { CommitQueue } from './commit-queue.ts';
import { DiskPart, type PartHost } from './disk-part.ts';
import { type DiskThread, startDiskThread } from './disk-thread.ts';
import type { ReadJob, ReadResult } from './jobs.ts';
import type { CapturedStream, Journal, JournalEvents, ResumedPart } from './journal.ts';
import { type Leftovers, readLeftovers, resumePart } from './recovery.ts';
import type { Segment } from './segment.ts';
import { Segments } from './segments.ts';
import { SyncTimes } from './sync-times.ts';

export interface DiskJournalOptions {
  readonly folder: string;
  /** Of each segment; no more than a quarter of `limitBytes` is used. */
  readonly segmentBytes: number;
  /** Of all segments. */
  readonly limitBytes: number;
  /** Free space of the disk below which no recording may begin; below half of it no segment is added. */
  readonly floorBytes: number;
  /** Records that may wait for the disk, of all recordings. */
  readonly bufferBytes: number;
  readonly maxAgeMs: number;
  /** `relaxed` acknowledges records when they come, not when they are durable. */
  readonly durability: 'strict' | 'relaxed';
  /** Told of what people should know: in words. */
  readonly onTrouble: (words: string, error?: Error) => void;
  /** Told, while an earlier run's segments are read back, how many of how many are. */
  readonly onReadBack?: (read: number, all: number) => void;
  /** See `ThreadData`. */
  readonly disk?: URL;
}

/**
 * The journal on disk: one commit at a time, each takes all that has come while the one before was made durable.
 *
 * A write or sync that fails is not tried again: after a failed fsync Linux forgets which pages were not written, and the
 * next fsync succeeds without them. So the segment is poisoned, and every session with records in it fails.
 */
export class DiskJournal implements Journal, PartHost {
  readonly limitBytes: number;
  readonly times = new SyncTimes();
  readonly #options: DiskJournalOptions;
  readonly #writer: DiskThread;
  readonly #keeper: DiskThread;
  readonly #segments: Segments;
  readonly #leftovers: Leftovers;
  readonly #queue = new CommitQueue();
  /** Relaxed only: parts with records that are not acknowledged. */
  readonly #fresh = new Set<DiskPart>();
  #isScheduled = false;
  #isClosed = false;
  #commit: Promise<void> | null = null;
  /** Commits and bytes written. */
  readonly totals = { commits: 0, bytes: 0, failures: 0 };

  private constructor(options: DiskJournalOptions, writer: DiskThread, keeper: DiskThread, leftovers: Leftovers) {
    this.#options = options;
    this.limitBytes = options.limitBytes;
    this.#writer = writer;
    this.#keeper = keeper;
    this.#leftovers = leftovers;
    const events = {
      ready: () => this.#schedule(),
      exhausted: (error: Error) => this.#exhausted(error),
      undestroyed: (number: number, error: Error) =>
        options.onTrouble(`segment ${number} of the journal could not be destroyed`, error),
    };
    const segmentBytes = Math.min(options.segmentBytes, options.limitBytes / 4);
    const limits = { ...options, segmentBytes, floorBytes: options.floorBytes / 2 };
    this.#segments = new Segments(keeper, limits, events, leftovers.segments);
    this.#segments.prepare();
  }

  /**
   * Opens the journal in a folder, made when missing, and reads what an earlier run has left in it: to be taken up with
   * `resume`, before anything is forgotten.
   *
   * @throws the system's error when the folder cannot be read
   */
  static async open(options: DiskJournalOptions): Promise<DiskJournal> {
    const writer = startDiskThread('journal-writer', options.folder, options.disk);
    const keeper = startDiskThread('journal-keeper', options.folder, options.disk);
    const leftovers = await readLeftovers([keeper, writer], options.onReadBack ?? (() => {}));
    for (const words of leftovers.damage) options.onTrouble(words);
    return new DiskJournal(options, writer, keeper, leftovers);
  }

  open(session: string, events: JournalEvents): DiskPart {
    return new DiskPart(this, session, events);
  }

  resume(
    session: string,
    events: JournalEvents,
    stored: ReadonlyMap<CapturedStream, number>,
    runBytes: number,
  ): ResumedPart {
    const resumed = resumePart(this.#leftovers, this.open(session, events), stored, runBytes);
    this.#sweep();
    return resumed;
  }

  forgetAllBut(sessions: ReadonlySet<string>): void {
    for (const session of this.#leftovers.sessions.keys()) {
      if (sessions.has(session)) continue;
      this.#leftovers.sessions.delete(session);
      for (const { pins } of this.#leftovers.segments) pins.delete(session);
    }
    this.#sweep();
  }

  /** Lets go of segments of an earlier run in which nothing is needed any more. */
  #sweep(): void {
    for (const segment of this.#leftovers.segments) this.left(segment);
  }

  get heldBytes(): number {
    return this.#segments.heldBytes + this.#queue.bytes;
  }

  get isFull(): boolean {
    return this.#segments.isFull && this.#queue.bytes > 0;
  }

  get segmentCount(): number {
    return this.#segments.count;
  }

  get waitingBytes(): number {
    return this.#queue.bytes;
  }

  async refusal(): Promise<string | null> {
    const { status, detail } = this.check();
    if (status === 'unhealthy') return detail!;
    const free = await this.#keeper.run('freeBytes', undefined);
    const { floorBytes } = this.#options;
    if (free >= floorBytes) return null;
    return `${free} bytes are free for the journal, new recordings need ${floorBytes}: free space, or lower LUCID_JOURNAL_FLOOR_BYTES`;
  }

  /** How well the journal can do its work. */
  check(): CheckResult {
    const { times, limitBytes } = this;
    const held = `${this.heldBytes} of ${limitBytes} bytes held`;
    const { trouble } = this.#segments;
    if (times.hung) return { status: 'unhealthy', detail: times.hung };
    if (trouble) return { status: 'unhealthy', detail: `no segment can be added: ${trouble.message}` };
    if (this.isFull) {
      return { status: 'unhealthy', detail: `${held}: nothing is acknowledged until runs are sealed and stored` };
    }
    const { isSlow, words } = times.report();
    return { status: isSlow ? 'degraded' : 'healthy', detail: `${words}; ${held}` };
  }

  enqueue(waiting: Waiting): void {
    if (this.#queue.bytes + waiting.bytes > this.#options.bufferBytes) {
      const words = `${this.#queue.bytes} bytes wait for the journal's disk already: it does not keep up`;
      queueMicrotask(() => waiting.run.part.fail(new Error(words)));
      return;
    }
    this.#queue.push(waiting);
    if (this.#options.durability === 'relaxed') this.#fresh.add(waiting.run.part);
    this.#schedule();
  }

  cut(): void {
    if (this.isFull) this.#schedule();
  }

  read(job: ReadJob): Promise<ReadResult> {
    return this.#keeper.run('read', job);
  }

  left(segment: Segment): void {
    this.#segments.left(segment);
  }

  /** Writes what waits, as far as it can be written, and ends the threads. What is not released stays on the disk. */
  async close(): Promise<void> {
    for (;;) {
      if (this.#commit) await this.#commit;
      else if (this.#isScheduled) await nextTurn();
      else if (!this.#queue.isEmpty && this.#segments.preparing) await this.#segments.preparing;
      else break;
    }
    this.#isClosed = true;
    await this.#segments.close();
    await Promise.all([this.#writer.close(), this.#keeper.close()]);
  }

  /** In a turn of its own, so that one commit takes all that came in this one. */
  #schedule(): void {
    if (this.#isScheduled || (this.#commit && this.#fresh.size === 0)) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#acknowledgeFresh();
      this.#begin();
    });
  }

  #acknowledgeFresh(): void {
    if (this.#queue.bytes > this.#options.bufferBytes / 2 || this.isFull) return;
    const fresh = [...this.#fresh];
    this.#fresh.clear();
    for (const part of fresh) part.acknowledge(part.lastSeq);
  }

  #begin(): void {
    const commit = this.#commit || this.#isClosed ? null : this.#queue.take(this.#segments);
    if (!commit) return;
    const { segment, offset, bytes } = commit;
    segment.isBusy = true;
    this.times.begin();
    this.#commit = this.#writer
      .run('commit', { number: segment.number, key: segment.key, offset, bytes }, [bytes.buffer])
      .then(
        ({ syncMs }) => this.#confirm(commit, syncMs),
        (error) => this.#fail(commit, error),
      );
  }

  #confirm(commit: Commit, syncMs: number): void {
    const { segment, frames, acknowledged } = commit;
    this.times.end(syncMs);
    this.totals.commits++;
    this.totals.bytes += commit.takenBytes;
    segment.used = frames.at(-1)!.frame.offset + frames.at(-1)!.frame.length;
    segment.commits++;
    for (const { run, frame } of frames) run.confirm(frame);
    for (const [part, seq] of acknowledged) part.durableSeq = Math.max(part.durableSeq, seq);
    this.#end(commit);
    // The disk has its next work by now: acknowledging may take a while.
    if (this.#options.durability === 'relaxed') this.#acknowledgeFresh();
    else for (const [part, seq] of acknowledged) part.acknowledge(seq);
  }

  #fail(commit: Commit, cause: Error): void {
    const { segment } = commit;
    this.times.end(null);
    this.totals.failures++;
    const error = new Error(`the journal's disk failed: ${cause.message}`, { cause });
    this.#options.onTrouble(`segment ${segment.number} of the journal is given up`, cause);
    const holders = [...segment.holders].map(({ part }) => part);
    const parts = new Set([...commit.frames.map(({ run }) => run.part), ...holders]);
    segment.poison = error;
    for (const part of parts) part.fail(error);
    this.#end(commit);
  }

  #end(commit: Commit): void {
    const { segment } = commit;
    this.#commit = null;
    this.#queue.settle(commit);
    segment.isBusy = false;
    if (segment.poison) this.#segments.poison(segment, segment.poison);
    else this.left(segment);
    this.#begin();
  }

  /** No segment can be had: who waits would wait in vain. */
  #exhausted(error: Error): void {
    if (this.#queue.isEmpty || this.#commit) return;
    const words = new Error(`the journal cannot grow: ${error.message}`, { cause: error });
    const parts = this.#queue.clear();
    queueMicrotask(() => {
      for (const part of parts) part.fail(words);
    });
  }
}
