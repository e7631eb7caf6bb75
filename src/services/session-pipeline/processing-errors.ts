import { type Kysely, sql } from 'kysely';
import type { PipelineStatus, ProcessingError, Stage } from '#contract/session-pipeline.ts';
import type { Tables } from './database.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Of one session, told: each is tried a bounded number of times. */
const LATEST = 20;
const MESSAGE_LENGTH = 500;

/** What went wrong while sessions were opened and finished: kept with time and stage. */
export class ProcessingErrors {
  readonly #database: Kysely<Tables>;
  readonly #now: () => number;

  constructor(database: Kysely<Tables>, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
  }

  async add(sessionId: string, stage: Stage, message: string): Promise<void> {
    const row = { session_id: sessionId, time: this.#time(0), stage, message: message.slice(0, MESSAGE_LENGTH) };
    await this.#database.insertInto('errors').values(row).execute();
  }

  /** The latest of a session, oldest first. */
  async of(sessionId: string): Promise<ProcessingError[]> {
    const rows = await this.#database
      .selectFrom('errors')
      .select(['time', 'stage', 'message'])
      .where('session_id', '=', sessionId)
      .orderBy('seq', 'desc')
      .limit(LATEST)
      .execute();
    return rows.reverse();
  }

  /** The last day's, by stage. */
  async byStage(): Promise<PipelineStatus['errors']> {
    // Where a query has max(), SQLite takes the other columns from the row that has it.
    return this.#database
      .selectFrom('errors')
      .select(({ fn }) => [
        'stage',
        sql<number>`sum(time >= ${this.#time(-HOUR_MS)})`.as('last_hour'),
        fn.countAll<number>().as('last_day'),
        fn.max('time').as('last_at'),
        'message as last_message',
      ])
      .where('time', '>=', this.#time(-DAY_MS))
      .groupBy('stage')
      .orderBy('stage')
      .execute();
  }

  #time(offsetMs: number): string {
    return new Date(this.#now() + offsetMs).toISOString();
  }
}
