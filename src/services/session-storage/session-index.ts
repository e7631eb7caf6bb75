/** The index of all sessions in the store: made from their files, and made again from them whenever it is in doubt. */
import type { Kysely } from 'kysely';
import type { StoredSession } from '#contract/session-storage.ts';
import type { Tables } from './database.ts';
import type { SessionFacts } from './session-facts.ts';

const DEFAULT_PAGE = 50;

export interface StoreTotals {
  /** Sessions that are not deleted. */
  sessions: number;
  chunks: number;
  stored_bytes: number;
}

export interface SessionFilter {
  state?: StoredSession['state'] | undefined;
  held?: boolean | undefined;
  place?: StoredSession['place'] | undefined;
  limit?: number | undefined;
  /** The last id of the page before. */
  cursor?: string | undefined;
}

type Row = Tables['sessions'];

export class SessionIndex {
  readonly #database: Kysely<Tables>;

  constructor(database: Kysely<Tables>) {
    this.#database = database;
  }

  async put(id: string, facts: SessionFacts): Promise<void> {
    const row = { ...facts, held: facts.held ? 1 : 0, stale: 0 };
    await this.#database
      .insertInto('sessions')
      .values({ id, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
  }

  /** What is stored of a session that grows. */
  async setSize(id: string, chunks: number, storedBytes: number): Promise<void> {
    await this.#database
      .updateTable('sessions')
      .set({ chunks, stored_bytes: storedBytes })
      .where('id', '=', id)
      .execute();
  }

  /** The session's files are about to change: until `put`, its row is not to be relied on. */
  async doubt(id: string): Promise<void> {
    await this.#database.updateTable('sessions').set({ stale: 1 }).where('id', '=', id).execute();
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#database.deleteFrom('sessions').where('id', '=', id).execute();
  }

  async clear(): Promise<void> {
    await this.#database.deleteFrom('sessions').execute();
  }

  /** All ids, each with whether its row can be relied on: live sessions change with every chunk, so theirs cannot. */
  async settled(): Promise<Map<string, boolean>> {
    const rows = await this.#database.selectFrom('sessions').select(['id', 'state', 'stale']).execute();
    return new Map(rows.map(({ id, state, stale }) => [id, state !== 'live' && stale === 0]));
  }

  async get(id: string): Promise<StoredSession | null> {
    const row = await this.#withMoves().where('sessions.id', '=', id).executeTakeFirst();
    return row ? toStoredSession(row) : null;
  }

  /** The first session whose id is not less than `from`. */
  async firstFrom(from: string): Promise<StoredSession | null> {
    const row = await this.#withMoves()
      .where('sessions.id', '>=', from)
      .orderBy('sessions.id')
      .limit(1)
      .executeTakeFirst();
    return row ? toStoredSession(row) : null;
  }

  /** Sessions by id, which is by age: oldest first. */
  async list(filter: SessionFilter): Promise<{ items: StoredSession[]; next_cursor: string | null }> {
    const limit = filter.limit ?? DEFAULT_PAGE;
    let query = this.#withMoves();
    if (filter.cursor) query = query.where('sessions.id', '>', filter.cursor);
    if (filter.state) query = query.where('state', '=', filter.state);
    if (filter.place) query = query.where('place', '=', filter.place);
    if (filter.held !== undefined) query = query.where('held', '=', filter.held ? 1 : 0);
    const rows = await query
      .orderBy('sessions.id')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map(toStoredSession);
    return { items, next_cursor: rows.length > limit ? items[items.length - 1].session_id : null };
  }

  /** Sessions that may be deleted, those closed first at first. */
  async oldestClosed(limit: number, closedBefore?: string): Promise<Pick<Row, 'id' | 'closed_at' | 'stored_bytes'>[]> {
    let query = this.#database
      .selectFrom('sessions')
      .select(['id', 'closed_at', 'stored_bytes'])
      .where('state', '=', 'closed')
      .where('held', '=', 0);
    if (closedBefore) query = query.where('closed_at', '<', closedBefore);
    return query.orderBy('closed_at').orderBy('id').limit(limit).execute();
  }

  /** Closed sessions in the store that nobody has asked to move, those closed first at first. */
  async archivable(closedBefore: string, limit: number): Promise<string[]> {
    const rows = await this.#withMoves()
      .where('state', '=', 'closed')
      .where('place', '=', 'store')
      .where('closed_at', '<', closedBefore)
      .where('moves.kind', 'is', null)
      .orderBy('closed_at')
      .limit(limit)
      .execute();
    return rows.map(({ id }) => id);
  }

  /** Deleted sessions that session-pipeline does not know to be. */
  async untold(limit: number): Promise<string[]> {
    const query = this.#database
      .selectFrom('sessions')
      .select('id')
      .where('state', '=', 'deleted')
      .where('told', '=', 0);
    return (await query.limit(limit).execute()).map(({ id }) => id);
  }

  async setTold(id: string): Promise<void> {
    await this.#database.updateTable('sessions').set({ told: 1 }).where('id', '=', id).execute();
  }

  async totals(): Promise<StoreTotals> {
    const row = await this.#database
      .selectFrom('sessions')
      .select(({ fn }) => [
        fn.countAll<number>().as('sessions'),
        fn.sum<number | null>('chunks').as('chunks'),
        fn.sum<number | null>('stored_bytes').as('stored_bytes'),
      ])
      .where('state', '!=', 'deleted')
      .executeTakeFirstOrThrow();
    return { sessions: row.sessions, chunks: row.chunks ?? 0, stored_bytes: row.stored_bytes ?? 0 };
  }

  #withMoves() {
    return this.#database
      .selectFrom('sessions')
      .leftJoin('moves', 'moves.session_id', 'sessions.id')
      .select([
        'sessions.id',
        'state',
        'chunks',
        'stored_bytes',
        'opened_at',
        'closed_at',
        'deleted_at',
        'held',
        'place',
      ])
      .select('moves.kind as moving');
  }
}

function toStoredSession({
  id,
  held,
  ...row
}: Omit<Row, 'stale' | 'told'> & Pick<StoredSession, 'moving'>): StoredSession {
  return { session_id: id, ...row, held: held === 1 };
}
