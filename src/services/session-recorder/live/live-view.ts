import { Worker } from 'node:worker_threads';
import { readCapturedState } from '#contract/captured-state.ts';
import { ServiceError } from '#contract/errors.ts';
import type { LiveEvent } from '#contract/live-frames.ts';
import { recordSize, type SessionRecord, writeRecordInto } from '#evidence/record.ts';
import type { RecordFollower, ScreenSoFar } from '../followed-records.ts';
import type { FromLiveThread, LiveThreadData, ToLiveThread } from './messages.ts';

/** Records that wait for the thread, or are under way to it. Beyond that it begins anew, from the journal. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** While more is under way, what comes waits: so a thread that is behind gets it in fewer and larger parts. */
const MAX_SENT_BYTES = 4 * 1024 * 1024;
/** A run may be stored, and leave the journal, while it is read. */
const LOAD_ATTEMPTS = 3;
/** How long viewers have for the last picture of a session that has ended. */
const FAREWELL_MS = 5000;
/** JavaScript heap of the thread; pictures and records are outside of it. */
const HEAP_MB = 256;

const INCOMPLETE: LiveEvent = { type: 'incomplete' };

/** What a live view needs of its recording. */
export interface WatchedRecording {
  follow(follower: RecordFollower | null): void;
  screenSoFar(): ScreenSoFar;
}

/** Where a viewer's messages go. */
export interface ViewerSink {
  frame(bytes: Uint8Array): void;
  event(event: LiveEvent): void;
  /** The last call. @param failure null: the session is over */
  ended(failure: ServiceError | null): void;
}

export interface LiveViewOptions {
  readonly intervalMs: number;
  /** Told when the view has ended by itself. @param error null: the session is over */
  readonly onEnd: (error: Error | null) => void;
  /** The thread's program. */
  readonly program?: URL;
}

/**
 * One watched session: feeds its records to a thread that decodes them, and hands on the frames that it makes. Memory is
 * bounded by MAX_WAITING_BYTES, one run while it is read, and in the thread one screen and one frame a viewer.
 */
