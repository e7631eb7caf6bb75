import type { Kysely, Selectable } from 'kysely';
import type { Labels, Policy, Priority } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import type {
  Session,
  SessionChanges,
  SessionQuery,
  SessionState,
  SessionTransition,
} from '#contract/session-pipeline.ts';
import { newId } from '#platform/id.ts';
import type { SessionRow, Tables } from './database.ts';
import { cursorOf, selectSessions } from './session-list.ts';
import { nextState, type SessionEvent } from './transitions.ts';

export type Row = Selectable<SessionRow>;
type Changes = Partial<
  Pick<
    SessionRow,
    'started_at' | 'ended_at' | 'reason' | 'connection_id' | 'resumable_until' | 'close_attempts' | 'outside_at'
  >
>;

/** What happens to a session without moving it: its connection is lost, or it has one again. */
export type SessionNote = 'connected' | 'disconnected';

export interface NewSession {
  /** A new one unless given. */
  id?: string;
  server_id: string;
  user_id: string;
  policy: Policy;
  recorder_id?: string | null;
  name?: string;
  labels?: Labels;
  priority?: Priority;
}

const DEFAULT_PAGE = 50;

/** What the outside sees of a session. */
export function toSession(row: Row): Session {
  const { connection_id, close_attempts: _, outside_at: __, policy, labels, ...fields } = row;
  return {
    ...fields,
    policy: JSON.parse(policy),
    labels: JSON.parse(labels),
    connected: connection_id !== null,
  };
}

/** Sessions and their history. A state changes only through `apply`, together with its history. */
export class SessionStore {
  readonly #database: Kysely<Tables>;
  readonly #now: () => number;
  readonly #onTransition: (event: SessionEvent) => void;

  constructor(
    database: Kysely<Tables>,
    options: { now?: () => number; onTransition?: (event: SessionEvent) => void } = {},
  ) {
    this.#database = database;
    this.#now = options.now ?? Date.now;
    this.#onTransition = options.onTransition ?? (() => {});
  }

  time(offsetMs = 0): string {
    return new Date(this.#now() + offsetMs).toISOString();
  }

  /** @throws ServiceError `conflict` when there is a session with this id */
  async create(input: NewSession): Promise<Row> {
    const { id, server_id, user_id, policy, recorder_id, name, labels, priority } = input;
    const row = await this.#database
      .insertInto('sessions')
      .values({
        id: id ?? newId(this.#now()),
        server_id,
        user_id,
        state: 'created',
        policy: JSON.stringify(policy),
        created_at: this.time(),
        close_attempts: 0,
        recorder_id: recorder_id ?? null,
        name: name ?? null,
        ...(labels && { labels: JSON.stringify(labels) }),
        ...(priority && { priority }),
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (!row) throw new ServiceError('conflict', `there is a session ${id} already`);
    return row;
  }

  /** @throws ServiceError `not_found` */
  async get(id: string): Promise<Row> {
    const row = await this.#database.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw new ServiceError('not_found', `there is no session ${id}`);
    return row;
  }

  /** A page, sorted and chosen as asked. @throws ServiceError `invalid_request` for a cursor that is none */
  async list(query: SessionQuery): Promise<{ items: Row[]; next_cursor: string | null }> {
    const limit = query.limit ?? DEFAULT_PAGE;
    const rows = await selectSessions(this.#database, query)
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit);
    return { items, next_cursor: rows.length > limit ? cursorOf(items[items.length - 1], query.sort) : null };
  }

  /** Changes what its people call it, and how soon it is processed. @throws ServiceError `not_found` */
  async edit(id: string, changes: SessionChanges): Promise<Row> {
    await this.get(id);
    const { name, labels, priority } = changes;
    return this.#database
      .updateTable('sessions')
      .set({
        ...(name !== undefined && { name }),
        ...(labels && { labels: JSON.stringify(labels) }),
        ...(priority && { priority }),
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  async history(id: string): Promise<SessionTransition[]> {
    await this.get(id);
    const rows = await this.#database
      .selectFrom('transitions')
      .selectAll()
      .where('session_id', '=', id)
      .orderBy('seq')
      .execute();
    return rows.map(({ time, event, from_state, to_state, cause }) => {
      return { time, event, from: from_state, to: to_state, cause };
    });
  }

  /**
   * Moves a session along the transition table, with its history, in one transaction.
   *
   * @param cause why, in words: kept in the history
   * @throws ServiceError `not_found` or `wrong_state`
   */
  async apply(id: string, event: SessionEvent, cause: string, changes: Changes = {}): Promise<Row> {
    const applied = await this.#database.transaction().execute(async (transaction) => {
      const row = await transaction.selectFrom('sessions').select('state').where('id', '=', id).executeTakeFirst();
      if (!row) throw new ServiceError('not_found', `there is no session ${id}`);
      const state = nextState(row.state, event);
      await transaction
        .insertInto('transitions')
        .values({ session_id: id, time: this.time(), event, from_state: row.state, to_state: state, cause })
        .execute();
      return transaction
        .updateTable('sessions')
        .set({ ...changes, state })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
    });
    this.#onTransition(event);
    return applied;
  }

  /**
   * Enters into the history what moves a session nowhere, together with what it changes.
   *
   * @param cause why, in words
   * @throws ServiceError `not_found`
   */
  async note(id: string, event: SessionNote, cause: string, changes: Changes): Promise<Row> {
    return this.#database.transaction().execute(async (transaction) => {
      const row = await transaction.selectFrom('sessions').select('state').where('id', '=', id).executeTakeFirst();
      if (!row) throw new ServiceError('not_found', `there is no session ${id}`);
      const { state } = row;
      await transaction
        .insertInto('transitions')
        .values({ session_id: id, time: this.time(), event, from_state: state, to_state: state, cause })
        .execute();
      return transaction
        .updateTable('sessions')
        .set(changes)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
    });
  }

  /** Changes what is no state. */
  async update(id: string, changes: Changes): Promise<Row> {
    return this.#database
      .updateTable('sessions')
      .set(changes)
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  async inState(...states: SessionState[]): Promise<Row[]> {
    return this.#database.selectFrom('sessions').selectAll().where('state', 'in', states).orderBy('id').execute();
  }

  /** Sessions whose person did not come back in time. */
  async pastResuming(): Promise<Row[]> {
    return this.#database
      .selectFrom('sessions')
      .selectAll()
      .where('state', 'in', ['recording', 'paused'])
      .where('connection_id', 'is', null)
      .where('resumable_until', '<=', this.time())
      .execute();
  }

  /** Sessions that nobody ever connected to, made longer than `ageMs` ago. */
  async unused(ageMs: number): Promise<Row[]> {
    return this.#database
      .selectFrom('sessions')
      .selectAll()
      .where('state', '=', 'created')
      .where('created_at', '<=', this.time(-ageMs))
      .execute();
  }

  /** Live sessions of outside recorders that nothing has come from for so long. */
  async silentOutside(ageMs: number): Promise<Row[]> {
    return this.#database
      .selectFrom('sessions')
      .selectAll()
      .where('state', '=', 'recording')
      .where('recorder_id', 'is not', null)
      .where('outside_at', '<=', this.time(-ageMs))
      .execute();
  }

  async counts(): Promise<Partial<Record<SessionState, number>>> {
    const rows = await this.#database
      .selectFrom('sessions')
      .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
      .groupBy('state')
      .execute();
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }
}
