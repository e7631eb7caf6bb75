import type { sessionApi } from '#contract/session-api.ts';
import type { CallContext, Handlers } from '#platform/http/app.ts';
import type { Access } from './access.ts';
import type { IdempotentAnswers } from './idempotency.ts';
import { type Operation, ROUTES } from './permissions.ts';

type AnyHandler = (input: { params?: unknown; body?: unknown }, context: CallContext) => unknown;

/** The same handlers, but a create that its caller named by an `Idempotency-Key` is done once. */
export function withIdempotency(
  handlers: Handlers<typeof sessionApi>,
  answers: IdempotentAnswers,
  access: Access,
): Handlers<typeof sessionApi> {
  function once(operation: Operation, handler: AnyHandler): AnyHandler {
    return async (input, context) => {
      const key = context.request.headers['idempotency-key'];
      if (typeof key !== 'string') return handler(input, context);
      const userId = access.userOf(context).id;
      const { params = {}, body = {} } = input;
      const request = { userId, operation, key, input: { params, body } };
      const { answer, replayed } = await answers.answer(request, async () => handler(input, context));
      if (replayed) context.reply.header('idempotent-replayed', 'true');
      return answer;
    };
  }

  const wrapped = Object.entries(handlers).map(([name, handler]) => {
    const operation = name as Operation;
    return [operation, ROUTES[operation].creates ? once(operation, handler as AnyHandler) : handler];
  });
  return Object.fromEntries(wrapped);
}
