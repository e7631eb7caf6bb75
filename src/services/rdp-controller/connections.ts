import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely, Selectable } from 'kysely';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { Connection } from '#contract/rdp-controller.ts';
import type { Session } from '#contract/session-pipeline.ts';
import { addressKey } from '#platform/address.ts';
import { newId } from '#platform/id.ts';
import type { Log } from '#platform/log.ts';
import type { ConnectionRow, Tables } from './database.ts';

type Row = Selectable<ConnectionRow>;

export interface ConnectionLimits {
  all: number;
  user: number;
  server: number;
  address: number;
}

export interface ConnectionsOptions {
  database: Kysely<Tables>;
  pipeline: Peers['session-pipeline'];
  gateway: Peers['rdp-xrdp'];
  log: Log;
  limits: ConnectionLimits;
  now?: () => number;
  /** How long a connection that is to be replaced may take to go; 5 s unless given. */
  replaceMs?: number;
}

const REPLACE_MS = 5000;
/** A connection that was just admitted, or is just going, is looked for again in the gateway. */
const TELL_ATTEMPTS = 20;
const TELL_PAUSE_MS = 100;
/** A connection this young may not be in the gateway's list yet. */
const YOUNG_MS = 30_000;

function toConnection(row: Row): Connection {
  const { id, session_id, user_id, server_id, client_address, connected_at, ends_at, ended_at } = row;
  return { id, session_id, user_id, server_id, client_address, connected_at, ends_at, ended_at };
}

