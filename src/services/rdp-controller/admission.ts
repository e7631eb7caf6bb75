import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { Admission } from '#contract/rdp-controller.ts';
import type { Session } from '#contract/session-pipeline.ts';
import type { Connections } from './connections.ts';
import type { Lockout } from './lockout.ts';
import type { Tickets } from './tickets.ts';

export interface AdmissionOptions {
  tickets: Tickets;
  connections: Connections;
  lockout: Lockout;
  pipeline: Peers['session-pipeline'];
  servers: Peers['rdp-server-manager'];
  /** For sessions whose policy has no time limit of its own. */
  sessionMinutes: number;
  now?: () => number;
}

interface Client {
  address: string;
  name: string;
}

/** Lets clients in. Whatever is answered, the recording of the session is open by then, or nobody is let in. */
export class Admissions {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /**
   * Spends a ticket. It is spent last, so that a server that is down, or a limit, costs nobody their ticket.
   *
   * @throws ServiceError `ticket_refused`, `limit_reached`, `conflict`, `wrong_state`, `unavailable`, `storage_full`:
   *   each with words for the person's screen
   */
  async admit(ticket: { id: string; secret: string }, client: Client): Promise<Admission> {
    const { tickets, lockout } = this.#options;
    lockout.check(client.address);
    let sessionId: string;
    try {
      sessionId = await tickets.verify(ticket.id, ticket.secret);
    } catch (error) {
      const guess = (error as ServiceError).details as { reason?: string } | null;
      if (guess?.reason === 'unknown') lockout.fail(client.address);
      throw error;
    }
    return this.#open(sessionId, client, () => tickets.spend(ticket.id));
  }

  /**
   * Admits the return of a dropped connection, which the gateway has recognised by its own cookie. Where the gateway has
   * not noticed yet that the line dropped, the old connection is ended first.
   *
   * @throws ServiceError `wrong_state` when the session is over, and as admit
   */
  async readmit(sessionId: string, client: Client): Promise<Admission> {
    await this.#options.connections.replace(sessionId, 'This session goes on over a new connection.');
    return this.#open(sessionId, client, async () => {});
  }

  async #open(sessionId: string, client: Client, spend: () => Promise<void>): Promise<Admission> {
    const { connections, pipeline, servers } = this.#options;
    const session = await pipeline.getSession({ params: { id: sessionId } });
    const endsAt = this.#endOf(session);
    const target = await servers.getTarget({ params: { id: session.server_id } });
    const { id } = await connections.reserve(session, endsAt, client);
    let connected: Session;
    try {
      await spend();
      connected = await pipeline.connectSession({ params: { id: sessionId }, body: { connection_id: id } });
    } catch (error) {
      // The pipeline may have taken the connection although its answer got lost: it is told in any case.
      await connections.ended(id, true, 'the admission failed');
      throw error;
    }
    await connections.confirm(id);
    const paused = connected.state === 'paused';
    return { connection_id: id, session_id: sessionId, policy: session.policy, target, paused };
  }

  /** When the session's time limit ends it: the limit runs from the first connection on. */
  #endOf(session: Session): string {
    const now = (this.#options.now ?? Date.now)();
    if (session.state !== 'created' && session.state !== 'recording' && session.state !== 'paused') {
      throw new ServiceError('wrong_state', `This session is over (${session.state}). Ask for a new one.`);
    }
    const minutes = session.policy.max_minutes ?? this.#options.sessionMinutes;
    const start = session.started_at === null ? now : Date.parse(session.started_at);
    const end = start + minutes * 60_000;
    if (end <= now) throw new ServiceError('wrong_state', 'The time limit of this session is reached.');
    return new Date(end).toISOString();
  }
}
