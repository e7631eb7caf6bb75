/**
 * Auto-reconnect cookies of the gateway's own (MS-RDPBCGR 5.5): a client whose line dropped comes back to its session
 * without a ticket. They live in memory only, so a restart of the gateway voids them.
 */
import { createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { type AutoReconnectPacket, autoReconnectVerifier } from '#rdp/pdu/auto-reconnect.ts';

/** How long after a connection's end its cookie still serves. */
const LIFETIME_MS = 5 * 60_000;
/** More than connections there may be: what is left over belongs to lines that dropped. */
const MAX_COOKIES = 20_000;

interface Cookie {
  sessionId: string;
  secret: Uint8Array;
  /** Set when the connection has ended: milliseconds of `performance.now`, which nobody can set. */
  expiresAt: number;
}

const hmacMd5 = (key: Uint8Array, data: Uint8Array): Uint8Array => createHmac('md5', key).update(data).digest();

export class ReconnectCookies {
  readonly #cookies = new Map<number, Cookie>();

  /** A new cookie for a session; those it had are void. */
  issue(sessionId: string): AutoReconnectPacket {
    this.revoke(sessionId);
    if (this.#cookies.size >= MAX_COOKIES) this.#dropOldest();
    let logonId = randomInt(1, 0x7fffffff);
    while (this.#cookies.has(logonId)) logonId = randomInt(1, 0x7fffffff);
    const secret = new Uint8Array(randomBytes(16));
    this.#cookies.set(logonId, { sessionId, secret, expiresAt: Number.POSITIVE_INFINITY });
    return { logonId, secret };
  }

  /**
   * Spends the cookie that a client presents.
   *
   * @param presented the client's half: its `secret` is a proof, not the cookie itself
   * @returns the session that it opens, or null when it is unknown, expired or wrong
   */
  redeem(presented: AutoReconnectPacket, now = performance.now()): string | null {
    const cookie = this.#cookies.get(presented.logonId);
    if (cookie === undefined) return null;
    const wanted = autoReconnectVerifier(cookie.secret, hmacMd5);
    if (!timingSafeEqual(wanted, presented.secret)) return null;
    this.#cookies.delete(presented.logonId);
    return cookie.expiresAt > now ? cookie.sessionId : null;
  }

  /** Starts the time in which a dropped connection may come back. */
  expire(sessionId: string, now = performance.now()): void {
    for (const [logonId, cookie] of this.#cookies) {
      if (cookie.sessionId === sessionId) cookie.expiresAt = now + LIFETIME_MS;
      else if (cookie.expiresAt <= now) this.#cookies.delete(logonId);
    }
  }

  /** Voids a session's cookies: it has ended, or has a new one. */
  revoke(sessionId: string): void {
    for (const [logonId, cookie] of this.#cookies) {
      if (cookie.sessionId === sessionId) this.#cookies.delete(logonId);
    }
  }

  #dropOldest(): void {
    const [oldest] = this.#cookies.keys();
    this.#cookies.delete(oldest);
  }
}
