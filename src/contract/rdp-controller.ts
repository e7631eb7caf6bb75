import { type Static, Type } from 'typebox';
import { Id, IdParams, Nothing, PageQuery, Policy, pageOf, Role, Time, Title } from './common.ts';
import { defineContract } from './contract.ts';
import { ServerTarget } from './rdp-server-manager.ts';

export const Ticket = Type.Object({
  /** Travels in the routing token or as user name: not secret. */
  ticket_id: Id,
  /** Travels inside TLS only. 160 bits, base32. */
  secret: Type.String(),
  expires_at: Time,
});
export type Ticket = Static<typeof Ticket>;

export const Connection = Type.Object({
  id: Id,
  session_id: Id,
  user_id: Id,
  server_id: Id,
  client_address: Type.String(),
  connected_at: Time,
  /** When the session's time limit ends it. */
  ends_at: Time,
  /** When it went; session-pipeline does not know yet. Null while it is up. */
  ended_at: Type.Union([Time, Type.Null()]),
});
export type Connection = Static<typeof Connection>;

export const Admission = Type.Object({
  connection_id: Id,
  session_id: Id,
  policy: Policy,
  target: ServerTarget,
  paused: Type.Boolean({ description: 'the session is paused: its desktop is not shown until it is resumed' }),
});
export type Admission = Static<typeof Admission>;

export const PolicyName = Type.String({
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
  description: 'lower case, digits and hyphens',
});

/** A policy with a name, that people may ask for instead of saying each thing. */
const policyFields = {
  description: Type.String({ maxLength: 500 }),
  policy: Policy,
  roles: Type.Array(Role, { uniqueItems: true, description: 'who may have sessions under it' }),
  servers: Type.Union([Type.Array(Id, { maxItems: 100, uniqueItems: true }), Type.Null()], {
    description: 'to which servers; null: to any',
  }),
  approval: Type.Boolean({ description: 'each session under it must be approved by somebody else' }),
};
export const NamedPolicy = Type.Object({
  id: Id,
  name: PolicyName,
  ...policyFields,
  policy_sha256: Type.String({ description: 'as the open entry of a session under it holds it, hex' }),
  created_at: Time,
  updated_at: Time,
});
export type NamedPolicy = Static<typeof NamedPolicy>;

/** What is left out allows nothing, and nobody. */
export const NewPolicy = Type.Object(
  { name: PolicyName, ...Type.Partial(Type.Object(policyFields)).properties },
  { additionalProperties: false },
);
export type NewPolicy = Static<typeof NewPolicy>;
export const PolicyChanges = Type.Partial(NewPolicy, { additionalProperties: false, minProperties: 1 });
export type PolicyChanges = Static<typeof PolicyChanges>;

export const APPROVAL_STATES = ['pending', 'approved', 'denied', 'used', 'expired'] as const;
export const ApprovalState = Type.Enum(APPROVAL_STATES);
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** Somebody's wish for one session, and what came of it. */
export const Approval = Type.Object({
  id: Id,
  state: ApprovalState,
  user_id: Id,
  server_id: Id,
  policy_name: Type.Union([PolicyName, Type.Null()]),
  /** What the session may do if it is approved. */
  policy: Policy,
  reason: Type.String(),
  created_at: Time,
  /** Pending: until when it may be decided. Approved: until when it may be used. */
  expires_at: Time,
  decided_at: Type.Union([Time, Type.Null()]),
  decided_by: Type.Union([Id, Type.Null()]),
  comment: Type.Union([Type.String(), Type.Null()], { description: 'of who decided' }),
  session_id: Type.Union([Id, Type.Null()], { description: 'the session that it was used for' }),
});
export type Approval = Static<typeof Approval>;

/** What a session shall be allowed: a named policy, or a policy of its own; the deployment's default without either. */
const wish = {
  role: Role,
  user_id: Id,
  server_id: Id,
  policy: Type.Optional(Policy),
  policy_name: Type.Optional(PolicyName),
};

