import type { Kysely, Selectable } from 'kysely';
import type { Role } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import type { NamedPolicy, NewPolicy, PolicyChanges } from '#contract/rdp-controller.ts';
import { newId } from '#platform/id.ts';
import { policyHash } from '#platform/policy-hash.ts';
import type { PolicyRow, Tables } from './database.ts';
import { type PolicyRules, wishedPolicy } from './policies.ts';

const DEFAULT_PAGE = 50;
/** Policies are made by hand: beyond so many something has gone wrong. */
const MAX_POLICIES = 1000;

interface ListQuery {
  limit?: number;
  cursor?: string;
  role?: Role;
}

/** Policies with names, for people to ask for. */
export class NamedPolicies {
  readonly #database: Kysely<Tables>;
  readonly #rules: PolicyRules;

  constructor(database: Kysely<Tables>, rules: PolicyRules) {
    this.#database = database;
    this.#rules = rules;
  }

  /** @throws ServiceError `conflict` when the name is taken, `limit_reached` */
  async create(fresh: NewPolicy): Promise<NamedPolicy> {
    const { count } = await this.#database
      .selectFrom('policies')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    if (count >= MAX_POLICIES) throw new ServiceError('limit_reached', `there are ${MAX_POLICIES} policies already`);
    const now = new Date().toISOString();
    const row = await this.#database
      .insertInto('policies')
      .values({
        id: newId(),
        name: fresh.name,
        description: fresh.description ?? '',
        policy: JSON.stringify(fresh.policy ?? {}),
        roles: JSON.stringify(fresh.roles ?? []),
        servers: fresh.servers == null ? null : JSON.stringify(fresh.servers),
        approval: Number(fresh.approval ?? false),
        created_at: now,
        updated_at: now,
      })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (!row) throw nameTaken(fresh.name);
    return this.#toPolicy(row);
  }

  /** A page by name; the cursor is the last name of the page before. */
  async list(query: ListQuery): Promise<{ items: NamedPolicy[]; next_cursor: string | null }> {
    const limit = query.limit ?? DEFAULT_PAGE;
    const rows = await this.#database
      .selectFrom('policies')
      .selectAll()
      .where('name', '>', query.cursor ?? '')
      .$if(query.role !== undefined, (select) => select.where('roles', 'like', `%"${query.role}"%`))
      .orderBy('name')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map((row) => this.#toPolicy(row));
    return { items, next_cursor: rows.length > limit ? items[items.length - 1].name : null };
  }

  /** @throws ServiceError `not_found` */
  async get(id: string): Promise<NamedPolicy> {
    const row = await this.#database.selectFrom('policies').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw new ServiceError('not_found', `there is no policy ${id}`);
    return this.#toPolicy(row);
  }

  /** @throws ServiceError `not_found` */
  async named(name: string): Promise<NamedPolicy> {
    const row = await this.#database.selectFrom('policies').selectAll().where('name', '=', name).executeTakeFirst();
    if (!row) throw new ServiceError('not_found', `there is no policy ${name}`);
    return this.#toPolicy(row);
  }

  /** @throws ServiceError `not_found`, `conflict` when the new name is taken */
  async update(id: string, changes: PolicyChanges): Promise<NamedPolicy> {
    const { policy, roles, servers, approval, ...texts } = changes;
    const set = {
      ...texts,
      ...(policy && { policy: JSON.stringify(policy) }),
      ...(roles && { roles: JSON.stringify(roles) }),
      ...(servers !== undefined && { servers: servers && JSON.stringify(servers) }),
      ...(approval !== undefined && { approval: Number(approval) }),
      updated_at: new Date().toISOString(),
    };
    const row = await this.#database.transaction().execute(async (transaction) => {
      const other =
        changes.name &&
        (await transaction
          .selectFrom('policies')
          .select('id')
          .where('name', '=', changes.name)
          .where('id', '!=', id)
          .executeTakeFirst());
      if (other) throw nameTaken(changes.name!);
      return transaction.updateTable('policies').set(set).where('id', '=', id).returningAll().executeTakeFirst();
    });
    if (!row) throw new ServiceError('not_found', `there is no policy ${id}`);
    return this.#toPolicy(row);
  }

  /** @throws ServiceError `not_found` */
  async delete(id: string): Promise<void> {
    const { numDeletedRows } = await this.#database.deleteFrom('policies').where('id', '=', id).executeTakeFirst();
    if (numDeletedRows === 0n) throw new ServiceError('not_found', `there is no policy ${id}`);
  }

  #toPolicy(row: Selectable<PolicyRow>): NamedPolicy {
    const { policy, roles, servers, approval, ...fields } = row;
    const named = {
      ...fields,
      policy: JSON.parse(policy),
      roles: JSON.parse(roles),
      servers: servers === null ? null : JSON.parse(servers),
      approval: approval === 1,
      policy_sha256: '',
    };
    const wish = { role: 'operator', server_id: '', policy: named.policy } as const;
    return { ...named, policy_sha256: policyHash(wishedPolicy(wish, this.#rules)).toString('hex') };
  }
}

function nameTaken(name: string): ServiceError {
  return new ServiceError('conflict', `there is a policy ${name} already`);
}
