import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { TlsFiles } from '../pki.ts';
import { callAsNobody } from './caller.ts';
import { createFirstByteServer } from './first-byte.ts';
import { createServer as createHttpServer } from './node-http.ts';

const TLS_HANDSHAKE = 0x16;

/** All services of a process share its file descriptors: strangers must not hold them all. */
const MAX_CONNECTIONS = 1000;
/** How long a request's headers may take, and how often slow ones are looked for. */
const HEADERS_TIMEOUT_MS = 15_000;
const WATCH_MS = 5000;

export interface ListenOptions {
  app: FastifyInstance;
  host: string;
  port: number;
  tls: TlsFiles;
  /** Ask for a client certificate, signed by `tls.ca`. */
  mutual: boolean;
  /** At a time; those beyond are turned away. 1000 unless given. */
  maxConnections?: number;
  /** WebSocket upgrades, if the service takes any. */
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface Listener {
  port: number;
  /** Stops accepting, lets requests under way finish, and after `deadlineMs` ends what is left. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Serves an app on one port that speaks HTTP and HTTPS by first byte.
 *
 * @throws the system's error, with `code` EADDRINUSE and the like, when the port cannot be had
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { app, host, port, tls, mutual, upgrade } = options;
  await app.ready();
  const handle = (request: IncomingMessage, response: never) => callAsNobody(() => app.routing(request, response));
  const patience = { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: WATCH_MS };
  const http = createHttpServer(patience, handle as never);
  const { key, cert, ca } = tls;
  const https = createHttpsServer(
    {
      ...{ key, cert, ca, requestCert: mutual, rejectUnauthorized: false, minVersion: 'TLSv1.2' },
      ...{ ...patience, handshakeTimeout: HEADERS_TIMEOUT_MS },
    },
    handle as never,
  );
  const servers = [http, https];
  for (const server of servers) {
    // Neither listens itself; without this event Node tracks no connection: none would time out or be closed as idle.
    server.emit('listening');
    server.on('clientError', (_error, socket) => socket.destroy());
    if (upgrade) server.on('upgrade', (request, socket, head) => callAsNobody(() => upgrade(request, socket, head)));
  }
  https.on('tlsClientError', (_error, socket) => socket.destroy());

  const sockets = new Set<Socket>();
  const front = createFirstByteServer((socket, firstByte) => {
    (firstByte === TLS_HANDSHAKE ? https : http).emit('connection', socket);
  });
  front.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  front.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  front.listen(port, host);
  await once(front, 'listening');

  return {
    port: (front.address() as AddressInfo).port,
    async close(deadlineMs) {
      const closed = once(front, 'close');
      front.close();
      for (const server of servers) server.close();
      const deadline = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, deadlineMs);
      const idle = setInterval(() => {
        for (const server of servers) server.closeIdleConnections();
      }, 50);
      await closed;
      clearTimeout(deadline);
      clearInterval(idle);
    },
  };
}
