import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { UUID_PATTERN } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import { LIVE_OVER, liveCloseOf } from '#contract/live-close.ts';
import { LIVE_NEXT, LIVE_PROTOCOL, LIVE_TICKET_PREFIX } from '#contract/live-frames.ts';
import { isLoopback, plainAddress } from '#platform/address.ts';
import { refuseUpgrade } from '#platform/http/refuse-upgrade.ts';
import type { LiveTransport } from '#platform/live-transport.ts';
import type { Log } from '#platform/log.ts';
import type { Access } from './access.ts';
import type { AuditLog } from './audit-log.ts';
import type { WatchGrant, WatchTickets } from './watch-tickets.ts';

const PATH = new RegExp(`^/api/v1/sessions/(${UUID_PATTERN.slice(1, -1)})/live$`);
const PING_INTERVAL_MS = 15_000;
const MAX_VIEWERS = 500;

export interface LiveRelayOptions {
  readonly live: LiveTransport;
  readonly tickets: WatchTickets;
  readonly access: Access;
  readonly audit: AuditLog;
  readonly log: Log;
  /** How often a viewer's right to watch is looked at again. */
  readonly recheckMs: number;
}

/** Passes live views on from the recorder to those who have a ticket. */
export class LiveRelay {
  readonly #options: LiveRelayOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: 1024,
    perMessageDeflate: false,
    // The ticket is never sent back.
    handleProtocols: (protocols) => (protocols.has(LIVE_PROTOCOL) ? LIVE_PROTOCOL : false),
  });

  constructor(options: LiveRelayOptions) {
    this.#options = options;
  }

  /** Takes an upgrade request of the service's listener. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const session = PATH.exec(request.url ?? '')?.[1];
    const address = request.socket.remoteAddress;
    if (!session) refuseUpgrade(socket, 404);
    else if (!(request.socket instanceof TLSSocket) && !isLoopback(address)) refuseUpgrade(socket, 403);
    else if (this.#server.clients.size >= MAX_VIEWERS) refuseUpgrade(socket, 503);
    else {
      const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((word) => word.trim());
      const ticket = offered.find((word) => word.startsWith(LIVE_TICKET_PREFIX))?.slice(LIVE_TICKET_PREFIX.length);
      this.#server.handleUpgrade(request, socket, head, (viewer) => {
        this.#serve(viewer, session, ticket ?? '', plainAddress(address ?? ''));
      });
    }
  }

  /** Ends all that is passed on. */
  close(): void {
    for (const viewer of this.#server.clients) viewer.close(1001);
    this.#server.close();
  }

  #serve(viewer: WebSocket, session: string, ticket: string, address: string): void {
    viewer.on('error', (error) => this.#options.log.warn({ err: error, session }, "a viewer's connection failed"));
    try {
      const grant = this.#options.tickets.use(ticket, session);
      this.#relay(viewer, grant, address);
    } catch (error) {
      fail(viewer, error as ServiceError);
    }
  }

  #relay(viewer: WebSocket, grant: WatchGrant, address: string): void {
    const { live, log } = this.#options;
    const recorder = live.watch(grant.session, grant.user);
    let isAlive = true;
    let isAudited = false;
    /** Frames are asked for one by one; the next is not before the one before has left. */
    let isWanted = false;
    let isSending = false;
    const ask = () => {
      if (!isWanted || isSending || recorder.readyState !== WebSocket.OPEN) return;
      isWanted = false;
      recorder.send(LIVE_NEXT);
    };
    recorder.on('open', ask);
    recorder.on('message', (message: Buffer, isBinary) => {
      if (!isAudited) this.#audit('liveJoined', grant, address);
      isAudited = true;
      if (isBinary) isSending = true;
      viewer.send(message, { binary: isBinary }, () => {
        if (isBinary) isSending = false;
        ask();
      });
    });
    recorder.on('error', (error) => log.warn({ err: error, session: grant.session }, 'a live view cannot be had'));
    recorder.on('close', (code, reason) => {
      if (code === LIVE_OVER || code >= 4000) viewer.close(code, reason);
      else fail(viewer, new ServiceError('unavailable', 'the recorder ended the live view: watch the session again'));
    });
    viewer.on('message', (message: Buffer, isBinary) => {
      if (isBinary || message.toString() !== LIVE_NEXT) {
        fail(viewer, new ServiceError('invalid_request', `a viewer sends ${LIVE_NEXT} and nothing else`));
        return;
      }
      isWanted = true;
      ask();
    });
    viewer.on('pong', () => {
      isAlive = true;
    });
    const pinging = setInterval(() => {
      if (isAlive) viewer.ping();
      else viewer.terminate();
      isAlive = false;
    }, PING_INTERVAL_MS);
    const rechecking = setInterval(() => this.#recheck(viewer, grant), this.#options.recheckMs);
    viewer.once('close', () => {
      clearInterval(pinging);
      clearInterval(rechecking);
      recorder.close();
      if (isAudited) this.#audit('liveLeft', grant, address);
    });
  }

  #recheck(viewer: WebSocket, { authorization }: WatchGrant): void {
    this.#options.access.recheck('watchSession', authorization).catch((error) => {
      fail(viewer, error instanceof ServiceError ? error : new ServiceError('internal', 'the right cannot be checked'));
    });
  }

  #audit(action: string, { user, session }: WatchGrant, address: string): void {
    this.#options.audit
      .append({ actor: user, address, action, target: session, outcome: 'done' })
      .catch((error) => this.#options.log.error({ err: error, session }, 'who watches could not be noted'));
  }
}

function fail(viewer: WebSocket, error: ServiceError): void {
  const { code, reason } = liveCloseOf(error);
  viewer.close(code, reason);
}
