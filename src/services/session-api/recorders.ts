import type { Kysely } from 'kysely';
import { ServiceError } from '#contract/errors.ts';
import type { OutsideRecorder } from '#contract/session-api.ts';
import { FormatError } from '#evidence/format-error.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { parseVerifierKey } from '#evidence/note.ts';
import { newId } from '#platform/id.ts';
import type { Tables } from './database.ts';

const DEFAULT_PAGE = 50;

/** Recorders that somebody else runs, and the keys that their entries are signed with. */
export class Recorders {
  readonly #database: Kysely<Tables>;

  constructor(database: Kysely<Tables>) {
    this.#database = database;
  }

  /** @throws ServiceError `invalid_request` for a key that is none, `conflict` when one is registered with its name */
  async create(fresh: Pick<OutsideRecorder, 'name' | 'verifier_key' | 'user_id'>): Promise<OutsideRecorder> {
    const { name } = readKey(fresh.verifier_key);
    const all = await this.#database.selectFrom('recorders').select('verifier_key').execute();
    if (all.some((row) => readKey(row.verifier_key).name === name)) {
      throw new ServiceError(
        'conflict',
        `a key with the name ${name} is registered already: entries are told apart by it`,
      );
    }
    return this.#database
      .insertInto('recorders')
      .values({ id: newId(), ...fresh, created_at: new Date().toISOString(), revoked_at: null })
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  /** A page, newest first; the cursor is the last id of the page before. */
  async list(query: { limit?: number; cursor?: string; user_id?: string }): Promise<{
    items: OutsideRecorder[];
    next_cursor: string | null;
  }> {
    const limit = query.limit ?? DEFAULT_PAGE;
    let select = this.#database.selectFrom('recorders').selectAll();
    if (query.user_id) select = select.where('user_id', '=', query.user_id);
    if (query.cursor) select = select.where('id', '<', query.cursor);
    const rows = await select
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit);
    return { items, next_cursor: rows.length > limit ? items[items.length - 1].id : null };
  }

  /** One that may store. @throws ServiceError `not_found`, also when it is another account's; `forbidden` when revoked */
  async open(id: string, userId: string): Promise<OutsideRecorder> {
    const row = await this.#database.selectFrom('recorders').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row || row.user_id !== userId) throw new ServiceError('not_found', `you have no outside recorder ${id}`);
    if (row.revoked_at !== null) {
      throw new ServiceError('forbidden', `outside recorder ${row.name} was revoked at ${row.revoked_at}`);
    }
    return row;
  }

  /** @throws ServiceError `not_found` */
  async revoke(id: string): Promise<OutsideRecorder> {
    const row = await this.#database
      .updateTable('recorders')
      .set(({ fn, val }) => ({ revoked_at: fn.coalesce('revoked_at', val(new Date().toISOString())) }))
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
    if (!row) throw new ServiceError('not_found', `there is no outside recorder ${id}`);
    return row;
  }
}

/** @throws ServiceError `invalid_request` */
function readKey(text: string): ReturnType<typeof parseVerifierKey> {
  try {
    return parseVerifierKey(sha256, text);
  } catch (error) {
    if (error instanceof FormatError) throw new ServiceError('invalid_request', `verifier_key: ${error.message}`);
    throw error;
  }
}
