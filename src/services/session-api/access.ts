import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '#contract/errors.ts';
import type { ApiToken, User } from '#contract/session-api.ts';
import { plainAddress } from '#platform/address.ts';
import { type ApiTokens, TOKEN_PREFIX } from './api-tokens.ts';
import type { AuditLog } from './audit-log.ts';
import { type Operation, ROUTES } from './permissions.ts';
import type { Rates } from './rates.ts';
import type { Tokens } from './tokens.ts';
import type { Users } from './users.ts';

/** Who sent a request: a person who has logged in, or a program with a token of theirs. */
export interface Sender {
  user: User;
  token: ApiToken | null;
}

export interface AccessOptions {
  users: Users;
  tokens: Tokens;
  apiTokens: ApiTokens;
  audit: AuditLog;
  rates: Rates;
}

/** Finds out who sent a request, whether they may do what it asks for, and whether they ask too often. */
export class Access {
  readonly #options: AccessOptions;
  readonly #senders = new WeakMap<FastifyRequest, Sender>();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /**
   * @throws ServiceError `unauthenticated` without a valid token, `forbidden` when the role may not do this or the token
   *   has not the scope, `limit_reached`
   */
  async check(operation: Operation, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { sender, refusal } = await this.#judge(operation, request.headers.authorization);
    if (refusal) {
      await this.#options.audit.append({
        actor: sender.user.id,
        ...(sender.token && { token: sender.token.id }),
        address: plainAddress(request.ip),
        action: operation,
        target: null,
        outcome: 'forbidden',
      });
      throw new ServiceError('forbidden', refusal);
    }
    const { rate } = ROUTES[operation];
    if (rate) this.#options.rates.take(rate, `${operation} ${sender.user.id}`, reply);
    this.#senders.set(request, sender);
  }

  /**
   * Finds out whether what was admitted would still be.
   * @param authorization the request's header
   * @throws ServiceError `unauthenticated`, `forbidden`
   */
  async recheck(operation: Operation, authorization: string | undefined): Promise<void> {
    const { refusal } = await this.#judge(operation, authorization);
    if (refusal) throw new ServiceError('forbidden', refusal);
  }

  async #judge(operation: Operation, authorization = ''): Promise<{ sender: Sender; refusal: string | null }> {
    const secret = /^Bearer ([\w.-]{1,4096})$/i.exec(authorization)?.[1];
    if (!secret) throw new ServiceError('unauthenticated', 'log in first: the request has no token');
    const sender = await this.#identify(secret);
    return { sender, refusal: this.#refusal(sender, ROUTES[operation].access!) };
  }

  async #identify(secret: string): Promise<Sender> {
    const { users, tokens, apiTokens } = this.#options;
    const ended = () => new ServiceError('unauthenticated', 'the token is not valid any more: log in again');
    if (secret.startsWith(TOKEN_PREFIX)) {
      const token = await apiTokens.verify(secret);
      const user = await users.find(token.user_id);
      if (!user) throw ended();
      return { user, token };
    }
    const { userId, epoch } = await tokens.verify(secret);
    const user = await users.ofToken(userId, epoch);
    if (!user) throw ended();
    return { user, token: null };
  }

  /** Why not, in words; null when it may. */
  #refusal({ user, token }: Sender, access: NonNullable<(typeof ROUTES)[Operation]['access']>): string | null {
    if (!access.roles.includes(user.role)) return `role ${user.role} may not do this`;
    if (!token) return null;
    if (access.scope === null) return 'an API token may not do this: log in';
    return token.scopes.includes(access.scope) ? null : `the API token has no scope ${access.scope}`;
  }

  /** The sender has just proved who it is: by logging in. */
  remember(request: FastifyRequest, user: User): void {
    this.#senders.set(request, { user, token: null });
  }

  /** Who sent the request, or null. */
  find(request: FastifyRequest): Sender | null {
    return this.#senders.get(request) ?? null;
  }

  /** The person on whose behalf the request was sent: for routes that are checked. */
  userOf({ request }: { request: FastifyRequest }): User {
    return this.#senders.get(request)!.user;
  }
}
