/** Files of the store that were found missing or changed, by name, until they are whole again. */
import type { Kysely } from 'kysely';
import { ServiceError } from '#contract/errors.ts';
import type { StorageProblem } from '#contract/session-storage.ts';
import type { CheckResult } from '#platform/health.ts';
import type { CheckedFile } from './check-session.ts';
import type { Tables } from './database.ts';

const DEFAULT_PAGE = 50;
/** Problems that health names. */
const NAMED = 3;

export class ProblemList {
  readonly #database: Kysely<Tables>;

  constructor(database: Kysely<Tables>) {
    this.#database = database;
  }

  /** Keeps what a check found of a file: its problem, or that it has none any more. @returns whether it is news */
  async note(session: string, { path, problem }: CheckedFile): Promise<boolean> {
    const known = this.#database.selectFrom('problems').selectAll();
    const before = await known.where('session_id', '=', session).where('path', '=', path).executeTakeFirst();
    if (problem === null) {
      if (before) await this.#database.deleteFrom('problems').where('seq', '=', before.seq).execute();
      return before !== undefined;
    }
    if (before?.kind === problem.kind && before.what === problem.what) return false;
    const row = { ...problem, found_at: new Date().toISOString(), acknowledged_at: null, acknowledged_by: null };
    await this.#database
      .insertInto('problems')
      .values({ session_id: session, path, ...row })
      .onConflict((conflict) => conflict.columns(['session_id', 'path']).doUpdateSet(row))
      .execute();
    return true;
  }

  /** Forgets problems of files that are not there any more: those of a session that was deleted. */
  async forget(session: string): Promise<void> {
    await this.#database.deleteFrom('problems').where('session_id', '=', session).execute();
  }

  /** Paths within the session of what cannot be read as a whole. */
  async unreadable(session: string): Promise<Set<string>> {
    const rows = this.#database.selectFrom('problems').select('path').where('session_id', '=', session);
    const paths = await rows.where('kind', '!=', 'content').execute();
    return new Set(paths.map(({ path }) => path));
  }

  async list({ limit = DEFAULT_PAGE, cursor }: { limit?: number | undefined; cursor?: string | undefined }) {
    let query = this.#database.selectFrom('problems').selectAll().orderBy('seq');
    if (cursor !== undefined) query = query.where('seq', '>', Number(cursor));
    const rows = await query.limit(limit + 1).execute();
    const items = rows.slice(0, limit).map(({ seq, ...row }): StorageProblem => ({ id: String(seq), ...row }));
    return { items, next_cursor: rows.length > limit ? items[items.length - 1].id : null };
  }

  /** Somebody has seen the problem: health is not degraded by it any more. @throws ServiceError `not_found` */
  async acknowledge(id: string, by: string | null): Promise<void> {
    const { numUpdatedRows } = await this.#database
      .updateTable('problems')
      .set({ acknowledged_at: new Date().toISOString(), acknowledged_by: by })
      .where('seq', '=', Number(id))
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new ServiceError('not_found', `there is no problem ${id}: it may be mended`);
  }

  async counts(): Promise<{ problems: number; unacknowledged_problems: number }> {
    const row = await this.#database
      .selectFrom('problems')
      .select(({ fn }) => [fn.countAll<number>().as('all'), fn.count<number>('acknowledged_at').as('seen')])
      .executeTakeFirstOrThrow();
    return { problems: row.all, unacknowledged_problems: row.all - row.seen };
  }

  async check(): Promise<CheckResult> {
    const { problems, unacknowledged_problems: unseen } = await this.counts();
    if (unseen === 0) return { status: 'healthy', detail: `${problems} damaged files, all acknowledged` };
    const query = this.#database.selectFrom('problems').selectAll().where('acknowledged_at', 'is', null);
    const rows = await query.orderBy('seq').limit(NAMED).execute();
    const named = rows.map(({ session_id, path, what }) => `${session_id}/${path}: ${what}`).join('; ');
    const more = unseen > NAMED ? `; and ${unseen - NAMED} more` : '';
    return { status: 'degraded', detail: `${named}${more} (lucid storage problems)` };
  }
}
