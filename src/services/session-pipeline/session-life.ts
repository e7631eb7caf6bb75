import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import { FINAL_STATES, type Session } from '#contract/session-pipeline.ts';
import { KeyedLock } from '#platform/keyed-lock.ts';
import type { Log } from '#platform/log.ts';
import { Pauses, recordedOutside } from './pauses.ts';
import type { ProcessingErrors } from './processing-errors.ts';
import type { ProcessingQueue } from './processing-queue.ts';
import { type Row, type SessionStore, toSession } from './session-store.ts';

/** How long a session that was told to end waits for its connection to be gone, before it is closed all the same. */
const GOODBYE_MS = 5000;
/** The least that a session which was started by hand waits for its person. */
const MIN_START_SECONDS = 60;
/** States of a recording that takes no records any more. */
const RECORDING_OVER = ['closing', 'closed', 'failed'];
const RECORDER_DIED = 'the recorder died with the connection';

export interface LifeOptions {
  store: SessionStore;
  processing: ProcessingQueue;
  errors: ProcessingErrors;
  recorder: Peers['session-recorder'];
  controller: Peers['rdp-controller'];
  log: Log;
  resumeSeconds: number;
  unusedMinutes: number;
}

/** What happens to sessions: connections come and go, people end them, time runs out. */
export class SessionLife {
  readonly #options: LifeOptions;
  readonly #lock = new KeyedLock();
  readonly #pauses: Pauses;
  readonly #goodbyes = new Map<string, NodeJS.Timeout>();

