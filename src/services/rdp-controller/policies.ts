import { POLICY_FLAGS, type Policy, type Role } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import type { NamedPolicy } from '#contract/rdp-controller.ts';

export interface PolicyRules {
  /** Allowed when nothing is asked for. */
  defaults: readonly string[];
  /** The most that role user may ask for. */
  user: readonly string[];
  sessionMinutes: number;
  idleMinutes: number;
  /** Roles whose every session must be approved. */
  approvalRoles: readonly string[];
}

/** What somebody wants a session for. */
export interface Wish {
  role: Role;
  server_id: string;
  policy?: Policy;
  /** The policy that was asked for by name. */
  named?: NamedPolicy;
}

/**
 * The policy that a wish comes to, whoever may grant it: default deny. Only what is allowed stands in it, both time limits
 * always, and how pictures travel where something was said about it.
 *
 * @throws ServiceError `forbidden` for an auditor, and for a named policy that is not for this role or server
 */
export function wishedPolicy(wish: Wish, rules: PolicyRules): Policy {
  const { role, named, server_id } = wish;
  if (role === 'auditor') throw new ServiceError('forbidden', 'an auditor has no sessions of their own');
  if (named && !named.roles.includes(role)) {
    throw new ServiceError('forbidden', `policy ${named.name} is not for role ${role}`);
  }
  if (named?.servers && !named.servers.includes(server_id)) {
    throw new ServiceError('forbidden', `policy ${named.name} is not for this server`);
  }
  const asked: Policy = named?.policy ?? wish.policy ?? Object.fromEntries(rules.defaults.map((name) => [name, true]));
  return {
    ...Object.fromEntries(POLICY_FLAGS.filter((name) => asked[name] === true).map((name) => [name, true])),
    max_minutes: asked.max_minutes ?? rules.sessionMinutes,
    idle_minutes: asked.idle_minutes ?? rules.idleMinutes,
    ...(asked.profiles && { profiles: asked.profiles }),
    ...(asked.bulk_compression === false && { bulk_compression: false }),
  };
}

/**
 * The policy of a new session that nobody has approved.
 *
 * @throws ServiceError `approval_needed`; `forbidden` naming what a user may not allow, and as `wishedPolicy`
 */
export function resolvePolicy(wish: Wish, rules: PolicyRules): Policy {
  const policy = wishedPolicy(wish, rules);
  if (wish.named?.approval || rules.approvalRoles.includes(wish.role)) {
    throw new ServiceError('approval_needed', 'somebody else must approve this session: ask for an approval first');
  }
  if (wish.role === 'user' && !wish.named) refuseBeyond(policy, rules);
  return policy;
}

function refuseBeyond(policy: Policy, rules: PolicyRules): void {
  const most = new Set([...rules.user, ...rules.defaults]);
  const denied: string[] = POLICY_FLAGS.filter((name) => policy[name] && !most.has(name));
  if (policy.max_minutes! > rules.sessionMinutes) denied.push(`max_minutes above ${rules.sessionMinutes}`);
  if (policy.idle_minutes! > rules.idleMinutes) denied.push(`idle_minutes above ${rules.idleMinutes}`);
  if (denied.length === 0) return;
  const words = `your role may not allow ${denied.join(', ')}: ask for an approval, or an operator`;
  throw new ServiceError('forbidden', words, { denied });
}
