import { ServiceError } from '#contract/errors.ts';
import type { NewRecord, RecordWriterEvents } from '#contract/record-transport.ts';
import type { RecordingStatus } from '#contract/session-recorder.ts';
import {
  CAPTURED_STREAMS,
  FLAG_REPEATED,
  RecordType,
  readRecords,
  recordSize,
  type SessionRecord,
  writeRecord,
} from '#evidence/record.ts';
import { type MarkerBody, type MarkerKind, readMarkerBody, writeJsonBody } from '#evidence/record-body.ts';
import { bulkGrowth } from './bulk-growth.ts';
import { FollowedRecords, type RecordFollower, type ScreenSoFar } from './followed-records.ts';
import { InputActivity } from './input-activity.ts';
import type {
  CapturedStream,
  Journal,
  JournalEvents,
  JournalPart,
  JournalRun,
  KeptState,
  ResumedPart,
} from './journal/journal.ts';
import type { Manifest } from './manifest.ts';
import { judge, undecodableShare } from './quality.ts';
import { RecordingWriter, type WriterTarget } from './recording-writer.ts';
import type { CutRun, SealingLine } from './sealing-line.ts';

/** A caller that sends on without acknowledgements beyond this many bytes is cut off: it ignores back-pressure. */
export const HARD_LIMIT_BYTES = 8 * 1024 * 1024;

/** Below this a run is not cut early, however full the journal: small chunks compress badly and cost more to keep. */
const MIN_EARLY_CUT_BYTES = 256 * 1024;

export interface RecordingOptions {
  readonly session: string;
  readonly journal: Journal;
  /** Opens or resumes the recording's part of the journal. */
  readonly openPart: (events: JournalEvents) => JournalPart;
  readonly manifest: Manifest;
  readonly line: SealingLine;
  /** A run ends after so many bytes, without bulk compression, or µs. */
  readonly runBytes: number;
  readonly runUs: number;
  /** The greatest undecodable share that is no problem, 0 to 1. */
  readonly undecodableLimit: number;
  /** Recordings that share the journal now. */
  readonly sharers: () => number;
  /** Told when the recording has failed. */
  readonly onFailure: (error: Error) => void;
}

/** What is known, besides the journal, of a recording that an earlier run of the service has left. */
export interface PastRecording {
  readonly openedAt: string;
  readonly hasFailed: boolean;
  /** What is in stored chunks. */
  readonly storedRecords: number;
  readonly storedBytes: number;
  /** Time of the last record in them, in µs. */
  readonly storedTime: number;
  /** The latest config in a stored chunk. */
  readonly config: SessionRecord | null;
}

/**
 * One session's recording while it is open: numbers records as they come, one connection at a time, and cuts them into
 * runs. `open` → `closing` → `closed`; `failed` takes no more records, and can still be closed.
 */
export class Recording implements WriterTarget {
  readonly session: string;
  readonly #options: RecordingOptions;
  readonly #part: JournalPart;
  #openedAt = new Date().toISOString();
  #origin = performance.now();
  readonly #activity = new InputActivity();
  #state: RecordingStatus['state'] = 'open';
  #writer: RecordingWriter | null = null;
  /** Seq of the attached writer's first record. */
  #writerStart = 0;
  #connections = 0;
  #nextSeq = 0;
  #durableSeq = -1;
  #lastTime = 0;
  #bytes = 0;
  /** The latest config record: every screen run begins with it. */
  #config: SessionRecord | null = null;
  /** By how many bytes the present screen run is likely to grow when bulk compression is undone. */
  #growth = 0;
  /** The config, repeated, that goes before the present screen run. */
  #head: Uint8Array | null = null;
  /** Markers of a gap in the present screen run. */
  #gaps = { count: 0, missing: 0 };
  #failure: Error | null = null;
  #closing: Promise<void> | null = null;
  #isPaused = false;
  #followed: FollowedRecords | null = null;

