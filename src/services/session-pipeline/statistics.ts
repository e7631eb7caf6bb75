import { type Kysely, sql } from 'kysely';
import type { PipelineStatus, SessionStatistics } from '#contract/session-pipeline.ts';
import type { Tables } from './database.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MOST = 10;

/**
 * From the first picture to the end; null for a session that is not over, or never began. Never less than nothing: the
 * clock may have been set back in between.
 */
const SECONDS = sql<number | null>`max(0, (julianday(ended_at) - julianday(started_at)) * 86400)`;

function rounded(seconds: number | null): number | null {
  return seconds === null ? null : Math.round(seconds * 1000) / 1000;
}

/** What sessions and their processing amount to. */
export class Statistics {
  readonly #database: Kysely<Tables>;
  readonly #now: () => number;

  constructor(database: Kysely<Tables>, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
  }

  /** How many sessions came and went in the last hour. */
  async lastHour(): Promise<PipelineStatus['last_hour']> {
    const since = this.#time(-HOUR_MS);
    const [created, steps] = await Promise.all([
      this.#database
        .selectFrom('sessions')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where(sql`coalesce(created_at, '')`, '>=', since)
        .executeTakeFirstOrThrow(),
      this.#database
        .selectFrom('transitions')
        .select(({ fn }) => ['event', fn.countAll<number>().as('count')])
        .where('time', '>=', since)
        .where('event', 'in', ['complete', 'fail'])
        .groupBy('event')
        .execute(),
    ]);
    const counts = new Map(steps.map(({ event, count }) => [event, count]));
    return { created: created.count, completed: counts.get('complete') ?? 0, failed: counts.get('fail') ?? 0 };
  }

  /** How long it took, of what was completed in the last day. */
  async averages(): Promise<PipelineStatus['averages']> {
    const between = (from: string, to: string) =>
      sql<
        number | null
      >`avg(max(0, (julianday(${sql.ref(`${to}.time`)}) - julianday(${sql.ref(`${from}.time`)})) * 86400))`;
    const row = await this.#database
      .selectFrom('transitions as completed')
      .innerJoin('transitions as processed', (join) =>
        join.onRef('processed.session_id', '=', 'completed.session_id').on('processed.event', '=', 'process'),
      )
      .innerJoin('transitions as stopped', (join) =>
        join.onRef('stopped.session_id', '=', 'completed.session_id').on('stopped.event', '=', 'stop'),
      )
      .innerJoin('transitions as opened', (join) =>
        join.onRef('opened.session_id', '=', 'completed.session_id').on('opened.event', '=', 'opened'),
      )
      .select([
        between('stopped', 'processed').as('queued'),
        between('processed', 'completed').as('processing'),
        between('opened', 'stopped').as('session'),
      ])
      .where('completed.event', '=', 'complete')
      .where('completed.time', '>=', this.#time(-DAY_MS))
      .executeTakeFirstOrThrow();
    return {
      queued_seconds: rounded(row.queued),
      processing_seconds: rounded(row.processing),
      session_seconds: rounded(row.session),
    };
  }

  /** Sessions that were created in the last `days`, today included. */
  async sessions(days: number): Promise<SessionStatistics> {
    const to = this.#time(0);
    const from = `${this.#time((1 - days) * DAY_MS).slice(0, 10)}T00:00:00.000Z`;
    const since = this.#database.selectFrom('sessions').where(sql`coalesce(created_at, '')`, '>=', from);
    const count = sql<number>`count(*)`;
    const seconds = sql<number>`coalesce(sum(${SECONDS}), 0)`;
    const of = (state: string) => sql<number>`sum(state = ${state})`;
    const share = (column: 'server_id' | 'user_id') =>
      since
        .select([`${column} as id`, count.as('sessions'), seconds.as('seconds')])
        .groupBy(column)
        .orderBy('sessions', 'desc')
        .orderBy(column)
        .limit(MOST)
        .execute();
    const [states, whole, by_day, by_server, by_user] = await Promise.all([
      since
        .select(['state', count.as('count')])
        .groupBy('state')
        .execute(),
      since
        .select([seconds.as('seconds'), sql<number | null>`avg(${SECONDS})`.as('average')])
        .executeTakeFirstOrThrow(),
      since
        .select([
          sql<string>`substr(created_at, 1, 10)`.as('day'),
          count.as('created'),
          of('completed').as('completed'),
          of('failed').as('failed'),
          seconds.as('seconds'),
        ])
        .groupBy('day')
        .orderBy('day')
        .execute(),
      share('server_id'),
      share('user_id'),
    ]);
    const round = <R extends { seconds: number }>(rows: R[]) =>
      rows.map((row) => ({ ...row, seconds: rounded(row.seconds)! }));
    return {
      from,
      to,
      created: states.reduce((sum, state) => sum + state.count, 0),
      by_state: Object.fromEntries(states.map(({ state, count }) => [state, count])),
      seconds: rounded(whole.seconds)!,
      average_seconds: rounded(whole.average),
      by_day: round(by_day),
      by_server: round(by_server),
      by_user: round(by_user),
    };
  }

  #time(offsetMs: number): string {
    return new Date(this.#now() + offsetMs).toISOString();
  }
}
