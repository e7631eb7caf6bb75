import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Kysely } from 'kysely';
import { ServiceError } from '#contract/errors.ts';
import type { Ticket } from '#contract/rdp-controller.ts';
import { newId } from '#platform/id.ts';
import type { Tables } from './database.ts';

const SECRET_BYTES = 20;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** What a ticket that nobody has is compared with, so that an unknown id takes as long as a wrong secret. */
const NO_SECRET = Buffer.alloc(32);
/** Expired tickets are told from unknown ones this long. */
const KEEP_EXPIRED_MS = 24 * 3600 * 1000;

export type RefusalReason = 'unknown' | 'expired' | 'used';

/** Drawn on the person's screen. An unknown ticket and a wrong secret are told alike: guessing teaches nothing. */
const WORDS: Record<RefusalReason, string> = {
  unknown: 'This ticket is not valid. Ask for a new one and connect with that.',
  expired: 'This ticket has expired. Ask for a new one and connect before it expires.',
  used: 'This ticket was used before; each admits once. Ask for a new one.',
};

function refusal(reason: RefusalReason): ServiceError {
  return new ServiceError('ticket_refused', WORDS[reason], { reason });
}

/** 160 random bits in 32 letters and digits (RFC 4648, base32, lower case). */
function newSecret(): string {
  let bits = BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`);
  let text = '';
  for (let i = 0; i < (SECRET_BYTES * 8) / 5; i++) {
    text += BASE32[Number(bits & 31n)];
    bits >>= 5n;
  }
  return text;
}

/** Secrets are compared without regard to case: some clients change that of a user name. */
function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret.toLowerCase()).digest();
}

/** Single-use, short-lived secrets that admit a client to a session. */
export class Tickets {
  readonly #database: Kysely<Tables>;
  readonly #now: () => number;

  constructor(database: Kysely<Tables>, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
  }

  /** Mints a ticket. Its secret is in the answer and nowhere else. */
  async create(sessionId: string, lifetimeSeconds: number): Promise<Ticket> {
    const now = this.#now();
    const ticket = {
      ticket_id: newId(now),
      secret: newSecret(),
      expires_at: new Date(now + lifetimeSeconds * 1000).toISOString(),
    };
    await this.#database
      .insertInto('tickets')
      .values({
        id: ticket.ticket_id,
        session_id: sessionId,
        secret_sha256: hashSecret(ticket.secret).toString('hex'),
        created_at: new Date(now).toISOString(),
        expires_at: ticket.expires_at,
      })
      .execute();
    return ticket;
  }

  /**
   * The session that a ticket admits to; the ticket stays unspent.
   *
   * @throws ServiceError `ticket_refused`, with `details.reason`: `expired` and `used` are told only to who knows the
   *   secret
   */
  async verify(id: string, secret: string): Promise<string> {
    const row = await this.#database.selectFrom('tickets').selectAll().where('id', '=', id).executeTakeFirst();
    const expected = row ? Buffer.from(row.secret_sha256, 'hex') : NO_SECRET;
    if (!timingSafeEqual(hashSecret(secret), expected) || !row) throw refusal('unknown');
    if (row.used_at !== null) throw refusal('used');
    if (row.expires_at <= this.#time()) throw refusal('expired');
    return row.session_id;
  }

  /**
   * Spends a verified ticket. Of any number of callers at once, one succeeds.
   *
   * @throws ServiceError `ticket_refused` when it was spent or expired in the meantime
   */
  async spend(id: string): Promise<void> {
    const now = this.#time();
    const result = await this.#database
      .updateTable('tickets')
      .set({ used_at: now })
      .where('id', '=', id)
      .where('used_at', 'is', null)
      .where('expires_at', '>', now)
      .executeTakeFirst();
    if (result.numUpdatedRows === 1n) return;
    const row = await this.#database.selectFrom('tickets').select('used_at').where('id', '=', id).executeTakeFirst();
    throw refusal(row?.used_at ? 'used' : 'expired');
  }

  /** Removes tickets that expired a day ago. */
  async prune(): Promise<void> {
    const before = new Date(this.#now() - KEEP_EXPIRED_MS).toISOString();
    await this.#database.deleteFrom('tickets').where('expires_at', '<', before).execute();
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }
}
