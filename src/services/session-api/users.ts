import type { Kysely } from 'kysely';
import { ROLES, type Role } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import { findFault } from '#contract/find-fault.ts';
import { Password, type User, UserName } from '#contract/session-api.ts';
import { SettingError } from '#platform/config.ts';
import { newId } from '#platform/id.ts';
import type { Tables, UserRow } from './database.ts';
import { hashPassword, verifyPassword } from './passwords.ts';

const DEFAULT_PAGE = 50;
/** Users that are remembered once they were looked up. */
const MAX_REMEMBERED = 10_000;

function toUser({ id, name, role, created_at }: UserRow): User {
  return { id, name, role, created_at };
}

/** The people who may use this deployment. */
export class Users {
  readonly #database: Kysely<Tables>;
  /** By id: looked up with every request. Forgotten whenever a user changes. */
  readonly #remembered = new Map<string, { user: User; epoch: number }>();
  /** Grows with each change: what was read before one must not be remembered after it. */
  #changes = 0;

  constructor(database: Kysely<Tables>) {
    this.#database = database;
  }

  /** Makes the first admin, if there is no user yet and a password is given. @throws SettingError when it is unfit */
  async createFirstAdmin(name: string, password: string): Promise<void> {
    if (password === '' || (await this.count()) > 0) return;
    if (findFault(UserName, name))
      throw new SettingError(`LUCID_ADMIN_NAME=${name}: wants lower-case letters and digits`);
    if (findFault(Password, password)) throw new SettingError('LUCID_ADMIN_PASSWORD: wants 12 characters or more');
    await this.create({ name, role: 'admin', password });
  }

  async count(): Promise<number> {
    const row = await this.#database
      .selectFrom('users')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return row.count;
  }

  /** @throws ServiceError `conflict` when the name is taken */
  async create(input: { name: string; role: Role; password: string }): Promise<User> {
    const { name, role } = input;
    const password = await hashPassword(input.password);
    const row = await this.#database
      .insertInto('users')
      .values({ id: newId(), name, role, created_at: new Date().toISOString(), password, token_epoch: 0 })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (!row) throw new ServiceError('conflict', `there is a user ${name} already`);
    return toUser(row);
  }

  /** How many users have each role. */
  async countByRole(): Promise<Record<Role, number>> {
    const rows = await this.#database
      .selectFrom('users')
      .select(({ fn }) => ['role', fn.countAll<number>().as('count')])
      .groupBy('role')
      .execute();
    const counts = new Map(rows.map(({ role, count }) => [role, count]));
    return Object.fromEntries(ROLES.map((role) => [role, counts.get(role) ?? 0])) as Record<Role, number>;
  }

  async has(name: string): Promise<boolean> {
    const row = await this.#database.selectFrom('users').select('id').where('name', '=', name).executeTakeFirst();
    return row !== undefined;
  }

  /** A page by name; the cursor is the last name of the page before. */
  async list(query: { limit?: number; cursor?: string }): Promise<{ items: User[]; next_cursor: string | null }> {
    const limit = query.limit ?? DEFAULT_PAGE;
    const rows = await this.#database
      .selectFrom('users')
      .selectAll()
      .where('name', '>', query.cursor ?? '')
      .orderBy('name')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map(toUser);
    return { items, next_cursor: rows.length > limit ? items[items.length - 1].name : null };
  }

  /** Removes a user. @throws ServiceError `not_found`, or `conflict` for the last admin */
  async delete(id: string): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const user = await transaction.selectFrom('users').select('role').where('id', '=', id).executeTakeFirst();
      if (!user) throw new ServiceError('not_found', `there is no user ${id}`);
      if (user.role === 'admin') await keepAnAdmin(transaction);
      await transaction.deleteFrom('users').where('id', '=', id).execute();
    });
    this.#forget(id);
  }

  /**
   * Gives a user another role or password, and ends every log-in of theirs.
   *
   * @throws ServiceError `not_found`, or `conflict` when the last admin would be one no more
   */
  async update(id: string, changes: { role?: Role; password?: string }): Promise<User> {
    const password = changes.password === undefined ? null : await hashPassword(changes.password);
    const row = await this.#database.transaction().execute(async (transaction) => {
      const user = await transaction.selectFrom('users').select('role').where('id', '=', id).executeTakeFirst();
      if (!user) throw new ServiceError('not_found', `there is no user ${id}`);
      if (user.role === 'admin' && changes.role && changes.role !== 'admin') await keepAnAdmin(transaction);
      return transaction
        .updateTable('users')
        .set(({ eb }) => ({
          ...(changes.role && { role: changes.role }),
          ...(password && { password }),
          token_epoch: eb('token_epoch', '+', 1),
        }))
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
    });
    this.#forget(id);
    return toUser(row);
  }

  /** @throws ServiceError `not_found` */
  async get(id: string): Promise<User> {
    const user = await this.find(id);
    if (!user) throw new ServiceError('not_found', `there is no user ${id}`);
    return user;
  }

  /** The user of an id, or null. */
  async find(id: string): Promise<User | null> {
    return (await this.#lookUp(id))?.user ?? null;
  }

  async #lookUp(id: string): Promise<{ user: User; epoch: number } | null> {
    const known = this.#remembered.get(id);
    if (known) return known;
    const changes = this.#changes;
    const row = await this.#database.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) return null;
    const found = { user: toUser(row), epoch: row.token_epoch };
    if (changes === this.#changes) this.#remembered.set(id, found);
    if (this.#remembered.size > MAX_REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value!);
    return found;
  }

  #forget(id: string): void {
    this.#changes++;
    this.#remembered.delete(id);
  }

  /** @throws ServiceError `unauthenticated`, alike for an unknown name and a wrong password */
  async logIn(name: string, password: string): Promise<{ user: User; epoch: number }> {
    const row = await this.#database.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst();
    const right = await verifyPassword(password, row?.password ?? null);
    if (!row || !right) throw new ServiceError('unauthenticated', 'name or password is wrong');
    return { user: toUser(row), epoch: row.token_epoch };
  }

  /** The user of a token, or null when there is none any more, or the token was ended. */
  async ofToken(id: string, epoch: number): Promise<User | null> {
    const found = await this.#lookUp(id);
    return found?.epoch === epoch ? found.user : null;
  }

  /** Changes a password and ends every token of the user. @throws ServiceError `forbidden` when `old` is wrong */
  async changePassword(id: string, old: string, fresh: string): Promise<void> {
    const row = await this.#database.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
    if (!(await verifyPassword(old, row?.password ?? null))) {
      throw new ServiceError('forbidden', 'the old password is wrong');
    }
    const password = await hashPassword(fresh);
    await this.#database
      .updateTable('users')
      .set(({ eb }) => ({ password, token_epoch: eb('token_epoch', '+', 1) }))
      .where('id', '=', id)
      .execute();
    this.#forget(id);
  }
}

/** @throws ServiceError `conflict` when there is no admin but one */
async function keepAnAdmin(database: Kysely<Tables>): Promise<void> {
  const admins = await database.selectFrom('users').select('id').where('role', '=', 'admin').limit(2).execute();
  if (admins.length === 1) throw new ServiceError('conflict', 'this is the last admin: make another one first');
}
