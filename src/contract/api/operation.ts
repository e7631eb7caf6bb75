import { type Static, Type } from 'typebox';
import { Id, PageQuery, pageOf, Time } from '../common.ts';
import { defineRoutes } from '../contract.ts';
import { Node } from '../node-management.ts';
import { NodeSample } from '../rdp-monitor.ts';
import { PipelineStatus, SessionStatistics, StatisticsQuery } from '../session-pipeline.ts';
import { EXAMINERS, may, OVERSEERS } from './access.ts';

/** Who did what, and whether it worked. Each entry's hash covers its own fields and the hash before it. */
export const AuditEntry = Type.Object({
  seq: Type.Integer(),
  time: Time,
  actor: Type.Union([Id, Type.Null()], { description: 'user id; null: nobody was logged in' }),
  /** The API token that was used, if it was one. */
  token: Type.Optional(Id),
  address: Type.String(),
  action: Type.String({ description: "an operation's id in this document; liveJoined and liveLeft of a live view" }),
  target: Type.Union([Type.String(), Type.Null()], { description: 'what it was done to: an id, or a name' }),
  outcome: Type.String({ description: 'done, or the code of the error' }),
  hash: Type.String({ description: 'SHA-256, hex' }),
});
export type AuditEntry = Static<typeof AuditEntry>;

export const Statistics = Type.Object({
  sessions: SessionStatistics,
  storage: Type.Object({ sessions: Type.Integer(), chunks: Type.Integer(), stored_bytes: Type.Integer() }),
  sealing: Type.Object(
    {
      chunks: Type.Integer(),
      plain_bytes: Type.Integer(),
      stored_bytes: Type.Integer(),
      ratio: Type.Union([Type.Number(), Type.Null()], { description: 'plain to stored bytes' }),
    },
    { description: 'since the chunk processor was started' },
  ),
  users: Type.Object({
    admin: Type.Integer(),
    operator: Type.Integer(),
    user: Type.Integer(),
    auditor: Type.Integer(),
  }),
});
export type Statistics = Static<typeof Statistics>;

/** How the deployment is doing, and who did what. */
export const operation = defineRoutes({
  listAudit: {
    method: 'GET',
    path: '/api/v1/audit',
    summary: 'The audit log, newest first',
    ...may(OVERSEERS, 'audit:read'),
    rate: 'read',
    query: Type.Object({
      ...PageQuery.properties,
      actor: Type.Optional(Id),
      action: Type.Optional(Type.String({ maxLength: 64 })),
      target: Type.Optional(Type.String({ maxLength: 128 })),
      outcome: Type.Optional(Type.String({ maxLength: 64 })),
      from: Type.Optional(Time),
      before: Type.Optional(Time),
    }),
    response: pageOf(AuditEntry),
  },
  verifyAudit: {
    method: 'GET',
    path: '/api/v1/audit/verification',
    summary: 'Compute the hash chain of the audit log again; keep its head elsewhere to notice a chain cut short',
    ...may(OVERSEERS, 'audit:read'),
    rate: 'create',
    response: Type.Object({
      intact: Type.Boolean(),
      first_bad: Type.Union([Type.Integer(), Type.Null()], {
        description: 'number of the first entry that does not fit',
      }),
      head: Type.Union([Type.Object({ seq: Type.Integer(), time: Time, hash: Type.String() }), Type.Null()]),
    }),
  },
  pipelineStatus: {
    method: 'GET',
    path: '/api/v1/pipeline',
    summary: 'Sessions by state, queue, workers, rates, average times, errors by stage',
    ...may(EXAMINERS, 'status:read'),
    rate: 'read',
    response: PipelineStatus,
  },
  getStatistics: {
    method: 'GET',
    path: '/api/v1/statistics',
    summary: 'Sessions of the last days by day, server and person; what is stored; how much sealing saves; users',
    ...may(EXAMINERS, 'status:read'),
    rate: 'create',
    query: StatisticsQuery,
    response: Statistics,
  },
  listNodes: {
    method: 'GET',
    path: '/api/v1/nodes',
    summary: 'The machines that run Lucid',
    ...may(EXAMINERS, 'status:read'),
    rate: 'read',
    response: Type.Object({ items: Type.Array(Node) }),
  },
  listMetrics: {
    method: 'GET',
    path: '/api/v1/metrics',
    summary: 'Samples of this node, newest first; /metrics has the same and more for Prometheus',
    ...may(EXAMINERS, 'status:read'),
    rate: 'read',
    query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 60 })) }),
    response: Type.Object({ items: Type.Array(NodeSample) }),
  },
});
