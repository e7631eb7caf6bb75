import { type Static, Type } from 'typebox';
import { Id, Time } from './common.ts';
import { defineContract } from './contract.ts';

export const NODE_STATES = ['active', 'draining', 'inactive', 'failed'] as const;

export const Node = Type.Object({
  id: Id,
  name: Type.String({ minLength: 1, maxLength: 253 }),
  state: Type.Enum(NODE_STATES),
  cores: Type.Integer(),
  memory_bytes: Type.Integer(),
  registered_at: Time,
  last_heartbeat_at: Time,
});
export type Node = Static<typeof Node>;

/** Machines that run Lucid. */
export const nodeManagement = defineContract('node-management', {
  listNodes: {
    method: 'GET',
    path: '/v1/nodes',
    summary: 'Nodes by name',
    callers: ['session-api', 'rdp-controller', 'rdp-monitor'],
    response: Type.Object({ items: Type.Array(Node) }),
  },
});
