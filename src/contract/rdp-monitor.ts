import { type Static, Type } from 'typebox';
import { Time } from './common.ts';
import { defineContract } from './contract.ts';

export const NodeSample = Type.Object({
  time: Time,
  cpu_share: Type.Number({ description: '0 to 1, of all cores' }),
  memory_total_bytes: Type.Integer(),
  memory_used_bytes: Type.Integer(),
  process_memory_bytes: Type.Integer(),
  disk_total_bytes: Type.Integer(),
  disk_used_bytes: Type.Integer(),
  live_connections: Type.Integer(),
});
export type NodeSample = Static<typeof NodeSample>;

/** Samples of the node. */
export const rdpMonitor = defineContract('rdp-monitor', {
  listSamples: {
    method: 'GET',
    path: '/v1/samples',
    summary: 'Samples of this node, newest first',
    callers: ['session-api', 'node-management'],
    query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 60 })) }),
    response: Type.Object({ items: Type.Array(NodeSample) }),
  },
});
