import { ROLES, type Role, type Scope } from '#contract/common.ts';
import type { Route } from '#contract/contract.ts';
import { sessionApi } from '#contract/session-api.ts';

/** An operation's name in the contract. */
export type Operation = keyof (typeof sessionApi)['routes'];

/** The routes, by operation. */
export const ROUTES: Record<Operation, Route> = sessionApi.routes;

/** The scopes that are of any use to a role: those of the routes that it may call. */
export const SCOPES_OF: ReadonlyMap<Role, ReadonlySet<Scope>> = new Map(ROLES.map((role) => [role, scopesOf(role)]));

function scopesOf(role: Role): Set<Scope> {
  const scopes = Object.values(ROUTES)
    .filter(({ access }) => access?.roles.includes(role))
    .map(({ access }) => access!.scope);
  return new Set(scopes.filter((scope) => scope !== null));
}
