import { createHash, randomBytes } from 'node:crypto';
import { ServiceError } from '#contract/errors.ts';

const LIFETIME_MS = 30_000;
const SECRET_BYTES = 32;
/** Tickets that are not used and not over. */
const MAX_TICKETS = 1000;

/** Whom a ticket lets watch what. */
export interface WatchGrant {
  readonly session: string;
  readonly user: string;
  /** The Authorization header that asked for it: what it stands for may end while the session is watched. */
  readonly authorization: string;
}

/** Single-use tickets for live views: a browser can send no header with a WebSocket, and a secret belongs in no URL. */
export class WatchTickets {
  readonly #now: () => number;
  /** By the hash of the secret, the oldest first. */
  readonly #tickets = new Map<string, WatchGrant & { endsMs: number }>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @throws ServiceError `limit_reached` */
  create(grant: WatchGrant): { ticket: string; expires_at: string } {
    const now = this.#now();
    for (const [hash, { endsMs }] of this.#tickets) if (endsMs <= now) this.#tickets.delete(hash);
    if (this.#tickets.size >= MAX_TICKETS) {
      throw new ServiceError('limit_reached', `${MAX_TICKETS} tickets wait to be used: try again in a minute`);
    }
    const ticket = randomBytes(SECRET_BYTES).toString('base64url');
    const endsMs = now + LIFETIME_MS;
    this.#tickets.set(hashOf(ticket), { ...grant, endsMs });
    return { ticket, expires_at: new Date(endsMs).toISOString() };
  }

  /** @throws ServiceError `unauthenticated` when it is none, was used before, is over, or is for another session */
  use(ticket: string, session: string): WatchGrant {
    const hash = hashOf(ticket);
    const found = this.#tickets.get(hash);
    this.#tickets.delete(hash);
    if (!found || found.endsMs <= this.#now() || found.session !== session) {
      throw new ServiceError('unauthenticated', 'the ticket is not valid: ask for another');
    }
    return found;
  }
}

function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('hex');
}
