import { type Static, Type } from 'typebox';
import { displayFields, Id, IdParams, Nothing, PageQuery, Time } from './common.ts';
import { defineContract } from './contract.ts';

export const SERVER_STATES = [
  'creating',
  'starting',
  'running',
  'stopping',
  'stopped',
  'failed',
  'maintenance',
] as const;
export const ServerState = Type.Enum(SERVER_STATES);
export type ServerState = (typeof SERVER_STATES)[number];

export const ServerName = Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$', description: 'a DNS label' });

/** A hosted xrdp desktop. */
export const HostedSpec = Type.Object(
  {
    kind: Type.Literal('hosted'),
    backend: Type.Optional(Type.Enum(['vnc', 'xorg'], { default: 'vnc' })),
    width: Type.Optional(Type.Integer({ minimum: 200, maximum: 8192, default: 1280 })),
    height: Type.Optional(Type.Integer({ minimum: 200, maximum: 8192, default: 800 })),
    /** Bits a pixel of the X server. */
    depth: Type.Optional(Type.Enum([16, 24], { default: 24 })),
    /** Shell script run inside the desktop instead of the default window manager and terminal; the desktop ends with it. */
    command: Type.Optional(Type.String({ minLength: 1, maxLength: 10000 })),
    /** Processes and threads of the whole desktop. */
    max_processes: Type.Optional(Type.Integer({ minimum: 32, maximum: 65536, default: 512 })),
    /** Address space of one process; 0 for no limit. */
    process_memory_mib: Type.Optional(Type.Integer({ minimum: 0, maximum: 1048576, default: 4096 })),
    /** Settings of xrdp's [Globals], of the few that are allowed. */
    xrdp: Type.Optional(Type.Record(Type.String({ maxLength: 40 }), Type.String({ maxLength: 40 }))),
    ...displayFields,
  },
  { additionalProperties: false },
);

/** A host that someone else runs. */
export const ExternalSpec = Type.Object(
  {
    kind: Type.Literal('external'),
    host: Type.String({ minLength: 1, maxLength: 253 }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, default: 3389 })),
    user: Type.Optional(Type.String({ maxLength: 256 })),
    domain: Type.Optional(Type.String({ maxLength: 256 })),
    /** SHA-256 of the server's certificate (DER), hex. Without one the first that is seen is pinned. */
    certificate_sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
    ...displayFields,
  },
  { additionalProperties: false },
);

/** What may be changed about a server; what is left out stays. */
export const ServerChanges = Type.Object({
  name: Type.Optional(ServerName),
  spec: Type.Optional(Type.Union([HostedSpec, ExternalSpec])),
  /** Null takes the password away. */
  password: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
  /** True keeps new sessions out until it is false again; live ones go on. */
  maintenance: Type.Optional(Type.Boolean()),
});

export const Server = Type.Object({
  id: Id,
  name: ServerName,
  state: ServerState,
  spec: Type.Union([HostedSpec, ExternalSpec]),
  /** The certificate that the server must show: given, or first seen. */
  certificate_sha256: Type.Union([Type.String(), Type.Null()]),
  has_password: Type.Boolean(),
  created_at: Time,
  /** Why it is in state failed, in words; else null. */
  problem: Type.Union([Type.String(), Type.Null()]),
});
export type Server = Static<typeof Server>;

/** Where the gateway finds a server, and what it must say there. Never logged, never shown. */
export const ServerTarget = Type.Object({
  server_id: Id,
  /** UNIX socket, for a hosted desktop. */
  socket_path: Type.Union([Type.String(), Type.Null()]),
  host: Type.Union([Type.String(), Type.Null()]),
  port: Type.Union([Type.Integer(), Type.Null()]),
  user: Type.String(),
  domain: Type.String(),
  password: Type.String(),
  /** SHA-256 of the certificate that the server must show, hex. Null: report the one seen, to be pinned. */
  certificate_sha256: Type.Union([Type.String(), Type.Null()]),
  ...displayFields,
});
export type ServerTarget = Static<typeof ServerTarget>;

/** Servers, hosted and external. */
export const rdpServerManager = defineContract('rdp-server-manager', {
  createServer: {
    method: 'POST',
    path: '/v1/servers',
    summary: 'Register a server; a hosted one is created stopped',
    callers: ['session-api'],
    body: Type.Object({
      name: ServerName,
      spec: Type.Union([HostedSpec, ExternalSpec]),
      password: Type.Optional(Type.String({ maxLength: 256 })),
    }),
    response: Server,
  },
  listServers: {
    method: 'GET',
    path: '/v1/servers',
    summary: 'List servers by name',
    callers: ['session-api', 'rdp-monitor', 'node-management'],
    query: PageQuery,
    response: Type.Object({ items: Type.Array(Server), next_cursor: Type.Union([Type.String(), Type.Null()]) }),
  },
  getServer: {
    method: 'GET',
    path: '/v1/servers/:id',
    summary: 'Show one server',
    callers: ['session-api', 'rdp-controller'],
    params: IdParams,
    response: Server,
  },
  updateServer: {
    method: 'PATCH',
    path: '/v1/servers/:id',
    summary: 'Change a server, a hosted one while it does not run',
    callers: ['session-api'],
    params: IdParams,
    body: ServerChanges,
    response: Server,
  },
  deleteServer: {
    method: 'DELETE',
    path: '/v1/servers/:id',
    summary: 'Remove a server; a hosted one while it does not run, with its files',
    callers: ['session-api'],
    params: IdParams,
    response: Nothing,
  },
  startServer: {
    method: 'POST',
    path: '/v1/servers/:id/start',
    summary: 'Start a hosted desktop, admit sessions to an external server; answers when it speaks RDP',
    callers: ['session-api', 'rdp-controller'],
    params: IdParams,
    body: Nothing,
    response: Server,
  },
  stopServer: {
    method: 'POST',
    path: '/v1/servers/:id/stop',
    summary: 'Stop a hosted desktop, keep sessions from an external server',
    callers: ['session-api'],
    params: IdParams,
    body: Nothing,
    response: Server,
  },
  restartServer: {
    method: 'POST',
    path: '/v1/servers/:id/restart',
    summary: 'Stop, then start',
    callers: ['session-api'],
    params: IdParams,
    body: Nothing,
    response: Server,
  },
  getTarget: {
    method: 'GET',
    path: '/v1/servers/:id/target',
    summary: 'Where and how to connect; unavailable when the server is not running',
    callers: ['rdp-controller'],
    params: IdParams,
    response: ServerTarget,
  },
  pinCertificate: {
    method: 'PUT',
    path: '/v1/servers/:id/certificate',
    summary: 'Pin the certificate that an external server showed at its first connection; conflict when it has another',
    callers: ['rdp-controller'],
    params: IdParams,
    body: Type.Object({ certificate_sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }),
    response: Nothing,
  },
});
