import { Type } from 'typebox';
import { IdParams, Nothing, PageQuery, pageOf } from '../common.ts';
import { defineRoutes } from '../contract.ts';
import { ExternalSpec, HostedSpec, Server, ServerChanges, ServerName } from '../rdp-server-manager.ts';
import { EVERYONE, may, OPERATORS } from './access.ts';

/** Servers, hosted and external. */
export const servers = defineRoutes({
  createServer: {
    method: 'POST',
    path: '/api/v1/servers',
    summary: 'Add a server',
    ...may(OPERATORS, 'servers:write'),
    rate: 'create',
    creates: true,
    body: Type.Object({
      name: ServerName,
      spec: Type.Union([HostedSpec, ExternalSpec]),
      password: Type.Optional(Type.String({ maxLength: 256 })),
    }),
    response: Server,
  },
  listServers: {
    method: 'GET',
    path: '/api/v1/servers',
    summary: 'List servers by name',
    ...may(EVERYONE, 'servers:read'),
    rate: 'read',
    query: PageQuery,
    response: pageOf(Server),
  },
  getServer: {
    method: 'GET',
    path: '/api/v1/servers/:id',
    summary: 'Show one server',
    ...may(EVERYONE, 'servers:read'),
    rate: 'read',
    params: IdParams,
    response: Server,
  },
  updateServer: {
    method: 'PATCH',
    path: '/api/v1/servers/:id',
    summary: 'Change a server, a hosted one while it does not run; pin another certificate; begin or end maintenance',
    ...may(OPERATORS, 'servers:write'),
    rate: 'write',
    params: IdParams,
    body: ServerChanges,
    response: Server,
  },
  deleteServer: {
    method: 'DELETE',
    path: '/api/v1/servers/:id',
    summary: 'Remove a server',
    ...may(OPERATORS, 'servers:write'),
    rate: 'write',
    params: IdParams,
    response: Nothing,
  },
  startServer: {
    method: 'POST',
    path: '/api/v1/servers/:id/start',
    summary: 'Start a hosted desktop',
    ...may(OPERATORS, 'servers:write'),
    rate: 'write',
    params: IdParams,
    response: Server,
  },
  restartServer: {
    method: 'POST',
    path: '/api/v1/servers/:id/restart',
    summary: 'Stop a server, then start it',
    ...may(OPERATORS, 'servers:write'),
    rate: 'write',
    params: IdParams,
    response: Server,
  },
  stopServer: {
    method: 'POST',
    path: '/api/v1/servers/:id/stop',
    summary: 'Stop a hosted desktop',
    ...may(OPERATORS, 'servers:write'),
    rate: 'write',
    params: IdParams,
    response: Server,
  },
});
