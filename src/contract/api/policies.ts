import { Type } from 'typebox';
import { Id, IdParams, Nothing, PageQuery, Policy, pageOf, Title } from '../common.ts';
import { defineRoutes } from '../contract.ts';
import { Approval, ApprovalState, NamedPolicy, NewPolicy, PolicyChanges, PolicyName } from '../rdp-controller.ts';
import { ADMINS, EVERYONE, may, OPERATORS, WORKERS } from './access.ts';

/** Named policies, and approvals of single sessions. */
export const policies = defineRoutes({
  createPolicy: {
    method: 'POST',
    path: '/api/v1/policies',
    summary: 'Add a named policy; what it does not allow is denied',
    ...may(ADMINS, 'policies:write'),
    rate: 'create',
    creates: true,
    body: NewPolicy,
    response: NamedPolicy,
  },
  listPolicies: {
    method: 'GET',
    path: '/api/v1/policies',
    summary: 'List named policies by name; role user sees those for its role',
    ...may(EVERYONE, 'policies:read'),
    rate: 'read',
    query: PageQuery,
    response: pageOf(NamedPolicy),
  },
  getPolicy: {
    method: 'GET',
    path: '/api/v1/policies/:id',
    summary: 'Show one named policy',
    ...may(EVERYONE, 'policies:read'),
    rate: 'read',
    params: IdParams,
    response: NamedPolicy,
  },
  updatePolicy: {
    method: 'PATCH',
    path: '/api/v1/policies/:id',
    summary: 'Change a named policy; sessions that there are keep theirs',
    ...may(ADMINS, 'policies:write'),
    rate: 'write',
    params: IdParams,
    body: PolicyChanges,
    response: NamedPolicy,
  },
  deletePolicy: {
    method: 'DELETE',
    path: '/api/v1/policies/:id',
    summary: 'Remove a named policy; sessions that there are keep theirs',
    ...may(ADMINS, 'policies:write'),
    rate: 'write',
    params: IdParams,
    response: Nothing,
  },
  createApproval: {
    method: 'POST',
    path: '/api/v1/approvals',
    summary: 'Ask for one session that the own role alone does not give',
    ...may(WORKERS, 'approvals:write'),
    rate: 'create',
    creates: true,
    body: Type.Object(
      {
        server: Type.String({ description: 'id or name', maxLength: 64 }),
        policy: Type.Optional(Policy),
        policy_name: Type.Optional(PolicyName),
        reason: Title,
      },
      { additionalProperties: false },
    ),
    response: Approval,
  },
  listApprovals: {
    method: 'GET',
    path: '/api/v1/approvals',
    summary: 'List approvals, newest first; role user sees its own',
    ...may(EVERYONE, 'approvals:read'),
    rate: 'read',
    query: Type.Object({
      ...PageQuery.properties,
      state: Type.Optional(ApprovalState),
      user_id: Type.Optional(Id),
      server_id: Type.Optional(Id),
    }),
    response: pageOf(Approval),
  },
  getApproval: {
    method: 'GET',
    path: '/api/v1/approvals/:id',
    summary: 'Show one approval',
    ...may(EVERYONE, 'approvals:read'),
    rate: 'read',
    params: IdParams,
    response: Approval,
  },
  approve: {
    method: 'POST',
    path: '/api/v1/approvals/:id/approve',
    summary: "Approve somebody else's wish: one session may be created with it, within the time",
    ...may(OPERATORS, 'approvals:write'),
    rate: 'write',
    params: IdParams,
    body: Type.Object(
      {
        comment: Type.Optional(Title),
        valid_minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1440 })),
      },
      { additionalProperties: false },
    ),
    response: Approval,
  },
  deny: {
    method: 'POST',
    path: '/api/v1/approvals/:id/deny',
    summary: "Deny somebody else's wish",
    ...may(OPERATORS, 'approvals:write'),
    rate: 'write',
    params: IdParams,
    body: Type.Object({ comment: Type.Optional(Title) }, { additionalProperties: false }),
    response: Approval,
  },
});
