import type { people as routes } from '#contract/api/people.ts';
import { addressKey } from '#platform/address.ts';
import type { HandlersOf, Parts } from './parts.ts';

export function peopleHandlers(parts: Parts): HandlersOf<typeof routes> {
  const { access, users, tokens, apiTokens, rates, sessions } = parts;
  return {
    logIn: async ({ body }, { request, reply }) => {
      rates.take('password', addressKey(request.ip), reply);
      const { user, epoch } = await users.logIn(body.name, body.password);
      access.remember(request, user);
      return { ...(await tokens.sign(user.id, epoch)), user };
    },
    whoAmI: (_input, context) => access.userOf(context),
    changePassword: async ({ body }, context) => {
      const { id } = access.userOf(context);
      await users.changePassword(id, body.old, body.new);
      await apiTokens.revokeAll(id);
      return {};
    },
    createUser: ({ body }) => users.create(body),
    listUsers: ({ query }) => users.list(query),
    getUser: ({ params }) => users.get(params.id),
    updateUser: async ({ params, body }) => {
      const user = await users.update(params.id, body);
      await apiTokens.revokeAll(user.id);
      return user;
    },
    deleteUser: async ({ params }) => {
      await users.delete(params.id);
      await apiTokens.revokeAll(params.id);
      await sessions.endAllOf(params.id, 'the person has no account any more');
      return {};
    },
    createToken: ({ body }, context) => apiTokens.create(access.userOf(context), body),
    listTokens: ({ query }, context) => {
      const { id, role } = access.userOf(context);
      const seesAll = role === 'admin' || role === 'auditor';
      return apiTokens.list({ ...query, ...(!seesAll && { user_id: id }) });
    },
    revokeToken: async ({ params }, context) => {
      const { id, role } = access.userOf(context);
      await apiTokens.revoke(params.id, role === 'admin' ? null : id);
      return {};
    },
  };
}
