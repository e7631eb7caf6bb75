import type { policies as routes } from '#contract/api/policies.ts';
import { ServiceError } from '#contract/errors.ts';
import type { NamedPolicy } from '#contract/rdp-controller.ts';
import type { User } from '#contract/session-api.ts';
import type { HandlersOf, Parts } from './parts.ts';

/** Users see the policies that are for them. */
function mayBeSeen(policy: NamedPolicy, { role }: User): boolean {
  return role !== 'user' || policy.roles.includes('user');
}

export function policyHandlers(parts: Parts): HandlersOf<typeof routes> {
  const { access, peers, sessions } = parts;
  const controller = peers['rdp-controller'];

  /** @throws ServiceError `not_found` */
  async function approvalOf(user: User, id: string) {
    const approval = await controller.getApproval({ params: { id } });
    if (user.role === 'user' && approval.user_id !== user.id) {
      throw new ServiceError('not_found', `there is no approval ${id}`);
    }
    return approval;
  }

  return {
    createPolicy: ({ body }) => controller.createPolicy({ body }),
    listPolicies: ({ query }, context) => {
      const { role } = access.userOf(context);
      return controller.listPolicies({ query: { ...query, ...(role === 'user' && { role }) } });
    },
    getPolicy: async ({ params }, context) => {
      const policy = await controller.getPolicy({ params });
      if (mayBeSeen(policy, access.userOf(context))) return policy;
      throw new ServiceError('not_found', `there is no policy ${params.id}`);
    },
    updatePolicy: ({ params, body }) => controller.updatePolicy({ params, body }),
    deletePolicy: ({ params }) => controller.deletePolicy({ params }),
    createApproval: async ({ body }, context) => {
      const { id: user_id, role } = access.userOf(context);
      const { server, ...wish } = body;
      const { id: server_id } = await sessions.findServer(server);
      return controller.createApproval({ body: { ...wish, role, user_id, server_id } });
    },
    listApprovals: ({ query }, context) => {
      const { id, role } = access.userOf(context);
      return controller.listApprovals({ query: { ...query, ...(role === 'user' && { user_id: id }) } });
    },
    getApproval: ({ params }, context) => approvalOf(access.userOf(context), params.id),
    approve: ({ params, body }, context) =>
      controller.decideApproval({ params, body: { ...body, by: access.userOf(context).id, approve: true } }),
    deny: ({ params, body }, context) =>
      controller.decideApproval({ params, body: { ...body, by: access.userOf(context).id, approve: false } }),
  };
}
