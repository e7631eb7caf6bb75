import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { UUID_PATTERN } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import { LIVE_OVER, liveCloseOf } from '#contract/live-close.ts';
import { LIVE_NEXT, LIVE_PATH } from '#contract/live-frames.ts';
import { callerOf } from '#platform/http/caller.ts';
import { refuseUpgrade } from '#platform/http/refuse-upgrade.ts';
import type { Log } from '#platform/log.ts';
import type { JoinedViewer, LiveViews } from './live-views.ts';

/** A viewer that has not answered a ping by the next is gone. */
const PING_INTERVAL_MS = 15_000;
/** Events that a viewer has not taken yet; who lets more collect does not read. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
const PATH = new RegExp(`^${LIVE_PATH}(${UUID_PATTERN.slice(1, -1)})/(${UUID_PATTERN.slice(1, -1)})$`);

/** The recorder's WebSocket `/v1/live/<session>/<user>`: session-api, which knows who may watch, opens it. */
export class LiveSocketServer {
  readonly #views: LiveViews;
  readonly #log: Log;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 1024, perMessageDeflate: false });

  constructor(views: LiveViews, log: Log) {
    this.#views = views;
    this.#log = log;
  }

  /** Takes an upgrade request of the service's listener. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [, session, user] = PATH.exec(request.url ?? '') ?? [];
    if (!session) refuseUpgrade(socket, 404);
    else if (callerOf(request) !== 'session-api') refuseUpgrade(socket, 403);
    else this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#serve(webSocket, session, user));
  }

  /** Ends all live views. */
  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.close(1001);
    this.#server.close();
    await this.#views.close();
  }

  #serve(socket: WebSocket, session: string, user: string): void {
    let isAlive = true;
    let viewer: JoinedViewer | null = null;
    /** A frame is wanted; and one is under way. */
    let isWanted = false;
    let isSending = false;
    const ask = () => {
      if (!viewer || !isWanted || isSending) return;
      isWanted = false;
      isSending = true;
      viewer.next();
    };
    const pinging = setInterval(() => {
      if (!isAlive || socket.bufferedAmount > MAX_WAITING_BYTES) socket.terminate();
      else socket.ping();
      isAlive = false;
    }, PING_INTERVAL_MS);
    socket.on('pong', () => {
      isAlive = true;
    });
    socket.on('error', (error) => this.#log.warn({ err: error, session }, "a viewer's connection failed"));
    socket.once('close', () => {
      clearInterval(pinging);
      viewer?.leave();
    });
    socket.on('message', (message, isBinary) => {
      if (isBinary || message.toString() !== LIVE_NEXT) {
        fail(socket, new ServiceError('invalid_request', `a viewer sends ${LIVE_NEXT} and nothing else`));
        return;
      }
      isWanted = true;
      ask();
    });
    const sink = {
      frame: (bytes: Uint8Array) =>
        socket.send(bytes, { binary: true }, () => {
          isSending = false;
          ask();
        }),
      event: (event: unknown) => socket.send(JSON.stringify(event)),
      ended: (failure: ServiceError | null) => (failure ? fail(socket, failure) : socket.close(LIVE_OVER)),
    };
    this.#views.join(session, user, sink).then(
      (joined) => {
        viewer = joined;
        if (socket.readyState !== socket.OPEN) joined.leave();
        ask();
      },
      (error) => {
        const told = error instanceof ServiceError ? error : new ServiceError('internal', 'the live view failed');
        if (told.code === 'internal') this.#log.error({ err: error, session }, 'a live view cannot begin');
        fail(socket, told);
      },
    );
  }
}

function fail(socket: WebSocket, error: ServiceError): void {
  const { code, reason } = liveCloseOf(error);
  socket.close(code, reason);
}
