import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { ServiceError } from '#contract/errors.ts';
import {
  decodeGatewayFrame,
  encodeRecorderFrame,
  FrameError,
  type GatewayFrame,
  JOURNAL_PATH,
  MAX_FRAME_BYTES,
  type RecorderFrame,
} from '#contract/record-frames.ts';
import { callerOf } from '#platform/http/caller.ts';
import { refuseUpgrade } from '#platform/http/refuse-upgrade.ts';
import type { Log } from '#platform/log.ts';
import type { Recorder } from './recorder.ts';
import type { RecordingWriter } from './recording-writer.ts';

/** A gateway that has not answered a ping by the next is gone. */
const PING_INTERVAL_MS = 5000;
/** Writers of one gateway, attached and attaching: bounds what a WebSocket can make the recorder keep. */
const MAX_WRITERS = 10_000;

/** The recorder's end of the WebSocket `/v1/journal`: only a gateway's certificate opens it. */
export class JournalSocketServer {
  readonly #recorder: Recorder;
  readonly #log: Log;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });

  constructor(recorder: Recorder, log: Log) {
    this.#recorder = recorder;
    this.#log = log;
  }

  /** Takes an upgrade request of the service's listener. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.url !== JOURNAL_PATH) refuseUpgrade(socket, 404);
    else if (callerOf(request) !== 'rdp-xrdp') refuseUpgrade(socket, 403);
    else {
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        new GatewayLink(webSocket, this.#recorder, this.#log);
      });
    }
  }

  /** Ends all connections: the writers on them are let go. */
  close(): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }
}

/** One gateway's WebSocket and its writers. */
class GatewayLink {
  readonly #socket: WebSocket;
  readonly #recorder: Recorder;
  readonly #log: Log;
  /** Null while the recorder is asked. */
  readonly #writers = new Map<number, RecordingWriter | null>();
  #alive = true;

  constructor(socket: WebSocket, recorder: Recorder, log: Log) {
    this.#socket = socket;
    this.#recorder = recorder;
    this.#log = log;
    const pinging = setInterval(() => this.#ping(), PING_INTERVAL_MS);
    socket.on('pong', () => {
      this.#alive = true;
    });
    socket.on('message', (bytes) => this.#receive(bytes as Buffer));
    socket.on('error', (error) => log.warn({ err: error }, "a gateway's connection failed"));
    socket.once('close', () => {
      clearInterval(pinging);
      for (const writer of this.#writers.values()) writer?.abandon();
      this.#writers.clear();
    });
  }

  #ping(): void {
    if (!this.#alive) this.#socket.terminate();
    else this.#socket.ping();
    this.#alive = false;
  }

  #receive(bytes: Buffer): void {
    try {
      this.#take(decodeGatewayFrame(bytes));
    } catch (error) {
      // A gateway that does not speak the protocol cannot be trusted to have recorded what it shows.
      const told = error instanceof FrameError ? error.message : 'a record was refused';
      this.#log.error({ err: error }, `a gateway's connection is cut: ${told}`);
      this.#socket.terminate();
    }
  }

  #take(frame: GatewayFrame): void {
    const writer = this.#writers.get(frame.writer);
    switch (frame.kind) {
      case 'attach':
        if (writer !== undefined) throw new FrameError('writer', `${frame.writer} is attached already`);
        if (this.#writers.size >= MAX_WRITERS) throw new FrameError('writer', `more than ${MAX_WRITERS}`);
        this.#writers.set(frame.writer, null);
        this.#attach(frame);
        break;
      case 'records':
        // Records of a writer that failed here may still be under way: they are not acknowledged.
        if (!writer) return;
        for (const { type, flags, time, body } of frame.records) writer.append({ type, flags, timeUs: time, body });
        break;
      case 'close':
        // The gateway closes when all it sent is durable, or when it gives up.
        this.#writers.delete(frame.writer);
        writer?.abandon();
        this.#send({ kind: 'closed', writer: frame.writer });
        break;
    }
  }

  async #attach({ writer, session, connection }: GatewayFrame & { kind: 'attach' }): Promise<void> {
    try {
      const attached = await this.#recorder.attach(session, connection, {
        acknowledged: (number) => this.#send({ kind: 'acknowledged', writer, number }),
        failed: (reason) => {
          this.#writers.delete(writer);
          this.#send({ kind: 'failed', writer, reason });
        },
      });
      if (!this.#writers.has(writer)) {
        attached.abandon();
        return;
      }
      this.#writers.set(writer, attached);
      this.#send({ kind: 'attached', writer, nowUs: attached.now() });
    } catch (error) {
      this.#writers.delete(writer);
      const told = error instanceof ServiceError ? error : new ServiceError('internal', 'the recorder failed');
      if (told.code === 'internal') this.#log.error({ err: error, session }, 'a connection could not be attached');
      this.#send({ kind: 'refused', writer, code: told.code, message: told.message });
    }
  }

  #send(frame: RecorderFrame): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(encodeRecorderFrame(frame));
  }
}
