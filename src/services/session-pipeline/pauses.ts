import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { Row, SessionStore } from './session-store.ts';

export interface PausesOptions {
  store: SessionStore;
  recorder: Peers['session-recorder'];
  controller: Peers['rdp-controller'];
}

export function recordedOutside(): ServiceError {
  return new ServiceError('wrong_state', 'an outside recorder records this session');
}

/**
 * Pauses sessions and lets them go on. The connection freezes before the recording does and goes on after it, so that
 * nothing is shown, or reaches the server, while nothing is recorded. Callers hold the session's lock.
 */
export class Pauses {
  readonly #options: PausesOptions;

  constructor(options: PausesOptions) {
    this.#options = options;
  }

  /**
   * Asked for again, it makes sure of every step.
   *
   * @throws ServiceError `wrong_state` when the session is not live; `conflict` while its connection comes or goes; what the
   *   recorder says: then the session goes on as before
   */
  async pause(id: string, reason: string): Promise<Row> {
    const { store, controller } = this.#options;
    const row = await this.#live(id, 'paused');
    try {
      await this.#freeze(id, reason);
    } catch (error) {
      if (row.state === 'recording') await controller.resumeSession({ params: { id }, body: {} }).catch(() => {});
      throw error;
    }
    return row.state === 'paused' ? row : store.apply(id, 'pause', reason);
  }

  /** @throws ServiceError as pause; what was done before it is done: asked again, it does the rest */
  async resume(id: string, reason: string): Promise<Row> {
    const { store, recorder, controller } = this.#options;
    const row = await this.#live(id, 'resumed');
    await recorder.resumeRecording({ params: { id }, body: { reason } });
    const resumed = row.state === 'recording' ? row : await store.apply(id, 'resume', reason);
    await controller.resumeSession({ params: { id }, body: {} });
    return resumed;
  }

  /** Makes connection and recording what the session is: a crash may have come between the steps. */
  async agree(row: Row, isRecordingPaused: boolean): Promise<void> {
    const { recorder, controller } = this.#options;
    const params = { id: row.id };
    const reason = 'Lucid stopped while the session was being paused or resumed';
    if (row.state === 'paused') return this.#freeze(row.id, reason);
    if (isRecordingPaused) await recorder.resumeRecording({ params, body: { reason } });
    await controller.resumeSession({ params, body: {} });
  }

  async #freeze(id: string, reason: string): Promise<void> {
    const { recorder, controller } = this.#options;
    await controller.pauseSession({ params: { id }, body: { reason } });
    await recorder.pauseRecording({ params: { id }, body: { reason } });
  }

  async #live(id: string, what: string): Promise<Row> {
    const row = await this.#options.store.get(id);
    if (row.recorder_id !== null) throw recordedOutside();
    if (row.state === 'recording' || row.state === 'paused') return row;
    const why = row.state === 'created' || row.state === 'starting' ? 'it has not begun' : 'it is over';
    throw new ServiceError('wrong_state', `session ${id} is ${row.state}: it cannot be ${what}, because ${why}`);
  }
}