/** Tickets, admission, policies, approvals and live connections. */
export const rdpController = defineContract('rdp-controller', {
  /** Errors: `forbidden` names what the role may not allow; `approval_needed`; `wrong_state` for an approval that is over. */
  resolvePolicy: {
    method: 'POST',
    path: '/v1/policies/resolve',
    summary: "A new session's policy: what was asked for, as far as the role may, or what was approved, which is spent",
    callers: ['session-api'],
    body: Type.Object({ ...wish, session_id: Id, approval_id: Type.Optional(Id) }),
    response: Type.Object({ policy: Policy, policy_sha256: Type.String() }),
  },
  createPolicy: {
    method: 'POST',
    path: '/v1/policies',
    summary: 'Add a named policy',
    callers: ['session-api'],
    body: NewPolicy,
    response: NamedPolicy,
  },
  listPolicies: {
    method: 'GET',
    path: '/v1/policies',
    summary: 'List named policies by name',
    callers: ['session-api'],
    query: Type.Object({ ...PageQuery.properties, role: Type.Optional(Role) }),
    response: pageOf(NamedPolicy),
  },
  getPolicy: {
    method: 'GET',
    path: '/v1/policies/:id',
    summary: 'Show one named policy',
    callers: ['session-api'],
    params: IdParams,
    response: NamedPolicy,
  },
  updatePolicy: {
    method: 'PATCH',
    path: '/v1/policies/:id',
    summary: 'Change a named policy; sessions that there are keep theirs',
    callers: ['session-api'],
    params: IdParams,
    body: PolicyChanges,
    response: NamedPolicy,
  },
  deletePolicy: {
    method: 'DELETE',
    path: '/v1/policies/:id',
    summary: 'Remove a named policy; sessions that there are keep theirs',
    callers: ['session-api'],
    params: IdParams,
    response: Nothing,
  },
  createApproval: {
    method: 'POST',
    path: '/v1/approvals',
    summary: 'Ask for one session that somebody else must approve',
    callers: ['session-api'],
    body: Type.Object({ ...wish, reason: Title }),
    response: Approval,
  },
  listApprovals: {
    method: 'GET',
    path: '/v1/approvals',
    summary: 'List approvals, newest first',
    callers: ['session-api'],
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
    path: '/v1/approvals/:id',
    summary: 'Show one approval',
    callers: ['session-api'],
    params: IdParams,
    response: Approval,
  },
  /** Errors: `forbidden` for one's own wish, `wrong_state` when it was decided or has expired. */
  decideApproval: {
    method: 'POST',
    path: '/v1/approvals/:id/decision',
    summary: 'Approve or deny',
    callers: ['session-api'],
    params: IdParams,
    body: Type.Object({
      by: Id,
      approve: Type.Boolean(),
      comment: Type.Optional(Title),
      valid_minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1440 })),
    }),
    response: Approval,
  },
  /** The session was not made after all. Does nothing for an approval that was not used for it. */
  unuseApproval: {
    method: 'POST',
    path: '/v1/approvals/:id/unuse',
    summary: 'Give back an approval that was spent for a session which could not be made',
    callers: ['session-api'],
    params: IdParams,
    body: Type.Object({ session_id: Id }),
    response: Nothing,
  },
  createTicket: {
    method: 'POST',
    path: '/v1/tickets',
    summary: 'Mint a single-use ticket for a session',
    callers: ['session-api'],
    body: Type.Object({ session_id: Id, lifetime_seconds: Type.Optional(Type.Integer({ minimum: 5, maximum: 3600 })) }),
    response: Ticket,
  },
  /** Errors: `ticket_refused` (unknown, expired, used or wrong secret: the message says which is fit to be told),
   * `unavailable` (the server is down), `storage_full`, `limit_reached`, `conflict` (the session has a connection). */
  admit: {
    method: 'POST',
    path: '/v1/admissions',
    summary: 'Spend a ticket: answers once the recording is open, with policy and target',
    callers: ['rdp-xrdp'],
    body: Type.Object({
      ticket_id: Type.String({ maxLength: 128 }),
      secret: Type.String({ maxLength: 512 }),
      client_address: Type.String({ maxLength: 64 }),
      client_name: Type.String({ maxLength: 64 }),
    }),
    response: Admission,
  },
  /** The gateway has checked its own auto-reconnect cookie: the same person returns to the same session. */
  readmit: {
    method: 'POST',
    path: '/v1/readmissions',
    summary: 'Admit the return of a dropped connection',
    callers: ['rdp-xrdp'],
    body: Type.Object({ session_id: Id, client_address: Type.String({ maxLength: 64 }) }),
    response: Admission,
  },
  connectionEnded: {
    method: 'POST',
    path: '/v1/connections/:id/ended',
    summary: 'A connection is gone; resumable when the line dropped',
    callers: ['rdp-xrdp'],
    params: IdParams,
    body: Type.Object({ resumable: Type.Boolean(), reason: Type.String({ maxLength: 500 }) }),
    response: Nothing,
  },
  serverCertificate: {
    method: 'PUT',
    path: '/v1/connections/:id/server-certificate',
    summary: 'The certificate that a server without a pin has shown',
    callers: ['rdp-xrdp'],
    params: IdParams,
    body: Type.Object({ certificate_sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }),
    response: Nothing,
  },
  listConnections: {
    method: 'GET',
    path: '/v1/connections',
    summary: 'Connections that are up, and those whose end session-pipeline has still to be told',
    callers: ['session-api', 'session-pipeline', 'rdp-xrdp', 'rdp-monitor'],
    response: Type.Object({ items: Type.Array(Connection) }),
  },
  endSession: {
    method: 'POST',
    path: '/v1/sessions/:id/end',
    summary: "End a session's connection, if it has one; the reason is shown to the person",
    callers: ['session-pipeline', 'session-api'],
    params: IdParams,
    body: Type.Object({ reason: Type.String({ maxLength: 500 }) }),
    response: Nothing,
  },
  /** Idempotent. Does nothing for a session without a connection. Errors: `conflict` while a connection comes or goes. */
  pauseSession: {
    method: 'POST',
    path: '/v1/sessions/:id/pause',
    summary: "Freeze display and input of a session's connection, if it has one; the reason is shown to the person",
    callers: ['session-pipeline'],
    params: IdParams,
    body: Type.Object({ reason: Type.String({ maxLength: 500 }) }),
    response: Nothing,
  },
  /** As pauseSession. */
  resumeSession: {
    method: 'POST',
    path: '/v1/sessions/:id/resume',
    summary: "Let display and input of a session's connection go on, if it has one",
    callers: ['session-pipeline'],
    params: IdParams,
    body: Type.Object({}),
    response: Nothing,
  },
});
