import type { Policy } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { RecordTransport, RecordWriterEvents } from '#contract/record-transport.ts';
import type { RecordingStatus } from '#contract/session-recorder.ts';
import type { NoteSigner } from '#evidence/node/signing.ts';
import type { Log } from '#platform/log.ts';
import { ByteBudget } from './byte-budget.ts';
import type { Journal, JournalEvents, JournalPart, ResumedPart } from './journal/journal.ts';
import { Manifest } from './manifest.ts';
import { type OpenedRecording, openRecording } from './open-recording.ts';
import type { Recipients } from './recipients.ts';
import { Recording } from './recording.ts';
import { type RecordingIndex, type RecordingRow, rowStatus } from './recording-index.ts';
import type { RecordingWriter } from './recording-writer.ts';
import { readPast } from './recovery.ts';
import { type RetryOptions, retry } from './retry.ts';
import { Sealer } from './sealer.ts';
import { SealingLine } from './sealing-line.ts';

const TICK_MS = 500;
const FIRST_RECOVERY_RETRY_MS = 10_000;
const LONGEST_RECOVERY_RETRY_MS = 600_000;

export interface RecorderOptions {
  readonly peers: Pick<Peers, 'chunk-processor' | 'session-storage'>;
  readonly journal: Journal;
  readonly signer: NoteSigner;
  readonly recipients: Recipients;
  readonly index: RecordingIndex;
  readonly log: Log;
  readonly runBytes: number;
  readonly runSeconds: number;
  readonly sealingRuns: number;
  readonly retrySeconds: number;
  readonly durability: 'strict' | 'relaxed';
  /** The greatest undecodable share of a recording that is no problem, 0 to 1. */
  readonly undecodableLimit: number;
  /** Told once of each recording that turns out to be degraded. */
  readonly onDegraded: () => void;
}

/** A recording in memory, and what its close needs. */
interface Live {
  readonly recording: Recording;
  readonly manifest: Manifest;
  readonly line: SealingLine;
  /** Signed once: a second close entry would not be the same. */
  closeNote: string | null;
  /** An earlier run of the recorder has left it: it is closed without being asked for. */
  readonly isLeft: boolean;
}

