import { Type } from 'typebox';
import { Id, IdParams, Nothing, Time } from './common.ts';
import { defineContract } from './contract.ts';

/** The gateway's own small API; RDP itself is on 3389. */
export const rdpXrdp = defineContract('rdp-xrdp', {
  endConnection: {
    method: 'POST',
    path: '/v1/connections/:id/end',
    summary: 'Disconnect a client; the reason is drawn on its screen',
    callers: ['rdp-controller'],
    params: IdParams,
    body: Type.Object({ reason: Type.String({ maxLength: 500 }) }),
    response: Nothing,
  },
  /** Idempotent. Errors: `conflict` while the connection has no desktop to freeze. */
  pauseConnection: {
    method: 'POST',
    path: '/v1/connections/:id/pause',
    summary: 'Freeze display and input; answers once all that was shown is durable, and nothing more will be recorded',
    callers: ['rdp-controller'],
    params: IdParams,
    body: Type.Object({ reason: Type.String({ maxLength: 500 }) }),
    response: Nothing,
  },
  /** Idempotent. */
  resumeConnection: {
    method: 'POST',
    path: '/v1/connections/:id/resume',
    summary: 'Let display and input go on',
    callers: ['rdp-controller'],
    params: IdParams,
    body: Type.Object({}),
    response: Nothing,
  },
  status: {
    method: 'GET',
    path: '/v1/status',
    summary: 'What a client needs to find the gateway and to know it again',
    callers: ['session-api', 'rdp-controller', 'rdp-monitor'],
    response: Type.Object({
      rdp_port: Type.Integer(),
      certificate_sha256: Type.String({ description: "of the gateway's certificate (DER), hex" }),
      connections: Type.Integer(),
      /** Connections from before are gone. */
      started_at: Time,
    }),
  },
  listConnections: {
    method: 'GET',
    path: '/v1/connections',
    summary: 'Connections with their traffic',
    callers: ['rdp-controller', 'rdp-monitor'],
    response: Type.Object({
      items: Type.Array(
        Type.Object({
          id: Id,
          session_id: Id,
          bytes_to_client: Type.Integer(),
          bytes_to_server: Type.Integer(),
          unacknowledged_bytes: Type.Integer(),
        }),
      ),
    }),
  },
});
