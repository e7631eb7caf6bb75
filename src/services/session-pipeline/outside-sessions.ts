import { ServiceError } from '#contract/errors.ts';
import type { Session } from '#contract/session-pipeline.ts';
import { type Row, type SessionStore, toSession } from './session-store.ts';

const HOUR_MS = 3_600_000;

/**
 * Sessions that an outside recorder records: it opens and closes their recordings, and what it stored is all there is.
 * One that nothing comes from for too long has failed.
 */
export class OutsideSessions {
  readonly #store: SessionStore;
  readonly #patienceHours: number;

  constructor(store: SessionStore, patienceHours: number) {
    this.#store = store;
    this.#patienceHours = patienceHours;
  }

  /** Its open entry is stored. @throws ServiceError `wrong_state` when it is over, or not of an outside recorder */
  async opened(id: string): Promise<Session> {
    const row = await this.#get(id);
    if (row.state === 'recording') return toSession(row);
    if (row.state === 'created') await this.#store.apply(id, 'connect', 'the outside recorder began');
    const changes = { started_at: this.#store.time(), outside_at: this.#store.time() };
    return toSession(await this.#store.apply(id, 'opened', 'the open entry is stored', changes));
  }

  /** More of it was stored. @throws ServiceError `wrong_state` when it is not live */
  async grown(id: string): Promise<Session> {
    const row = await this.#get(id);
    if (row.state !== 'recording') {
      throw new ServiceError('wrong_state', `the session is ${row.state}: nothing more is taken of it`);
    }
    return toSession(await this.#store.update(id, { outside_at: this.#store.time() }));
  }

  /** Its close entry is stored. @throws ServiceError as opened */
  async closed(id: string, reason: string, detail: string): Promise<Session> {
    const row = await this.#get(id);
    if (row.state === 'completed') return toSession(row);
    if (row.state === 'recording') {
      await this.#store.apply(id, 'stop', reason, { ended_at: this.#store.time(), reason });
    }
    return toSession(await this.finish(await this.#store.get(id), detail));
  }

  /** Takes the last steps of a session whose close entry is stored. */
  async finish(row: Row, detail = 'the close entry is stored'): Promise<Row> {
    if (row.state === 'stopped') await this.#store.apply(row.id, 'process', 'the outside recorder has closed it');
    return this.#store.apply(row.id, 'complete', detail);
  }

  /** Fails those that nothing has come from for too long. */
  async expire(): Promise<void> {
    for (const { id } of await this.#store.silentOutside(this.#patienceHours * HOUR_MS)) {
      const reason = `nothing came from the outside recorder for ${this.#patienceHours} hours`;
      await this.#store.apply(id, 'fail', reason, { ended_at: this.#store.time(), reason });
    }
  }

  async #get(id: string): Promise<Row> {
    const row = await this.#store.get(id);
    if (row.recorder_id === null) throw new ServiceError('wrong_state', 'Lucid records this session itself');
    return row;
  }
}
