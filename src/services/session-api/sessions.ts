import { type Labels, type Policy, type Priority, UUID_PATTERN } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import { everyItem } from '#contract/pages.ts';
import type { Server } from '#contract/rdp-server-manager.ts';
import type { SessionTicket, User } from '#contract/session-api.ts';
import type { Session, SessionChanges } from '#contract/session-pipeline.ts';
import type { StoredSession } from '#contract/session-storage.ts';
import { newId } from '#platform/id.ts';
import { writeRdpFile } from './rdp-file.ts';

const UUID = new RegExp(UUID_PATTERN);
const PAGE = 500;
/** States in which a session's person is in, or may still come in. */
const LIVE = 'created,starting,recording,paused';

/** A session that nobody connected to, once it is deleted. */
const NOTHING_STORED = {
  state: 'deleted',
  chunks: 0,
  stored_bytes: 0,
  opened_at: null,
  closed_at: null,
  held: false,
  place: 'store',
  moving: null,
} as const;

export interface SessionsOptions {
  peers: Peers;
  /** Empty: the host that the API was asked at. */
  gatewayHost: string;
  /** 0: the gateway's own. */
  gatewayPort: number;
}

interface Wish {
  server: string;
  policy?: Policy;
  policy_name?: string;
  approval_id?: string;
  name?: string;
  labels?: Labels;
  priority?: Priority;
  ticket_seconds?: number;
}

/** Sessions as a person sees them: made for a server, with all that is needed to connect. */
export class Sessions {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /**
   * A session that the user may see: users see their own, other roles all.
   *
   * @throws ServiceError `not_found`, for sessions of others too
   */
  async get(user: User, id: string): Promise<Session> {
    const session = await this.#options.peers['session-pipeline'].getSession({ params: { id } });
    if (user.role === 'user' && session.user_id !== user.id) {
      throw new ServiceError('not_found', `there is no session ${id}`);
    }
    return session;
  }

  /** As `get`, a session that Lucid records itself. @throws ServiceError `wrong_state` for one of an outside recorder */
  async getRecordedHere(user: User, id: string): Promise<Session> {
    const session = await this.get(user, id);
    if (session.recorder_id === null) return session;
    throw new ServiceError('wrong_state', 'an outside recorder records this session: it does not pass through here');
  }

  /**
   * @param apiHost the host name that the request was sent to
   * @throws ServiceError what stands in the way, by the service that says so
   */
  async create(user: User, wish: Wish, apiHost: string): Promise<SessionTicket> {
    const { peers } = this.#options;
    const { server: wanted, policy, policy_name, approval_id, ticket_seconds, ...named } = wish;
    checkPriority(user, named.priority);
    const server = await this.findServer(wanted);
    if (server.spec.kind === 'hosted' && server.state !== 'running' && server.state !== 'starting') {
      throw new ServiceError('wrong_state', `server ${server.name} is ${server.state}: start it first`);
    }
    const gateway = await this.#gateway(apiHost);
    const id = newId();
    const resolved = await peers['rdp-controller'].resolvePolicy({
      body: {
        session_id: id,
        server_id: server.id,
        user_id: user.id,
        role: user.role,
        ...(policy && { policy }),
        ...(policy_name && { policy_name }),
        ...(approval_id && { approval_id }),
      },
    });
    try {
      const body = { id, server_id: server.id, user_id: user.id, policy: resolved.policy, ...named };
      const session = await peers['session-pipeline'].createSession({ body });
      return await this.#ticket(session, server, gateway, ticket_seconds);
    } catch (error) {
      if (approval_id) await this.#giveBack(approval_id, id);
      throw error;
    }
  }