export class LiveView implements RecordFollower {
  readonly #recording: WatchedRecording;
  readonly #options: LiveViewOptions;
  readonly #thread: Worker;
  readonly #viewers = new Map<number, ViewerSink>();
  #nextViewer = 0;
  /** Records that are not sent yet. */
  #waiting: SessionRecord[] = [];
  #waitingBytes = 0;
  #sentBytes = 0;
  /** Told when everything that was sent has been played. */
  #onPlayed: (() => void) | null = null;
  /** Records before it are read from the journal. */
  #fromSeq = 0;
  #isLoading = false;
  /** What came was too much: the thread has to begin anew. */
  #isBehind = false;
  /** Records that are missing, or cannot be decoded, may have painted. */
  #isIncomplete = false;
  #hasEnded = false;
  #farewell: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(recording: WatchedRecording, options: LiveViewOptions) {
    this.#recording = recording;
    this.#options = options;
    const workerData: LiveThreadData = { intervalMs: options.intervalMs };
    this.#thread = new Worker(options.program ?? new URL('./thread.ts', import.meta.url), {
      ...{ name: 'live', env: {}, workerData, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } },
    });
    this.#thread.on('message', (message: FromLiveThread) => this.#receive(message));
    this.#thread.on('error', (error) => this.#end(error));
    this.#thread.on('exit', (code) => this.#end(new Error(`the thread of a live view ended with code ${code}`)));
    recording.follow(this);
    this.#load().catch((error) => this.#end(error));
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** @param fromSeq seq of the record that tells of the viewer: it is shown nothing before that is durable */
  join(fromSeq: number, sink: ViewerSink): number {
    const viewer = this.#nextViewer++;
    this.#viewers.set(viewer, sink);
    if (this.#isIncomplete) sink.event(INCOMPLETE);
    this.#post({ kind: 'join', viewer, fromSeq });
    return viewer;
  }

  leave(viewer: number): void {
    this.#viewers.delete(viewer);
    this.#post({ kind: 'leave', viewer });
  }

  /** The viewer can take a frame. */
  next(viewer: number): void {
    this.#post({ kind: 'next', viewer });
  }

  durable(records: readonly SessionRecord[]): void {
    for (const record of records) {
      if (this.#isBehind || record.seq < this.#fromSeq) continue;
      this.#waiting.push(record);
      this.#waitingBytes += recordSize(record);
    }
    // While it loads, what was sent are whole runs, one at a time: they are bounded by themselves.
    const underWay = this.#isLoading ? 0 : this.#sentBytes;
    if (this.#waitingBytes + underWay > MAX_WAITING_BYTES) {
      this.#isBehind = true;
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
    this.#pump();
  }

  ended(): void {
    this.#hasEnded = true;
    this.#pump();
  }

  /** Ends the thread. Viewers are not told. */
  async close(): Promise<void> {
    // Another view may follow the recording by now.
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#farewell);
    this.#recording.follow(null);
    await this.#thread.terminate();
  }

  /** Has the thread play what came before the records that are told from now on. */
  async #load(): Promise<void> {
    this.#isLoading = true;
    for (let attempt = 1; ; attempt++) {
      this.#isBehind = false;
      this.#waiting = [];
      this.#waitingBytes = 0;
      const source = this.#recording.screenSoFar();
      this.#fromSeq = source.nextSeq;
      try {
        const isWhole = await this.#play(source);
        if (!isWhole && attempt < LOAD_ATTEMPTS) continue;
        this.#isIncomplete = !isWhole;
        this.#post({ kind: 'loaded', seq: source.nextSeq - 1, time: source.lastTime });
        break;
      } catch (error) {
        if (this.#isClosed) return;
        if (attempt === LOAD_ATTEMPTS) throw error;
      }
    }
    this.#isLoading = false;
    if (this.#isIncomplete) this.#tell(INCOMPLETE);
    this.#pump();
  }

  /** @returns whether nothing is missing */
  async #play({ state, runs, nextSeq }: ScreenSoFar): Promise<boolean> {
    const bytes = state ? await state.read() : new Uint8Array(0);
    let isAllWhole = readCapturedState(bytes).screen !== null;
    this.#post({ kind: 'begin', state: bytes });
    // One run at a time: there may be many while nothing can be sealed.
    for (const read of runs) {
      const { records, isWhole } = await read();
      isAllWhole &&= isWhole;
      this.#send(records, nextSeq);
      await this.#played();
    }
    return isAllWhole;
  }

  #pump(): void {
    if (this.#isLoading || this.#isClosed) return;
    if (this.#isBehind) {
      if (this.#sentBytes === 0) this.#load().catch((error) => this.#end(error));
      return;
    }
    if (this.#sentBytes >= MAX_SENT_BYTES) return;
    if (this.#waiting.length > 0) {
      const bytes = new Uint8Array(new SharedArrayBuffer(this.#waitingBytes));
      this.#waiting.reduce((at, record) => writeRecordInto(bytes, at, record), 0);
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#send(bytes);
    }
    if (!this.#hasEnded || this.#farewell) return;
    this.#post({ kind: 'end' });
    this.#farewell = setTimeout(() => this.#end(null), FAREWELL_MS);
  }

  /** @param bytes in memory that the thread may see without a copy */
  #send(bytes: Uint8Array, beforeSeq?: number): void {
    this.#sentBytes += bytes.length;
    this.#post({ kind: 'records', bytes, ...(beforeSeq !== undefined && { beforeSeq }) });
  }

  #played(): Promise<void> {
    if (this.#sentBytes === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onPlayed = resolve;
    });
  }

  #receive(message: FromLiveThread): void {
    switch (message.kind) {
      case 'played':
        this.#sentBytes -= message.bytes;
        if (this.#sentBytes === 0) this.#onPlayed?.();
        this.#pump();
        break;
      case 'frame':
        this.#viewers.get(message.viewer)?.frame(message.bytes);
        break;
      case 'event':
        this.#tell(message.event);
        break;
      case 'finished':
        this.#viewers.get(message.viewer)?.ended(null);
        this.#viewers.delete(message.viewer);
        if (this.#viewers.size === 0) this.#end(null);
        break;
    }
  }

  #tell(event: LiveEvent): void {
    for (const sink of this.#viewers.values()) sink.event(event);
  }

  /** @param error null: the session is over */
  #end(error: Error | null): void {
    if (this.#isClosed) return;
    const failure = error && new ServiceError('internal', 'the live view failed: watch the session again');
    for (const sink of this.#viewers.values()) sink.ended(failure);
    this.#viewers.clear();
    this.close().catch(() => {});
    this.#options.onEnd(error);
  }

  #post(message: ToLiveThread): void {
    if (!this.#isClosed) this.#thread.postMessage(message);
  }
}
