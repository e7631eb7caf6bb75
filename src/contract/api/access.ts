import type { Role, Scope } from '../common.ts';
import type { Access } from '../contract.ts';

export const EVERYONE = ['admin', 'operator', 'user', 'auditor'] as const satisfies readonly Role[];
/** Who may have sessions. */
export const WORKERS = ['admin', 'operator', 'user'] as const satisfies readonly Role[];
export const OPERATORS = ['admin', 'operator'] as const satisfies readonly Role[];
/** Who may look at what is not their own. */
export const EXAMINERS = ['admin', 'operator', 'auditor'] as const satisfies readonly Role[];
export const OVERSEERS = ['admin', 'auditor'] as const satisfies readonly Role[];
export const ADMINS = ['admin'] as const satisfies readonly Role[];

/** Which people may call a route: of these roles, by log-in or with an API token that holds the scope. */
export function may<const R extends readonly Role[], const S extends Scope | null>(roles: R, scope: S) {
  return { callers: ['user'] as const, access: { roles, scope } satisfies Access };
}
