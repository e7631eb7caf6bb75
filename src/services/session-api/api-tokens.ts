import { createHash, randomBytes } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import type { Role, Scope } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import type { ApiToken } from '#contract/session-api.ts';
import { newId } from '#platform/id.ts';
import type { Tables, TokenRow } from './database.ts';
import { SCOPES_OF } from './permissions.ts';

/** Tells a token of Lucid's to who finds one, people and programs alike. */
export const TOKEN_PREFIX = 'lucid_';
const SECRET_BYTES = 32;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const MAX_PER_USER = 100;
const DEFAULT_PAGE = 50;
/** Tokens that are remembered once they were looked up. */
const MAX_REMEMBERED = 10_000;

interface NewToken {
  name: string;
  scopes: readonly Scope[];
  expires_days?: number;
}

function sha256(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function toToken(row: Selectable<TokenRow>): ApiToken {
  const { secret_sha256: _, scopes, ...fields } = row;
  return { ...fields, scopes: JSON.parse(scopes) };
}

/** API tokens: random secrets, of which only hashes are kept. */
export class ApiTokens {
  readonly #database: Kysely<Tables>;
  readonly #now: () => number;
  /** By hash: looked up with every request. Forgotten whenever a token is removed. */
  readonly #remembered = new Map<string, ApiToken>();
  /** Grows with each removal: what was read before one must not be remembered after it. */
  #removals = 0;

  constructor(database: Kysely<Tables>, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
  }

  /**
   * Makes a token. Its secret is in the answer and nowhere else.
   *
   * @throws ServiceError `forbidden` naming the scopes that no route gives to this role; `limit_reached`
   */
  async create(owner: { id: string; role: Role }, fresh: NewToken): Promise<ApiToken & { token: string }> {
    const useless = fresh.scopes.filter((scope) => !SCOPES_OF.get(owner.role)!.has(scope));
    if (useless.length > 0) {
      throw new ServiceError('forbidden', `role ${owner.role} has no use for ${useless.join(', ')}`, { useless });
    }
    const { count } = await this.#database
      .selectFrom('tokens')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('user_id', '=', owner.id)
      .executeTakeFirstOrThrow();
    if (count >= MAX_PER_USER) {
      throw new ServiceError('limit_reached', `you have ${MAX_PER_USER} API tokens: remove one first`);
    }
    const token = TOKEN_PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
    const now = this.#now();
    const row = await this.#database
      .insertInto('tokens')
      .values({
        id: newId(now),
        user_id: owner.id,
        name: fresh.name,
        scopes: JSON.stringify(fresh.scopes),
        secret_sha256: sha256(token),
        created_at: new Date(now).toISOString(),
        expires_at: fresh.expires_days ? new Date(now + fresh.expires_days * DAY_MS).toISOString() : null,
        last_used_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { ...toToken(row), token };
  }

  /** The token of a secret. @throws ServiceError `unauthenticated` when there is none, or it has expired */
  async verify(secret: string): Promise<ApiToken> {
    const hash = sha256(secret);
    const token = this.#remembered.get(hash) ?? (await this.#find(hash));
    if (!token) throw new ServiceError('unauthenticated', 'the API token is not known: it may have been removed');
    const now = this.#now();
    if (token.expires_at !== null && Date.parse(token.expires_at) <= now) {
      throw new ServiceError('unauthenticated', `the API token expired at ${token.expires_at}`);
    }
    if (token.last_used_at === null || now - Date.parse(token.last_used_at) >= MINUTE_MS) {
      token.last_used_at = new Date(now).toISOString();
      const { id, last_used_at } = token;
      await this.#database.updateTable('tokens').set({ last_used_at }).where('id', '=', id).execute();
    }
    return token;
  }

  async #find(hash: string): Promise<ApiToken | null> {
    const removals = this.#removals;
    const row = await this.#database
      .selectFrom('tokens')
      .selectAll()
      .where('secret_sha256', '=', hash)
      .executeTakeFirst();
    if (!row) return null;
    const token = toToken(row);
    if (removals !== this.#removals) return token;
    this.#remembered.set(hash, token);
    if (this.#remembered.size > MAX_REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value!);
    return token;
  }

  /** A page, newest first; the cursor is the last id of the page before. */
  async list(query: { limit?: number; cursor?: string; user_id?: string }): Promise<{
    items: ApiToken[];
    next_cursor: string | null;
  }> {
    const limit = query.limit ?? DEFAULT_PAGE;
    let select = this.#database.selectFrom('tokens').selectAll();
    if (query.user_id) select = select.where('user_id', '=', query.user_id);
    if (query.cursor) select = select.where('id', '<', query.cursor);
    const rows = await select
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map(toToken);
    return { items, next_cursor: rows.length > limit ? items[items.length - 1].id : null };
  }

  /** @param owner null: whoever's it is. @throws ServiceError `not_found`, for somebody else's too */
  async revoke(id: string, owner: string | null): Promise<void> {
    let remove = this.#database.deleteFrom('tokens').where('id', '=', id);
    if (owner !== null) remove = remove.where('user_id', '=', owner);
    const { numDeletedRows } = await remove.executeTakeFirst();
    this.#forget();
    if (numDeletedRows === 0n) throw new ServiceError('not_found', `there is no API token ${id}`);
  }

  /** Removes all tokens of a person. */
  async revokeAll(userId: string): Promise<void> {
    await this.#database.deleteFrom('tokens').where('user_id', '=', userId).execute();
    this.#forget();
  }

  #forget(): void {
    this.#removals++;
    this.#remembered.clear();
  }
}