/**
 * Live connections. They are in the database, so that a restart of this service knows them; one that is gone stays
 * there until session-pipeline has been told.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #now: () => number;
  /** What was being opened before is not opened any more. */
  readonly #bornAt: string;
  /** Emits a connection's id when it is gone and the pipeline knows. */
  readonly #gone = new EventEmitter().setMaxListeners(0);

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#bornAt = this.#time();
  }

  /** Connections that are through, those included whose end the pipeline has still to be told. */
  async list(): Promise<Connection[]> {
    const rows = await this.#options.database
      .selectFrom('connections')
      .selectAll()
      .where('opening', '=', 0)
      .orderBy('id')
      .execute();
    return rows.map(toConnection);
  }

  /**
   * Takes a session's place for a connection, within the limits, before anything is opened for it. Whatever is in its way
   * is first compared with the gateway: connections that a crash has ended hold up nobody.
   *
   * @throws ServiceError `conflict` when the session has one, `limit_reached` naming the limit
   */
  async reserve(session: Session, endsAt: string, client: { address: string; name: string }): Promise<Row> {
    try {
      return await this.#reserve(session, endsAt, client);
    } catch (error) {
      if (!(error instanceof ServiceError && ['conflict', 'limit_reached'].includes(error.code))) throw error;
      await this.reconcile().catch((cause) => this.#options.log.warn({ err: cause }, 'the gateway cannot be asked'));
      return this.#reserve(session, endsAt, client);
    }
  }

  async #reserve(session: Session, endsAt: string, client: { address: string; name: string }): Promise<Row> {
    const { database, limits } = this.#options;
    return database.transaction().execute(async (transaction) => {
      const rows = await transaction.selectFrom('connections').selectAll().execute();
      if (rows.some((row) => row.session_id === session.id)) {
        throw new ServiceError('conflict', 'This session has a connection already. Close that one, then try again.');
      }
      const count = (test: (row: Row) => boolean) => rows.filter((row) => row.ended_at === null && test(row)).length;
      const key = addressKey(client.address);
      const reached =
        (count(() => true) >= limits.all && `${limits.all} connections in all`) ||
        (count((row) => row.user_id === session.user_id) >= limits.user && `${limits.user} connections per person`) ||
        (count((row) => row.server_id === session.server_id) >= limits.server &&
          `${limits.server} connections to this server`) ||
        (count((row) => addressKey(row.client_address) === key) >= limits.address &&
          `${limits.address} connections from one address`);
      if (reached) throw new ServiceError('limit_reached', `The limit of ${reached} is reached. Try again later.`);
      return transaction
        .insertInto('connections')
        .values({
          id: newId(this.#now()),
          session_id: session.id,
          user_id: session.user_id,
          server_id: session.server_id,
          client_address: client.address,
          client_name: client.name,
          connected_at: this.#time(),
          ends_at: endsAt,
          opening: 1,
          replaced: 0,
          resumable: 0,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
    });
  }

  /** The connection is through. */
  async confirm(id: string): Promise<void> {
    await this.#options.database.updateTable('connections').set({ opening: 0 }).where('id', '=', id).execute();
  }

  /** @throws ServiceError `not_found` */
  async get(id: string): Promise<Connection> {
    const row = await this.#find('id', id);
    if (!row) throw new ServiceError('not_found', `there is no connection ${id}`);
    return toConnection(row);
  }

  /**
   * A connection is gone: session-pipeline is told, now or as soon as it can be. One that is not known is nothing new.
   */
  async ended(id: string, resumable: boolean, reason: string): Promise<void> {
    const { database } = this.#options;
    const row = await this.#find('id', id);
    if (!row || row.ended_at !== null) return;
    const gone = { ended_at: this.#time(), resumable: Number(resumable || row.replaced === 1), reason };
    const ended = await database
      .updateTable('connections')
      .set(gone)
      .where('id', '=', id)
      .where('ended_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    // Of several who say so at once, one tells, with its own words.
    if (ended) await this.#tell(ended);
  }

  async #tell(row: Row): Promise<void> {
    const { pipeline, log } = this.#options;
    const body = {
      connection_id: row.id,
      resumable: row.resumable === 1,
      reason: row.reason ?? 'the connection ended',
    };
    try {
      await pipeline.disconnectSession({ params: { id: row.session_id }, body });
    } catch (error) {
      if (!(error instanceof ServiceError && error.code === 'not_found')) {
        log.warn({ err: error, connection: row.id }, 'session-pipeline could not be told that a connection is gone');
        return;
      }
    }
    await this.#options.database.deleteFrom('connections').where('id', '=', row.id).execute();
    this.#gone.emit(row.id);
  }

  /** Disconnects a session's connection, if it has one; the person reads `reason`. */
  async endSession(sessionId: string, reason: string): Promise<void> {
    const row = await this.#find('session_id', sessionId);
    if (!row || row.ended_at !== null) return;
    await this.#disconnect(row, reason);
  }

  /** Freezes a session's connection, if it has one. @throws ServiceError `conflict` while it comes or goes */
  async pauseSession(sessionId: string, reason: string): Promise<void> {
    const { gateway } = this.#options;
    await this.#tellUp(sessionId, (id) => gateway.pauseConnection({ params: { id }, body: { reason } }));
  }

  /** @throws ServiceError as pauseSession */
  async resumeSession(sessionId: string): Promise<void> {
    const { gateway } = this.#options;
    await this.#tellUp(sessionId, (id) => gateway.resumeConnection({ params: { id }, body: {} }));
  }

  async #tellUp(sessionId: string, tell: (id: string) => Promise<unknown>): Promise<void> {
    const { gateway } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const row = await this.#find('session_id', sessionId);
      if (!row || row.ended_at !== null) return;
      try {
        await tell(row.id);
        return;
      } catch (error) {
        if (!(error instanceof ServiceError && error.code === 'not_found')) throw error;
      }
      const { started_at } = await gateway.status({});
      if (row.connected_at <= started_at) return;
      if (attempt === TELL_ATTEMPTS) {
        throw new ServiceError('conflict', 'the connection of this session is just coming or going: try again');
      }
      await sleep(TELL_PAUSE_MS);
    }
  }

  /**
   * Disconnects a session's connection, if it has one, so that another takes its place: the session goes on.
   *
   * @throws ServiceError `conflict` when it does not go within 5 s
   */
  async replace(sessionId: string, reason: string): Promise<void> {
    const row = await this.#find('session_id', sessionId);
    if (!row) return;
    const gone = once(this.#gone, row.id, { signal: AbortSignal.timeout(this.#options.replaceMs ?? REPLACE_MS) }).catch(
      () => {
        throw new ServiceError('conflict', 'The earlier connection of this session is still there. Try again.');
      },
    );
    gone.catch(() => {});
    if (row.ended_at !== null) {
      await this.#tell(row);
    } else {
      const { database } = this.#options;
      await database.updateTable('connections').set({ replaced: 1 }).where('id', '=', row.id).execute();
      await this.#disconnect(row, reason);
    }
    await gone;
  }

  async #disconnect(row: Row, reason: string): Promise<void> {
    try {
      await this.#options.gateway.endConnection({ params: { id: row.id }, body: { reason } });
    } catch (error) {
      if (!(error instanceof ServiceError && error.code === 'not_found')) throw error;
      await this.ended(row.id, false, reason);
    }
  }

  /** Ends sessions whose time is over, and tells the pipeline what it could not be told before. */
  async sweep(): Promise<void> {
    const { database, pipeline, log } = this.#options;
    const rows = await database.selectFrom('connections').selectAll().execute();
    for (const row of rows) {
      if (row.ended_at !== null) {
        await this.#tell(row);
      } else if (row.ends_at <= this.#time()) {
        const body = { reason: 'the time limit of the session is reached' };
        await pipeline
          .endSession({ params: { id: row.session_id }, body })
          .catch((error) => log.warn({ err: error, session: row.session_id }, 'an overdue session could not be ended'));
      }
    }
  }

  /**
   * Compares with the gateway, and takes those that it does not have as dropped: after a restart of either.
   *
   * @param all also those that are young or being opened: at the start, when none can be on its way
   */
  async reconcile(all = false): Promise<void> {
    const { database, gateway } = this.#options;
    const rows = await database.selectFrom('connections').selectAll().where('ended_at', 'is', null).execute();
    if (rows.length === 0) return;
    const { started_at } = await gateway.status({});
    const { items } = await gateway.listConnections({});
    const present = new Set(items.map((item) => item.id));
    const young = new Date(this.#now() - YOUNG_MS).toISOString();
    for (const row of rows) {
      const isOfThisRun = row.connected_at > started_at && row.connected_at >= this.#bornAt;
      const mayBeOnItsWay = row.opening === 1 ? isOfThisRun : row.connected_at > young && row.connected_at > started_at;
      if (present.has(row.id) || (mayBeOnItsWay && !all)) continue;
      await this.ended(row.id, true, 'the gateway has lost the connection');
    }
  }

  async #find(column: 'id' | 'session_id', value: string): Promise<Row | undefined> {
    return this.#options.database.selectFrom('connections').selectAll().where(column, '=', value).executeTakeFirst();
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }
}