  /** The session could not be made, or nobody could connect to it: its approval is good for another. */
  async #giveBack(approval: string, session: string): Promise<void> {
    const { peers } = this.#options;
    const reason = 'no ticket could be made for it';
    await peers['session-pipeline'].endSession({ params: { id: session }, body: { reason } }).catch(() => {});
    await peers['rdp-controller'].unuseApproval({ params: { id: approval }, body: { session_id: session } });
  }

  /** @throws ServiceError `not_found`; `forbidden` for a priority that is not for the role */
  async update(user: User, id: string, changes: SessionChanges): Promise<Session> {
    checkPriority(user, changes.priority);
    await this.get(user, id);
    return this.#options.peers['session-pipeline'].updateSession({ params: { id }, body: changes });
  }

  /**
   * Deletes what is stored of a session that is over. Where that is nothing, only the session's state says so.
   *
   * @param reason one word, which stands in the tombstone
   * @throws ServiceError `wrong_state` when it is not over, or held
   */
  async delete(user: User, id: string, reason: string): Promise<StoredSession> {
    const { peers } = this.#options;
    try {
      return await peers['session-storage'].deleteSession({ params: { id }, body: { by: user.id, reason } });
    } catch (error) {
      if (!(error instanceof ServiceError && error.code === 'not_found')) throw error;
      await peers['session-pipeline'].sessionDeleted({
        params: { id },
        body: { cause: `nothing was stored: ${reason}` },
      });
      return { ...NOTHING_STORED, session_id: id, deleted_at: new Date().toISOString() };
    }
  }

  /**
   * A new ticket for a session that is not over. Only its own person gets one: it stands for that person.
   *
   * @throws ServiceError `forbidden`, or `wrong_state` when the session is over
   */
  async createTicket(user: User, id: string, seconds: number | undefined, apiHost: string): Promise<SessionTicket> {
    const session = await this.getRecordedHere(user, id);
    if (session.user_id !== user.id) throw new ServiceError('forbidden', 'the session is someone else’s');
    if (session.ended_at !== null) throw new ServiceError('wrong_state', `the session is over (${session.state})`);
    const server = await this.#options.peers['rdp-server-manager'].getServer({ params: { id: session.server_id } });
    return this.#ticket(session, server, await this.#gateway(apiHost), seconds);
  }

  /** Where clients find the gateway. Asked before anything is made: without it nobody could connect. */
  async #gateway(apiHost: string): Promise<SessionTicket['gateway']> {
    const { peers, gatewayHost, gatewayPort } = this.#options;
    const { rdp_port, certificate_sha256 } = await peers['rdp-xrdp'].status({});
    return { host: gatewayHost || apiHost, port: gatewayPort || rdp_port, certificate_sha256 };
  }

  /** Ends every session of a person that is not over: nobody holds a way in any more. */
  async endAllOf(userId: string, reason: string): Promise<void> {
    const pipeline = this.#options.peers['session-pipeline'];
    const live = { user_id: userId, state: LIVE, limit: PAGE };
    for await (const { id } of everyItem((next) => pipeline.listSessions({ query: { ...live, ...next } }))) {
      await pipeline.endSession({ params: { id }, body: { reason } }).catch((error) => {
        // It has ended in the meantime.
        if (!(error instanceof ServiceError && error.code === 'wrong_state')) throw error;
      });
    }
  }

  async #ticket(
    session: Session,
    server: Server,
    gateway: SessionTicket['gateway'],
    seconds: number | undefined,
  ): Promise<SessionTicket> {
    const ticket = await this.#options.peers['rdp-controller'].createTicket({
      body: { session_id: session.id, ...(seconds !== undefined && { lifetime_seconds: seconds }) },
    });
    const { spec } = server;
    const size =
      spec.kind === 'hosted' && spec.width && spec.height ? { width: spec.width, height: spec.height } : null;
    const rdp_file = writeRdpFile({
      host: gateway.host,
      port: gateway.port,
      ticketId: ticket.ticket_id,
      secret: ticket.secret,
      policy: session.policy,
      ...(size && { size }),
    });
    return { session, ...ticket, gateway, rdp_file };
  }

  /** @throws ServiceError `not_found` */
  async findServer(idOrName: string): Promise<Server> {
    const servers = this.#options.peers['rdp-server-manager'];
    if (UUID.test(idOrName)) return servers.getServer({ params: { id: idOrName } });
    for await (const server of everyItem((next) => servers.listServers({ query: { limit: PAGE, ...next } }))) {
      if (server.name === idOrName) return server;
    }
    throw new ServiceError('not_found', `there is no server ${idOrName}`);
  }
}

/** Who waits for nobody makes others wait: that is for operators to say. */
function checkPriority(user: User, priority: Priority | undefined): void {
  if (user.role === 'user' && (priority === 'high' || priority === 'urgent')) {
    throw new ServiceError('forbidden', `role user may not ask for priority ${priority}`);
  }
}
