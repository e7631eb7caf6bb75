/** The port that RDP clients connect to. */
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { createFirstByteServer } from '#platform/http/first-byte.ts';
import { createServer as createHttpServer } from '#platform/http/node-http.ts';
import type { Log } from '#platform/log.ts';
import { TPKT_VERSION } from '#rdp/pdu/x224.ts';
import { Connection, type GatewayParts } from './connection.ts';
import { ConnectionLimits, type Limits, type Place } from './connection-limits.ts';
import type { Session } from './session.ts';

/** An HTTP request begins with a method. */
const isLetter = (byte: number) => byte >= 0x41 && byte <= 0x5a;
const HTTP_TIMEOUT_MS = 5000;
/** Connections that are turned away are logged once in this time. */
const LOG_PAUSE_MS = 1000;

export class Gateway {
  readonly limits: ConnectionLimits;
  readonly #parts: GatewayParts;
  readonly #log: Log;
  readonly #server: Server;
  readonly #http: HttpServer;
  readonly #connections = new Map<Connection, Promise<void>>();
  readonly #sockets = new Set<Socket>();
  readonly #places = new WeakMap<Socket, Place>();
  #turnedAway = 0;
  #loggedAt = 0;

  /** @param app answers `/health` to whoever asks in HTTP; null until it is there */
  constructor(parts: GatewayParts, limits: Limits, app: () => FastifyInstance | null) {
    this.#parts = parts;
    this.#log = parts.log;
    this.limits = new ConnectionLimits(limits);
    this.#http = healthServer(app);
    this.#server = createFirstByteServer((socket, firstByte) => this.#route(socket, firstByte));
    this.#server.on('connection', (socket) => this.#take(socket));
  }

  /** @throws the system's error when the port cannot be had */
  async listen(host: string, port: number): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
  }

  get isListening(): boolean {
    return this.#server.listening;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Admitted connections that are not over. */
  get sessions(): Session[] {
    return [...this.#connections.keys()].flatMap(({ session }) => (session && !session.isOver ? [session] : []));
  }

  /** Ends all connections and waits, up to `deadlineMs`, until their records are durable and the controller knows. */
  async stop(deadlineMs: number): Promise<void> {
    this.#server.close();
    for (const connection of this.#connections.keys()) connection.stop();
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, deadlineMs);
    await Promise.race([Promise.all(this.#connections.values()), deadline.promise]);
    clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const place = this.limits.take(addressOf(socket), () => socket.destroy());
    if (typeof place === 'string') {
      this.#turnAway(socket, place);
      return;
    }
    this.#places.set(socket, place);
    socket.once('close', place.released);
  }

  #turnAway(socket: Socket, why: string): void {
    this.#turnedAway++;
    socket.destroy();
    const now = performance.now();
    if (now - this.#loggedAt < LOG_PAUSE_MS) return;
    this.#log.warn({ client: addressOf(socket), turned_away: this.#turnedAway }, `connection turned away: ${why}`);
    this.#loggedAt = now;
    this.#turnedAway = 0;
  }

  #route(socket: Socket, firstByte: number): void {
    const place = this.#places.get(socket);
    if (place === undefined) return;
    if (firstByte === TPKT_VERSION) {
      const connection = new Connection(socket, addressOf(socket), place, this.#parts);
      const over = connection.run().finally(() => this.#connections.delete(connection));
      this.#connections.set(connection, over);
    } else if (isLetter(firstByte)) {
      socket.on('error', () => socket.destroy());
      this.#http.emit('connection', socket);
    } else {
      this.#turnAway(socket, `its first byte is 0x${firstByte.toString(16).padStart(2, '0')}, which is not RDP`);
    }
  }
}

function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '');
}

function healthServer(app: () => FastifyInstance | null): HttpServer {
  const options = {
    headersTimeout: HTTP_TIMEOUT_MS,
    requestTimeout: HTTP_TIMEOUT_MS,
    connectionsCheckingInterval: 1000,
  };
  const server = createHttpServer(options, async (request, response) => {
    const answer = request.method === 'GET' && request.url === '/health' ? await app()?.inject('/health') : undefined;
    const body = answer?.body ?? '{"error":"this port speaks RDP; of HTTP it knows GET /health only"}';
    response.writeHead(answer?.statusCode ?? 404, { 'content-type': 'application/json', connection: 'close' });
    response.end(body);
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  // It never listens itself: without the event it does not watch for slow requests.
  server.emit('listening');
  return server;
}
