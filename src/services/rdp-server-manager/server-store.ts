import type { Kysely } from 'kysely';
import { ServiceError } from '#contract/errors.ts';
import type { Server, ServerState } from '#contract/rdp-server-manager.ts';
import type { ServerRow, Tables } from './database.ts';
import type { Spec } from './specs.ts';
import { requireTransition } from './transitions.ts';

/** A server as the database has it, its spec read. */
export interface StoredServer extends Omit<ServerRow, 'spec' | 'wanted'> {
  spec: Spec;
  wanted: boolean;
}

/** The servers' table. */
export class ServerStore {
  readonly #database: Kysely<Tables>;

  constructor(database: Kysely<Tables>) {
    this.#database = database;
  }

  /** @throws ServiceError `limit_reached`, or `conflict` when the name is taken */
  async insert(server: StoredServer, limit: number): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const rows = await transaction.selectFrom('servers').select('name').execute();
      requireFreeName(rows, server.name);
      if (rows.length >= limit) {
        throw new ServiceError('limit_reached', `there are ${rows.length} servers, at most ${limit} may be registered`);
      }
      await transaction.insertInto('servers').values(toRow(server)).execute();
    });
  }

  /** @throws ServiceError `not_found` */
  async get(id: string): Promise<StoredServer> {
    const row = await this.#database.selectFrom('servers').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw new ServiceError('not_found', `there is no server ${id}`);
    return fromRow(row);
  }

  async all(): Promise<StoredServer[]> {
    return (await this.#database.selectFrom('servers').selectAll().orderBy('name').execute()).map(fromRow);
  }

  /** Servers by name, after the one named. */
  async page(limit: number, after: string): Promise<StoredServer[]> {
    const rows = await this.#database
      .selectFrom('servers')
      .selectAll()
      .where('name', '>', after)
      .orderBy('name')
      .limit(limit)
      .execute();
    return rows.map(fromRow);
  }

  /** Changes anything but the state. @throws ServiceError `conflict` when the name is taken */
  async change(id: string, changes: Partial<Omit<StoredServer, 'id' | 'state' | 'problem'>>): Promise<void> {
    const { spec, wanted, ...plain } = changes;
    const values = {
      ...plain,
      ...(spec && { spec: JSON.stringify(spec) }),
      ...(wanted !== undefined && { wanted: Number(wanted) }),
    };
    if (Object.keys(values).length === 0) return;
    await this.#database.transaction().execute(async (transaction) => {
      if (changes.name !== undefined) {
        requireFreeName(
          await transaction.selectFrom('servers').select('name').where('id', '!=', id).execute(),
          changes.name,
        );
      }
      await transaction.updateTable('servers').set(values).where('id', '=', id).execute();
    });
  }

  /** Moves a server to another state. @throws ServiceError `wrong_state` when there is no way */
  async move(server: StoredServer, state: ServerState, problem: string | null = null): Promise<StoredServer> {
    requireTransition(server.name, server.state, state);
    return this.settle(server, state, problem);
  }

  /** Writes the state that a server is found in when Lucid starts or stops, wherever it was before. */
  async settle(server: StoredServer, state: ServerState, problem: string | null = null): Promise<StoredServer> {
    await this.#database.updateTable('servers').set({ state, problem }).where('id', '=', server.id).execute();
    return { ...server, state, problem };
  }

  async remove(id: string): Promise<void> {
    await this.#database.deleteFrom('servers').where('id', '=', id).execute();
  }
}

/** As the API shows it. */
export function toServer(server: StoredServer): Server {
  const { id, name, state, spec, problem, created_at } = server;
  const certificate_sha256 = certificateOf(server);
  return {
    id,
    name,
    state,
    spec,
    certificate_sha256,
    has_password: server.sealed_password !== null,
    created_at,
    problem,
  };
}

/** The certificate that an external server must show: the one given, or the first seen. */
export function certificateOf({ spec, first_certificate_sha256 }: StoredServer): string | null {
  return (spec.kind === 'external' ? spec.certificate_sha256 : undefined) ?? first_certificate_sha256;
}

function requireFreeName(others: { name: string }[], name: string): void {
  if (others.some((other) => other.name === name)) {
    throw new ServiceError('conflict', `there is a server called ${name} already`);
  }
}

function toRow({ spec, wanted, ...rest }: StoredServer): ServerRow {
  return { ...rest, spec: JSON.stringify(spec), wanted: Number(wanted) };
}

function fromRow({ spec, wanted, ...rest }: ServerRow): StoredServer {
  return { ...rest, spec: JSON.parse(spec), wanted: wanted === 1 };
}
