/** Deletes what is older, or more, than the operator's settings keep; finished sessions only, never a held one. */
import { ServiceError } from '#contract/errors.ts';
import type { Log } from '#platform/log.ts';
import type { FinishedSessions } from './finished-sessions.ts';
import type { SessionIndex } from './session-index.ts';

const DAY_MS = 86_400_000;
/** Sessions looked at between two queries. */
const BATCH = 100;

export interface RetentionSettings {
  /** Days that a session is kept after its close; 0: for ever. */
  readonly days: number;
  /** Bytes of chunks that are kept, the youngest sessions; 0: all. */
  readonly bytes: number;
}

export class Retention {
  readonly #settings: RetentionSettings;
  readonly #index: SessionIndex;
  readonly #sessions: FinishedSessions;
  readonly #log: Log;

  constructor(settings: RetentionSettings, index: SessionIndex, sessions: FinishedSessions, log: Log) {
    this.#settings = settings;
    this.#index = index;
    this.#sessions = sessions;
    this.#log = log;
  }

  /**
   * Deletes what is due. A session that cannot be deleted now is left for the next time.
   *
   * @param signal aborted: it stops after the session that is being deleted
   * @returns how many sessions were deleted
   */
  async apply(now = Date.now(), signal?: AbortSignal): Promise<number> {
    const { days, bytes } = this.#settings;
    let deleted = 0;
    if (days > 0) {
      const before = new Date(now - days * DAY_MS).toISOString();
      deleted += await this.#deleteWhile(
        'retention-days',
        async () => (signal?.aborted ? 0 : Number.POSITIVE_INFINITY),
        before,
      );
    }
    if (bytes > 0) {
      const excess = async () => (signal?.aborted ? 0 : (await this.#index.totals()).stored_bytes - bytes);
      deleted += await this.#deleteWhile('retention-bytes', excess);
    }
    return deleted;
  }

  /** @param excess bytes that are still too many */
  async #deleteWhile(reason: string, excess: () => Promise<number>, closedBefore?: string): Promise<number> {
    const passedOver = new Set<string>();
    for (let deleted = 0; ; ) {
      const rows = await this.#index.oldestClosed(BATCH + passedOver.size, closedBefore);
      const due = rows.filter(({ id }) => !passedOver.has(id));
      if (due.length === 0) return deleted;
      for (const { id } of due) {
        if ((await excess()) <= 0) return deleted;
        if (await this.#delete(id, reason)) deleted++;
        else passedOver.add(id);
      }
    }
  }

  async #delete(id: string, reason: string): Promise<boolean> {
    try {
      await this.#sessions.delete(id, { by: null, reason });
      this.#log.info({ session: id, reason }, 'a recording was deleted');
      return true;
    } catch (error) {
      const isExpected = error instanceof ServiceError && ['conflict', 'wrong_state'].includes(error.code);
      this.#log[isExpected ? 'info' : 'error']({ err: error, session: id }, 'a recording that is due stays for now');
      return false;
    }
  }
}