  constructor(options: LifeOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options);
  }

  /**
   * A client was admitted. The first time, the recording is opened; while the session lives, a later connection takes
   * the place of one that has gone.
   *
   * @throws ServiceError `conflict` while another connection is up, `wrong_state` when the session is over, or what the
   *   recorder said when it could not open the recording: the session has failed then
   */
  async connect(id: string, connectionId: string): Promise<Session> {
    return this.#lock.run(id, async () => {
      const { store } = this.#options;
      const row = await store.get(id);
      if (row.recorder_id !== null) throw recordedOutside();
      if (row.state === 'created') return toSession(await this.#open(row, 'a client was admitted', connectionId));
      if (row.state !== 'recording' && row.state !== 'paused') {
        throw new ServiceError('wrong_state', `the session is ${row.state}: nobody can connect to it any more`);
      }
      if (row.connection_id !== null && row.connection_id !== connectionId) {
        throw new ServiceError('conflict', 'the session has a connection already');
      }
      if (row.connection_id === connectionId) return toSession(row);
      const changes = { connection_id: connectionId, resumable_until: null };
      return toSession(await store.note(id, 'connected', 'a client was admitted', changes));
    });
  }

  /**
   * Opens the recording before anyone connects, so that the first connection need not wait for it. Then the person has as
   * long to come as after the line dropped, a minute at least. A session that is recording already is left as it is.
   *
   * @throws ServiceError as connect
   */
  async start(id: string): Promise<Session> {
    return this.#lock.run(id, async () => {
      const { store } = this.#options;
      const row = await store.get(id);
      if (row.recorder_id !== null) throw recordedOutside();
      if (row.state === 'recording') return toSession(row);
      await this.#open(row, 'started by hand', null);
      const seconds = Math.max(this.#options.resumeSeconds, MIN_START_SECONDS);
      return toSession(await store.update(id, { resumable_until: store.time(seconds * 1000) }));
    });
  }

  async #open(row: Row, cause: string, connectionId: string | null): Promise<Row> {
    const { store, recorder, errors } = this.#options;
    const { id, server_id, user_id, policy } = row;
    await store.apply(id, 'connect', cause);
    try {
      await recorder.openRecording({ body: { session_id: id, server_id, user_id, policy: JSON.parse(policy) } });
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      await errors.add(id, 'opening', told);
      await this.abandon(id, `the recording could not be opened: ${told}`);
      throw error;
    }
    const changes = { started_at: store.time(), connection_id: connectionId };
    return store.apply(id, 'opened', 'the open entry is integrated', changes);
  }

  /** Fails a session whose opening broke off, and closes what may have been opened. */
  async abandon(id: string, reason: string): Promise<void> {
    const { store, recorder, log } = this.#options;
    await store.apply(id, 'fail', reason, { ended_at: store.time(), reason });
    await recorder
      .closeRecording({ params: { id }, body: { reason: reason.slice(0, 500) } })
      .catch((error) => log.info({ session: id, cause: String(error) }, 'no recording was left to close'));
  }

  /** A connection is gone. Says nothing about any other connection than the one named: repeating it does no harm. */
  async disconnect(id: string, gone: { connection_id: string; resumable: boolean; reason: string }): Promise<Session> {
    return this.#lock.run(id, async () => {
      const { store, processing, resumeSeconds } = this.#options;
      const row = await store.get(id);
      if (row.connection_id !== gone.connection_id) return toSession(row);
      if (row.state === 'stopped') {
        this.#forgetGoodbye(id);
        const left = await store.update(id, { connection_id: null });
        processing.add(id, left.priority);
        return toSession(left);
      }
      if (!gone.resumable || resumeSeconds === 0) return toSession(await this.#stop(id, gone.reason));
      if (await this.#isRecordingOver(id)) return toSession(await this.#stop(id, RECORDER_DIED));
      return toSession(await this.#lost(id, gone.reason));
    });
  }

  /** Whether nobody can come back, as far as the recorder can say: one that was started again takes no more records. */
  async #isRecordingOver(id: string): Promise<boolean> {
    const recording = await this.#options.recorder.getRecording({ params: { id } }).catch(() => null);
    return recording !== null && RECORDING_OVER.includes(recording.state);
  }

  /** Its connection is lost: the person may come back for a while. */
  #lost(id: string, reason: string): Promise<Row> {
    const { store, resumeSeconds } = this.#options;
    const changes = { connection_id: null, resumable_until: store.time(resumeSeconds * 1000) };
    return store.note(id, 'disconnected', reason, changes);
  }

  /** Freezes a live session, as Pauses does. */
  pause(id: string, reason: string): Promise<Session> {
    return this.#lock.run(id, async () => toSession(await this.#pauses.pause(id, reason)));
  }

  resume(id: string, reason: string): Promise<Session> {
    return this.#lock.run(id, async () => toSession(await this.#pauses.resume(id, reason)));
  }

  /**
   * Ends a session. Its connection is told the reason; once it is gone, or after 5 s, the recording is closed.
   *
   * @throws ServiceError `wrong_state` when it is over already
   */
  async end(id: string, reason: string): Promise<Session> {
    const ended = await this.#lock.run(id, async () => {
      const { store } = this.#options;
      const row = await store.get(id);
      if (FINAL_STATES.includes(row.state)) {
        throw new ServiceError('wrong_state', `session ${id} is ${row.state} already: there is nothing to end`);
      }
      if (row.state === 'stopped' || row.state === 'processing') return { row, tell: false };
      if (row.state === 'created') {
        const words = `ended before anyone connected: ${reason}`;
        return { row: await store.apply(id, 'fail', words, { ended_at: store.time(), reason: words }), tell: false };
      }
      if (row.recorder_id !== null) return { row: await this.#giveUpOutside(id, reason), tell: false };
      if (row.connection_id === null) return { row: await this.#stop(id, reason), tell: false };
      this.#goodbyes.set(
        id,
        setTimeout(() => this.#closeAnyway(id), GOODBYE_MS),
      );
      return { row: await store.apply(id, 'stop', reason, { ended_at: store.time(), reason }), tell: true };
    });
    if (ended.tell) {
      await this.#options.controller
        .endSession({ params: { id }, body: { reason } })
        .catch((error) => this.#options.log.warn({ err: error, session: id }, 'the connection could not be told'));
    }
    return toSession(ended.row);
  }

  async #stop(id: string, reason: string): Promise<Row> {
    const { store, processing } = this.#options;
    const changes = { ended_at: store.time(), reason, connection_id: null, resumable_until: null };
    const row = await store.apply(id, 'stop', reason, changes);
    processing.add(id, row.priority);
    return row;
  }

  /** Only its own recorder can close a recording: ended by anyone else, the session has failed. */
  #giveUpOutside(id: string, reason: string): Promise<Row> {
    const { store } = this.#options;
    const words = `ended before its recorder closed it: ${reason}`;
    return store.apply(id, 'fail', words, { ended_at: store.time(), reason: words });
  }

  /** What was stored of a session is deleted. Telling it again changes nothing. @throws ServiceError `wrong_state` */
  async deleted(id: string, cause: string): Promise<Session> {
    return this.#lock.run(id, async () => {
      const { store } = this.#options;
      const row = await store.get(id);
      return toSession(row.state === 'deleted' ? row : await store.apply(id, 'delete', cause));
    });
  }

  #closeAnyway(id: string): void {
    this.#forgetGoodbye(id);
    this.#options.log.warn({ session: id }, 'the connection did not go; the recording is closed all the same');
    this.#lock
      .run(id, () => this.#options.store.update(id, { connection_id: null }))
      .then((row) => this.#options.processing.add(id, row.priority))
      .catch((error) => this.#options.log.error({ err: error, session: id }, 'a session could not be closed'));
  }

  #forgetGoodbye(id: string): void {
    clearTimeout(this.#goodbyes.get(id));
    this.#goodbyes.delete(id);
  }

  /** Ends what has waited long enough: for its person's return, or for a first connection. Called every second. */
  async expire(): Promise<void> {
    const { store, unusedMinutes } = this.#options;
    for (const { id } of await store.pastResuming()) {
      await this.#lock.run(id, async () => {
        const row = await store.get(id);
        const due = row.resumable_until !== null && row.resumable_until <= store.time();
        if (due) await this.#stop(id, 'nobody came, or came back after the line dropped, in time');
      });
    }
    for (const { id } of await store.unused(unusedMinutes * 60_000)) {
      await this.#lock.run(id, async () => {
        if ((await store.get(id)).state !== 'created') return;
        const reason = `nobody connected within ${unusedMinutes} minutes`;
        await store.apply(id, 'fail', reason, { ended_at: store.time(), reason });
      });
    }
  }

  /**
   * Takes up a live session that an earlier run of this service left.
   *
   * @param connected ids of the connections that rdp-controller knows, or null when nobody can tell: then the session is left as it is
   * @throws ServiceError `unavailable` and the like when the recorder does not answer: try again later
   */
  async takeUp(id: string, connected: ReadonlySet<string> | null): Promise<void> {
    await this.#lock.run(id, async () => {
      const { store, recorder } = this.#options;
      const row = await store.get(id);
      if (row.state === 'starting') return this.abandon(id, 'Lucid stopped while the recording was being opened');
      if (row.state !== 'recording' && row.state !== 'paused') return;
      const recording = await recorder.getRecording({ params: { id } }).catch((error) => {
        if (error instanceof ServiceError && error.code === 'not_found') return null;
        throw error;
      });
      if (recording === null) {
        const reason = 'the recording was lost when Lucid stopped';
        await store.apply(id, 'fail', reason, { ended_at: store.time(), reason, connection_id: null });
      } else if (recording.state !== 'open') {
        await this.#stop(id, 'Lucid stopped while the session was live');
      } else if (row.connection_id !== null && connected !== null && !connected.has(row.connection_id)) {
        await this.#lost(id, 'the connection was lost when Lucid stopped');
      } else if (row.connection_id !== null && connected !== null) {
        await this.#pauses.agree(row, recording.paused);
      }
    });
  }

  /** Forgets its timers: what they would have done is done at the next start. */
  stop(): void {
    for (const timer of this.#goodbyes.values()) clearTimeout(timer);
    this.#goodbyes.clear();
  }
}