/** All recordings of this service: the recorder's end of the record transport. */
export class Recorder implements RecordTransport {
  readonly #options: RecorderOptions;
  readonly #sealer: Sealer;
  readonly #budget: ByteBudget;
  readonly #live = new Map<string, Live>();
  readonly #opening = new Map<string, Promise<RecordingStatus>>();
  readonly #aborter = new AbortController();
  #ticking: NodeJS.Timeout | undefined;
  #recovering: NodeJS.Timeout | undefined;
  /** Resolves when what was taken up is closed, or cannot be for now. */
  #recovered: Promise<void> = Promise.resolve();
  /** Live recordings that were told to be degraded. */
  readonly #degraded = new Set<string>();
  /** Recordings of an earlier run that are not closed yet. */
  readonly #unrecovered = new Set<string>();
  /** Why sealing or storing fails at present; null when it works. */
  #trouble: string | null = null;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#sealer = new Sealer(options.peers['chunk-processor']);
    this.#budget = new ByteBudget(options.sealingRuns * options.runBytes);
  }

  get liveCount(): number {
    return this.#live.size;
  }

  get unrecovered(): number {
    return this.#unrecovered.size;
  }

  get trouble(): string | null {
    return this.#trouble;
  }

  /**
   * Begins to cut runs by time, and takes up what an earlier run of the service has left open. That is sealed, stored and
   * closed meanwhile; whoever asks for its close waits for it.
   */
  async start(): Promise<void> {
    this.#ticking = setInterval(() => {
      for (const { recording } of this.#live.values()) if (recording.state === 'open') recording.tick();
    }, TICK_MS);
    await this.#recover();
  }

  /**
   * Makes keys and the open entry; records may come when it resolves. Idempotent while the recording is open.
   * @throws ServiceError `wrong_state` when it is over; what the store answers
   */
  open(session: { session_id: string; server_id: string; policy: Policy }): Promise<RecordingStatus> {
    const id = session.session_id;
    const opening =
      this.#opening.get(id) ??
      this.#open(session).finally(() => {
        this.#opening.delete(id);
      });
    this.#opening.set(id, opening);
    return opening;
  }

  async #open(session: { session_id: string; server_id: string; policy: Policy }): Promise<RecordingStatus> {
    const { peers, signer, recipients, journal, index, durability } = this.#options;
    const id = session.session_id;
    const known = await this.status(id).catch(() => null);
    if (known?.state === 'open') return known;
    if (known) throw new ServiceError('wrong_state', `the recording of session ${id} is ${known.state}`);
    const refusal = await journal.refusal();
    if (refusal) throw new ServiceError('unavailable', refusal);

    const opened = await openRecording(peers['session-storage'], signer, recipients, session);
    const manifest = new Manifest(id, signer, opened.openHash, durability);
    const live = this.#create(id, opened.publicKeys, manifest, false, (events) => journal.open(id, events));
    await index.add(live.recording.status, opened, durability);
    this.#live.set(id, live);
    return live.recording.status;
  }

  #create(
    id: string,
    publicKeys: OpenedRecording['publicKeys'],
    manifest: Manifest,
    isLeft: boolean,
    openPart: (events: JournalEvents) => JournalPart,
  ): Live {
    const { peers, journal, index, log, runBytes, runSeconds, undecodableLimit } = this.#options;
    const line = new SealingLine(id, publicKeys, manifest, {
      peers,
      sealer: this.#sealer,
      budget: this.#budget,
      retry: this.#retry(id),
      progress: {
        chunks: (chunks, run) => index.keepChunks(id, chunks, run),
        partial: (note) => {
          this.#judge(recording.status);
          return index.keepNote(recording.status, manifest, 'partial', note);
        },
      },
      keep: (state, seq) => recording.keep(state, seq),
      onDamage: (cut, missing) => {
        const { stream, damage } = cut.run;
        log.error({ session: id, stream, missing, damage }, 'records cannot be read back from the journal');
        recording.lost(cut, missing);
      },
    });
    const recording: Recording = new Recording({
      session: id,
      journal,
      openPart,
      manifest,
      line,
      runBytes,
      runUs: runSeconds * 1e6,
      undecodableLimit,
      sharers: () => this.#live.size,
      onFailure: (error) => {
        log.error({ err: error, session: id }, 'a recording has failed');
        index.setState(id, 'failed').catch((err) => log.error({ err }, 'a failed recording could not be noted'));
      },
    });
    return { recording, manifest, line, closeNote: null, isLeft };
  }

  /** @throws ServiceError `not_found` */
  async status(id: string): Promise<RecordingStatus> {
    const live = this.#live.get(id);
    if (live) return live.recording.status;
    const row = await this.#options.index.find(id);
    if (!row) throw new ServiceError('not_found', `there is no recording of session ${id}`);
    return rowStatus(row, this.#options.undecodableLimit);
  }

  /**
   * Seals what is left, stores it and the close entry. Idempotent.
   * @param reason why the session ended; only a single word of lower-case letters stands in the entry as it is
   * @throws ServiceError `not_found`; why it cannot be sealed or stored now: come again
   */
  async close(id: string, reason: string): Promise<RecordingStatus> {
    const live = this.#live.get(id);
    if (!live) {
      const status = await this.status(id);
      if (status.state === 'closed') return status;
      throw new ServiceError(
        'unavailable',
        `the recording of session ${id} is of an earlier run, and not taken up yet`,
      );
    }
    const { recording, manifest } = live;
    const { peers, index } = this.#options;
    await recording.close(reason, async (hadFailed, records) => {
      live.closeNote ??= manifest.signClose(closeWord(live.isLeft ? 'recorder-restarted' : reason, hadFailed), records);
      const note = live.closeNote;
      await index.keepNote(recording.status, manifest, 'close', note);
      await retry(
        () => peers['session-storage'].putEntry({ params: { id, kind: 'close' }, body: { note } }),
        this.#retry(id),
      );
    });
    await index.setClosed(recording.status, manifest);
    this.#live.delete(id);
    this.#unrecovered.delete(id);
    this.#judge(recording.status);
    this.#degraded.delete(id);
    return recording.status;
  }

  /** @throws ServiceError `not_found`, `wrong_state` when it is not open */
  async pause(id: string, reason: string): Promise<RecordingStatus> {
    const recording = await this.find(id);
    recording.pause(reason);
    return recording.status;
  }

  /** @throws ServiceError as pause */
  async resume(id: string, reason: string): Promise<RecordingStatus> {
    const recording = await this.find(id);
    recording.goOn(reason);
    return recording.status;
  }

  /** A recording that is not closed. @throws ServiceError `not_found`, `wrong_state` */
  async find(id: string): Promise<Recording> {
    const live = this.#live.get(id);
    if (live) return live.recording;
    const { state } = await this.status(id);
    throw new ServiceError('wrong_state', `the recording of session ${id} is ${state}`);
  }

  async attach(sessionId: string, connectionId: string, events: RecordWriterEvents): Promise<RecordingWriter> {
    return (await this.find(sessionId)).attach(connectionId, events);
  }

  /** Closes every recording, within `deadlineMs`: what is not stored then is taken up at the next start. */
  async stop(deadlineMs: number): Promise<void> {
    clearInterval(this.#ticking);
    clearTimeout(this.#recovering);
    const timer = setTimeout(() => this.#aborter.abort(new Error('the recorder stops')), deadlineMs);
    const ids = [...this.#live.keys()];
    const results = await Promise.allSettled(ids.map((id) => this.close(id, 'recorder-stopped')));
    await this.#recovered;
    clearTimeout(timer);
    clearTimeout(this.#recovering);
    for (const [i, result] of results.entries()) {
      if (result.status === 'rejected')
        this.#options.log.error({ err: result.reason, session: ids[i] }, 'a recording could not be closed');
    }
  }

  async #recover(retryMs = FIRST_RECOVERY_RETRY_MS): Promise<void> {
    const { index, journal, log } = this.#options;
    const rows = (await index.unfinished()).filter(({ session_id }) => this.#live.get(session_id)?.isLeft ?? true);
    for (const row of rows) {
      const id = row.session_id;
      this.#unrecovered.add(id);
      if (this.#live.has(id)) continue;
      await this.#takeUp(row).catch((error) => {
        log.error({ err: error, session: id }, 'an unfinished recording cannot be taken up yet');
      });
    }
    journal.forgetAllBut(new Set([...this.#unrecovered].filter((id) => !this.#live.has(id))));
    const closing = [...this.#unrecovered].filter((id) => this.#live.has(id)).map((id) => this.#closeLeft(id));
    this.#recovered = Promise.all(closing).then(() => this.#recoverLater(retryMs));
  }

  #recoverLater(retryMs: number): void {
    if (this.#unrecovered.size === 0 || this.#aborter.signal.aborted) return;
    const next = Math.min(retryMs * 2, LONGEST_RECOVERY_RETRY_MS);
    this.#recovering = setTimeout(() => {
      this.#recover(next).catch((error) => {
        this.#options.log.error({ err: error }, 'unfinished recordings cannot be looked for');
      });
    }, retryMs);
  }

  /** Takes up a recording that an earlier run of the service has left open: from now on it is being closed. */
  async #takeUp(row: RecordingRow): Promise<void> {
    const { journal, index, runBytes } = this.#options;
    const id = row.session_id;
    const past = await readPast(row, this.#options);
    const { manifest, publicKeys, stored } = past;
    if (past.isClosed) {
      await index.setClosed({ ...rowStatus(row, this.#options.undecodableLimit), chunks: manifest.leaves }, manifest);
      this.#unrecovered.delete(id);
      return;
    }
    let resumed: ResumedPart | undefined;
    const live = this.#create(id, publicKeys, manifest, true, (events) => {
      resumed = journal.resume(id, events, stored, runBytes);
      return resumed.part;
    });
    if (stored.has('screen')) live.line.resume(resumed!.state);
    live.recording.resume(past, resumed!);
    this.#live.set(id, live);
  }

  async #closeLeft(id: string): Promise<void> {
    const { log } = this.#options;
    try {
      const { records } = await this.close(id, 'recorder-restarted');
      log.warn({ session: id, records }, 'closed a recording that was open when the recorder ended');
    } catch (error) {
      log.error({ err: error, session: id }, 'an unfinished recording cannot be closed yet');
    }
  }

  /** Tells of a recording that something is wrong with it, as soon as that is known. */
  #judge({ session_id, quality }: RecordingStatus): void {
    if (quality.problems.length === 0 || this.#degraded.has(session_id)) return;
    this.#degraded.add(session_id);
    this.#options.onDegraded();
    const { streams: _, problems, ...figures } = quality;
    this.#options.log.warn({ session: session_id, ...figures }, `a recording is degraded: ${problems.join('; ')}`);
  }

  #retry(session: string): RetryOptions {
    return {
      patienceMs: this.#options.retrySeconds * 1000,
      signal: this.#aborter.signal,
      onRetry: (error, delayMs) => {
        this.#trouble = error.message;
        this.#options.log.warn({ err: error, session, delay_ms: Math.round(delayMs) }, 'sealing or storing failed');
      },
      onSuccess: () => {
        this.#trouble = null;
      },
    };
  }
}

/** The word that an entry, which anyone may read, gives for a reason in words. */
function closeWord(reason: string, hadFailed: boolean): string {
  if (hadFailed) return 'recording-failed';
  return /^[a-z][a-z0-9-]{0,63}$/.test(reason) ? reason : 'ended';
}