  constructor(options: RecordingOptions) {
    this.#options = options;
    this.session = options.session;
    this.#part = options.openPart({
      durable: (seq) => this.#durable(seq),
      // Nothing more can be written then, not even a marker: the close entry tells.
      failed: (error) => this.#stopTaking(error),
    });
  }

  get state(): RecordingStatus['state'] {
    return this.#state;
  }

  /** Whether a connection writes. */
  get isConnected(): boolean {
    return this.#writer !== null;
  }

  /** Why it has failed. */
  get failure(): Error | null {
    return this.#failure;
  }

  get status(): RecordingStatus {
    const { manifest, undecodableLimit } = this.#options;
    const quality = judge(manifest.figures, undecodableLimit);
    return {
      session_id: this.session,
      state: this.#state,
      opened_at: this.#openedAt,
      paused: this.#isPaused,
      records: this.#nextSeq,
      bytes: this.#bytes,
      sealed_bytes: Math.min(this.#bytes, manifest.capturedBytes),
      chunks: manifest.leaves,
      durable_seq: this.#durableSeq,
      undecodable_share: undecodableShare(quality),
      quality,
    };
  }

  now(): number {
    return Math.floor((performance.now() - this.#origin) * 1000);
  }

  /** Keeps a state of the decoder in the journal. */
  keep(state: Uint8Array, seq: number): Promise<KeptState> {
    return this.#part.keep(state, seq);
  }

  /**
   * Takes up what an earlier run of the service has left, to be sealed and closed: no connection may write any more.
   * @param resumed what the journal has
   */
  resume(past: PastRecording, resumed: ResumedPart): void {
    this.#state = past.hasFailed ? 'failed' : 'closing';
    this.#failure = past.hasFailed ? new Error('the recording failed before the recorder was started again') : null;
    this.#openedAt = past.openedAt;
    this.#lastTime = resumed.lastTime;
    // The clock goes on as the wall clock has, and never back.
    const elapsedMs = Math.max(resumed.lastTime / 1000, Date.now() - Date.parse(past.openedAt));
    this.#origin = performance.now() - elapsedMs;
    this.#durableSeq = resumed.part.durableSeq;
    this.#nextSeq = this.#durableSeq + 1;
    this.#bytes = past.storedBytes + resumed.runs.reduce((sum, { run }) => sum + run.bytes, 0);
    this.#config = past.config;
    for (const { run, firstSeq, notes } of resumed.runs) {
      const head = run.stream === 'screen' ? this.#headOf(firstSeq, notes) : null;
      for (const note of notes) this.#note(readRecord(note));
      this.#push(run, past.storedTime, head, []);
    }
    const missing = this.#nextSeq - past.storedRecords - resumed.records;
    if (missing > 0) {
      const gap = { missing, from: past.storedTime, to: Math.max(past.storedTime, resumed.lastTime) };
      this.#mark('gap', 'the journal was damaged while the recorder did not run', { gap });
    }
    this.#mark('recorder-restarted', missing > 0 ? undefined : 'the recorder ended while the session was live');
  }

  /** Records of a run that was cut could not be read back from the journal. */
  lost({ run, firstTime, lastTime }: CutRun, missing: number): void {
    const gap = { missing, from: firstTime, to: lastTime };
    this.#mark('gap', `the journal was damaged: records of the stream ${run.stream} cannot be read back`, { gap });
  }

  /** What goes before a screen run that begins with `seq`: nothing where that is a config itself. */
  #headOf(seq: number, notes: readonly Uint8Array[]): Uint8Array | null {
    const first = notes.map(readRecord).find((note) => note.type === RecordType.config);
    if (first?.seq === seq || !this.#config) return null;
    return writeRecord(this.#config);
  }

  /** Keeps in mind what a record of the screen says of the recording. */
  #note(record: SessionRecord): void {
    if (record.type === RecordType.config) {
      this.#config = { ...record, flags: FLAG_REPEATED, body: record.body.slice() };
    }
    if (record.type !== RecordType.marker) return;
    const { kind, missing = 0 } = readMarkerBody(record.body);
    if (kind !== 'gap') return;
    this.#gaps.count++;
    this.#gaps.missing += missing;
    this.#options.manifest.gaps++;
    this.#options.manifest.missing += missing;
  }

  /** Lets a connection write. @throws ServiceError `wrong_state`, `conflict` */
  attach(connectionId: string, events: RecordWriterEvents): RecordingWriter {
    if (this.#state !== 'open') {
      throw new ServiceError('wrong_state', `the recording of session ${this.session} is ${this.#state}`);
    }
    if (this.#writer) {
      throw new ServiceError('conflict', `connection ${this.#writer.connectionId} writes to session ${this.session}`);
    }
    if (this.#connections++ > 0) this.#mark('reconnected');
    this.#writerStart = this.#nextSeq;
    this.#writer = new RecordingWriter(connectionId, this, events);
    return this.#writer;
  }

  detach(writer: RecordingWriter, reason?: string): void {
    if (this.#writer !== writer) return;
    this.#writer = null;
    if (this.#state === 'open') this.#mark('disconnected', reason);
  }

  /** From here on nothing may come until `goOn`. @param reason who paused it, and why @throws ServiceError `wrong_state` */
  pause(reason: string): void {
    this.#turn(true, reason);
  }

  goOn(reason: string): void {
    this.#turn(false, reason);
  }

  #turn(isPaused: boolean, reason: string): void {
    if (this.#state !== 'open') {
      throw new ServiceError('wrong_state', `the recording of session ${this.session} is ${this.#state}`);
    }
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    const kind = isPaused ? 'pause' : 'resume';
    this.#mark(kind, reason);
    this.#mark(kind, reason, { stream: 'input' });
  }

  take(stream: CapturedStream, record: NewRecord): void {
    if (this.#isPaused) {
      this.#cutOff('the gateway has sent records while the recording was paused');
      return;
    }
    if (stream === 'screen' && record.type !== RecordType.config && !this.#config) {
      this.#cutOff('the gateway has sent a picture before the recording knew the desktop');
      return;
    }
    if (this.#writer && this.#writer.unacknowledgedBytes > HARD_LIMIT_BYTES) {
      this.#cutOff('the connection sends faster than it can be recorded');
      return;
    }
    if (stream === 'input') this.#activity.add(record.timeUs, record.body);
    this.#append(stream, record);
  }

  /** Tells `follower` of what is recorded from now on; null tells nobody any more. */
  follow(follower: RecordFollower | null): void {
    this.#followed = follower && new FollowedRecords(follower);
  }

  /** Where a follower that comes now finds what it has missed. */
  screenSoFar(): ScreenSoFar {
    const { state, runs } = this.#options.line.unstoredScreen;
    const present = this.#part.present('screen');
    const head = this.#head;
    const reader = (run: Pick<JournalRun, 'read' | 'damage'>, head: Uint8Array | null) => async () => {
      const records = await run.read(head ?? undefined);
      return { records, isWhole: run.damage.length === 0 };
    };
    return {
      state,
      runs: [...runs.map((cut) => reader(cut.run, cut.head)), ...(present ? [reader(present, head)] : [])],
      nextSeq: this.#nextSeq,
      lastTime: this.#lastTime,
    };
  }

  /**
   * Records that somebody begins, or ceases, to watch the session.
   * @param user id of the person
   * @returns seq of the record that says so
   * @throws ServiceError `wrong_state` when it is over, or nothing has been shown yet
   */
  noteObserver(kind: 'observer-joined' | 'observer-left', user: string): number {
    if (this.#state !== 'open') {
      throw new ServiceError('wrong_state', `the recording of session ${this.session} is ${this.#state}`);
    }
    if (!this.#config) throw new ServiceError('wrong_state', 'nobody has connected to the session yet');
    this.#mark(kind, user);
    return this.#nextSeq - 1;
  }

  /** Cuts the runs whose time is over, and large ones early while the journal is more than half full. */
  tick(): void {
    const { journal, runUs } = this.#options;
    const now = this.now();
    // A segment is destroyed when the last run in it is stored: while the journal is full nobody keeps any.
    const isInTheWay = journal.isFull && CAPTURED_STREAMS.some((stream) => this.#part.present(stream)?.durableBytes);
    for (const stream of CAPTURED_STREAMS) {
      const run = this.#part.present(stream);
      if (!run) continue;
      if (isInTheWay || now - run.firstTime >= runUs || run.bytes >= this.#share()) this.#cut(stream);
    }
  }

  /** Ends the recording's taking of records, and marks it. @param error its message is told to the connection */
  fail(error: Error): void {
    if (this.#state !== 'open') return;
    this.#mark('end', `the recording failed: ${error.message}`);
    this.#stopTaking(error);
  }

  #stopTaking(error: Error): void {
    if (this.#state !== 'open') return;
    this.#state = 'failed';
    this.#failure = error;
    this.#writer?.fail(`the session cannot be recorded any more: ${error.message}`);
    this.#writer = null;
    this.#followed?.end();
    this.#followed = null;
    this.#options.onFailure(error);
  }

  /**
   * Seals and stores what is left, then has `finish` sign and store the close entry. Idempotent; after a failure the next
   * call goes on where this one stood.
   *
   * @param finish gets whether the recording had failed, and how many records it has
   */
  close(reason: string, finish: (hadFailed: boolean, records: number) => Promise<void>): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve();
    this.#closing ??= this.#close(reason, finish).finally(() => {
      this.#closing = null;
    });
    return this.#closing;
  }

  async #close(reason: string, finish: (hadFailed: boolean, records: number) => Promise<void>): Promise<void> {
    if (this.#state === 'open') {
      this.#writer?.fail(reason);
      this.#writer = null;
      this.#mark('end', reason);
      this.#state = 'closing';
    }
    // What is found to be lost while the rest is sealed makes a marker, which is to be sealed too.
    do {
      for (const stream of CAPTURED_STREAMS) this.#cut(stream);
      await this.#options.line.drain();
    } while (CAPTURED_STREAMS.some((stream) => this.#part.present(stream)));
    // What a failed journal has lost was not acknowledged, and is not counted.
    this.#nextSeq = this.#part.durableSeq + 1;
    await finish(this.#failure !== null, this.#nextSeq);
    this.#part.close();
    this.#state = 'closed';
  }

  /** Ends the attached connection's writing; the recording goes on. */
  #cutOff(reason: string): void {
    const writer = this.#writer;
    if (!writer) return;
    writer.fail(reason);
    this.detach(writer, reason);
  }

  #mark(kind: MarkerKind, detail?: string, about: MarkerContext = {}): void {
    // Without a config no picture was recorded, and no screen run may begin.
    if (!this.#config) return;
    const { gap, stream = 'screen' } = about;
    const body: MarkerBody = { kind, ...(detail && { detail }), ...gap };
    const type = stream === 'screen' ? RecordType.marker : RecordType.inputMarker;
    this.#append(stream, { type, flags: 0, timeUs: this.now(), body: writeJsonBody(body) });
  }

  #append(stream: CapturedStream, { type, timeUs, body }: NewRecord): void {
    this.#lastTime = Math.max(this.#lastTime, Math.min(timeUs, this.now()));
    const record = { type, flags: 0, time: this.#lastTime, seq: this.#nextSeq++, body } as SessionRecord;
    if (stream === 'screen' && type !== RecordType.config && !this.#part.present('screen')) {
      this.#head = writeRecord(this.#config!);
    }
    if (stream === 'screen') this.#note(record);
    if (stream !== 'channels') this.#followed?.add(record);
    this.#part.append(stream, record);
    this.#bytes += recordSize(record);
    if (type === RecordType.serverPdu) this.#growth += bulkGrowth(body);
    const bytes = this.#part.present(stream)?.bytes ?? 0;
    if (bytes >= this.#options.runBytes || bytes >= this.#share() || this.#growsTooLarge(stream, bytes)) {
      this.#cut(stream);
    }
  }

  /** Whether the run would be too large without bulk compression. What servers claim of that cuts no tiny runs. */
  #growsTooLarge(stream: CapturedStream, bytes: number): boolean {
    if (stream !== 'screen' || bytes < MIN_EARLY_CUT_BYTES) return false;
    return bytes + this.#growth >= this.#options.runBytes;
  }

  /** How large a run may get: without bound while there is room, else its part of half the journal. */
  #share(): number {
    const { journal, sharers } = this.#options;
    if (journal.heldBytes <= journal.limitBytes / 2) return Number.POSITIVE_INFINITY;
    return Math.max(MIN_EARLY_CUT_BYTES, journal.limitBytes / 2 / Math.max(1, sharers()));
  }

  #cut(stream: CapturedStream): void {
    const firstTime = this.#part.present(stream)?.firstTime ?? this.#lastTime;
    const run = this.#part.cut(stream);
    if (!run) return;
    const isScreen = stream === 'screen';
    const head = isScreen ? this.#head : null;
    if (isScreen) {
      this.#head = null;
      this.#growth = 0;
    }
    this.#push(run, firstTime, head, isScreen ? this.#activity.take() : []);
    if (this.#state === 'open') this.#options.line.drain().catch((error) => this.fail(error));
  }

  #push(run: JournalRun, firstTime: number, head: Uint8Array | null, activity: CutRun['activity']): void {
    const isScreen = run.stream === 'screen';
    const config = isScreen && this.#config ? writeRecord(this.#config) : null;
    const none = { count: 0, missing: 0 };
    const gaps = isScreen ? this.#gaps : none;
    this.#options.line.push({ run, head, activity, gaps, config, firstTime, lastTime: this.#lastTime });
    if (isScreen) this.#gaps = none;
  }

  #durable(seq: number): void {
    this.#durableSeq = seq;
    this.#writer?.acknowledge(seq - this.#writerStart);
    this.#followed?.durable(seq);
    if (this.#state === 'open' || seq < this.#nextSeq - 1) return;
    this.#followed?.end();
    this.#followed = null;
  }
}

interface MarkerContext {
  stream?: 'screen' | 'input';
  /** What is missing, and between which times, in µs. */
  gap?: { missing: number; from: number; to: number };
}

/** A record that was written by itself. */
function readRecord(bytes: Uint8Array): SessionRecord {
  const [{ record }] = readRecords(bytes);
  return record;
}
