import type { recorders as routes } from '#contract/api/recorders.ts';
import type { HandlersOf, Parts } from './parts.ts';

export function recorderHandlers(parts: Parts): HandlersOf<typeof routes> {
  const { access, users, recorders, outside } = parts;
  return {
    createRecorder: async ({ body }) => {
      await users.get(body.user_id);
      return recorders.create(body);
    },
    listRecorders: ({ query }, context) => {
      const { id, role } = access.userOf(context);
      return recorders.list({ ...query, ...(role === 'user' && { user_id: id }) });
    },
    revokeRecorder: ({ params }) => recorders.revoke(params.id),
    createOutsideSession: ({ params, body }, context) => outside.create(access.userOf(context), params.id, body),
    putSessionKey: async ({ params, body }, context) => {
      await outside.putKey(access.userOf(context), params, body);
      return {};
    },
    putChunk: ({ params, query, body }, context) => outside.putChunk(access.userOf(context), { params, query, body }),
    putEntry: ({ params, body }, context) => outside.putEntry(access.userOf(context), params, body.note),
  };
}
