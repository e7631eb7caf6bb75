import { ServiceError } from '#contract/errors.ts';
import type { sessionApi } from '#contract/session-api.ts';
import { plainAddress } from '#platform/address.ts';
import type { CallContext, Handlers } from '#platform/http/app.ts';
import type { Access } from './access.ts';
import type { AuditLog } from './audit-log.ts';
import { type Operation, ROUTES } from './permissions.ts';
import type { Users } from './users.ts';

/** Reading is not an action; reading evidence is. */
const AUDITED_READS = new Set<Operation>(['getChunk', 'getBundle', 'getBackup', 'downloadVideo']);
/** A recording's own entries say which chunks of it were stored. */
const REFUSALS_ONLY = new Set<Operation>(['putChunk']);

interface AnyInput {
  params?: { id?: string };
  body?: { name?: unknown; server?: unknown };
}

type AnyHandler = (input: AnyInput, context: CallContext) => unknown;

export interface AuditingOptions {
  audit: AuditLog;
  users: Users;
  access: Access;
  onOutcome(operation: Operation, outcome: string): void;
}

/** The same handlers, but what each does, or fails to do, is in the audit log before it is answered. */
export function withAudit(
  handlers: Handlers<typeof sessionApi>,
  options: AuditingOptions,
): Handlers<typeof sessionApi> {
  const { audit, users, access, onOutcome } = options;

  /** What an operation is done to: never more of the input than an id or a name. */
  async function targetOf(operation: Operation, input: AnyInput): Promise<string | null> {
    const target = input.params?.id ?? input.body?.server ?? input.body?.name;
    if (typeof target !== 'string') return null;
    // People type passwords where the name belongs: only names that exist are kept.
    if (operation === 'logIn' && !(await users.has(target))) return null;
    return target.slice(0, 128);
  }

  function audited(operation: Operation, handler: AnyHandler): AnyHandler {
    return async (input, context) => {
      let outcome = 'done';
      let made: string | null = null;
      try {
        const result = await handler(input, context);
        if (ROUTES[operation].creates) made = idOf(result);
        return result;
      } catch (error) {
        outcome = error instanceof ServiceError ? error.code : 'internal';
        throw error;
      } finally {
        onOutcome(operation, outcome);
        // A flood of log-ins that are refused unread must not fill the log.
        const isFlood = operation === 'logIn' && outcome === 'limit_reached';
        if (!isFlood && !(outcome === 'done' && REFUSALS_ONLY.has(operation))) {
          const { user = null, token = null } = access.find(context.request) ?? {};
          await audit.append({
            actor: user?.id ?? null,
            ...(token && { token: token.id }),
            address: plainAddress(context.request.ip),
            action: operation,
            target: made ?? (await targetOf(operation, input)),
            outcome,
          });
        }
      }
    };
  }

  const wrapped = Object.entries(handlers).map(([name, handler]) => {
    const operation = name as Operation;
    const isAudited = ROUTES[operation].method !== 'GET' || AUDITED_READS.has(operation);
    return [operation, isAudited ? audited(operation, handler as AnyHandler) : handler];
  });
  return Object.fromEntries(wrapped);
}

/** The id of what a create has made: its own, or that of the session that an answer is about. */
function idOf(made: unknown): string | null {
  const { id, session, session_id } = made as { id?: string; session?: { id: string }; session_id?: string | null };
  return session_id ?? id ?? session?.id ?? null;
}
