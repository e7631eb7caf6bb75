import { Agent } from 'node:https';
import WebSocket from 'ws';
import { ServiceError } from '#contract/errors.ts';
import {
  decodeRecorderFrame,
  encodeGatewayFrame,
  encodeRecords,
  JOURNAL_PATH,
  MAX_FRAME_BYTES,
  type RecorderFrame,
  recordBytes,
} from '#contract/record-frames.ts';
import type { NewRecord, RecordTransport, RecordWriter, RecordWriterEvents } from '#contract/record-transport.ts';
import type { Log } from '../log.ts';
import type { TlsFiles } from '../pki.ts';
import { Unacknowledged } from './unacknowledged.ts';

const CONNECT_TIMEOUT_MS = 5000;
const ATTACH_TIMEOUT_MS = 5000;
/** Records that are appended in one turn go in messages of about this size. */
const MESSAGE_BYTES = 1024 * 1024;

/**
 * The record transport to a recorder in another process: one WebSocket for all sessions, made when the first session
 * attaches. When it breaks, the sessions on it fail, since nobody can say what of them is recorded; the next attachment
 * connects again.
 *
 * @param url of the recorder's HTTPS face
 */
export function connectRecordTransport(url: URL, tls: TlsFiles, log: Log): RecordTransport {
  let link: Promise<JournalLink> | null = null;
  return {
    async attach(sessionId, connectionId, events) {
      link ??= JournalLink.connect(url, tls, () => {
        link = null;
      }).catch((error) => {
        link = null;
        log.warn({ err: error }, 'the recorder cannot be reached');
        throw new ServiceError('unavailable', `session-recorder at ${url.host} does not answer: ${error.message}`);
      });
      return (await link).attach(sessionId, connectionId, events);
    },
  };
}

/** An attachment that the recorder has not answered yet. */
interface Attachment {
  readonly events: RecordWriterEvents;
  readonly settle: (answer: RemoteWriter | Error) => void;
}

/** One WebSocket to the recorder and the writers on it. */
class JournalLink {
  readonly #socket: WebSocket;
  readonly #writers = new Map<number, RemoteWriter>();
  readonly #attaching = new Map<number, Attachment>();
  readonly #closing = new Map<number, () => void>();
  #nextWriter = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (bytes) => this.#receive(bytes as Buffer));
  }

  static connect(url: URL, tls: TlsFiles, onClose: () => void): Promise<JournalLink> {
    const address = new URL(JOURNAL_PATH, url);
    address.protocol = 'wss:';
    const socket = new WebSocket(address, {
      agent: new Agent({ ...tls, servername: 'session-recorder', minVersion: 'TLSv1.3' }),
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      handshakeTimeout: CONNECT_TIMEOUT_MS,
    });
    const { promise, resolve, reject } = Promise.withResolvers<JournalLink>();
    const link = new JournalLink(socket);
    socket.once('open', () => resolve(link));
    socket.on('error', reject);
    socket.once('close', () => {
      reject(new Error('the connection was closed'));
      onClose();
      link.#break();
    });
    return promise;
  }

  async attach(session: string, connection: string, events: RecordWriterEvents): Promise<RecordWriter> {
    const writer = this.#nextWriter++;
    const { promise, resolve: settle } = Promise.withResolvers<RemoteWriter | Error>();
    const timer = setTimeout(() => settle(unanswered(`${ATTACH_TIMEOUT_MS / 1000} s long`)), ATTACH_TIMEOUT_MS);
    this.#attaching.set(writer, { events, settle });
    this.send(encodeGatewayFrame({ kind: 'attach', writer, session, connection }));
    const answer = await promise;
    clearTimeout(timer);
    this.#attaching.delete(writer);
    if (!(answer instanceof Error)) return answer;
    // The recorder may still take it: it must not wait for a writer that nobody has.
    this.send(encodeGatewayFrame({ kind: 'close', writer }));
    throw answer;
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes, { binary: true });
  }

  /** Resolves when the recorder has let go of the writer. */
  async closeWriter(writer: number): Promise<void> {
    if (!this.#writers.has(writer)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closing.set(writer, resolve);
    this.send(encodeGatewayFrame({ kind: 'close', writer }));
    await promise;
  }

  #receive(bytes: Buffer): void {
    let frame: RecorderFrame;
    try {
      frame = decodeRecorderFrame(bytes);
    } catch {
      this.#socket.terminate();
      return;
    }
    const { writer } = frame;
    switch (frame.kind) {
      case 'attached':
        this.#attached(writer, frame.nowUs);
        break;
      case 'refused':
        this.#attaching.get(writer)?.settle(new ServiceError(frame.code, frame.message));
        break;
      case 'acknowledged':
        this.#writers.get(writer)?.acknowledge(frame.number);
        break;
      case 'failed':
        this.#writers.get(writer)?.fail(frame.reason);
        this.#forget(writer);
        break;
      case 'closed':
        this.#forget(writer);
        break;
    }
  }

  #attached(number: number, nowUs: number): void {
    const attachment = this.#attaching.get(number);
    if (!attachment) return;
    const writer = new RemoteWriter(this, number, nowUs, attachment.events);
    this.#writers.set(number, writer);
    attachment.settle(writer);
  }

  #forget(writer: number): void {
    this.#writers.delete(writer);
    this.#closing.get(writer)?.();
    this.#closing.delete(writer);
  }

  #break(): void {
    for (const { settle } of this.#attaching.values()) settle(unanswered('any more: the connection broke'));
    for (const writer of this.#writers.values()) writer.fail('the connection to the recorder broke');
    for (const writer of [...this.#writers.keys()]) this.#forget(writer);
  }
}

/** A writer whose records go over the WebSocket: those appended in one turn in one message. */
class RemoteWriter implements RecordWriter {
  readonly #link: JournalLink;
  readonly #number: number;
  readonly #events: RecordWriterEvents;
  /** Local time, in ms, at which the session's clock stood at 0. */
  readonly #origin: number;
  readonly #pending = new Unacknowledged();
  #outbox: NewRecord[] = [];
  #outboxBytes = 0;
  /** Number of the outbox's first record. */
  #outboxStart = 0;

  constructor(link: JournalLink, number: number, nowUs: number, events: RecordWriterEvents) {
    this.#link = link;
    this.#number = number;
    this.#events = events;
    this.#origin = performance.now() - nowUs / 1000;
  }

  now(): number {
    return Math.floor((performance.now() - this.#origin) * 1000);
  }

  get acknowledged(): number {
    return this.#pending.acknowledged;
  }

  get unacknowledgedBytes(): number {
    return this.#pending.bytes;
  }

  append(record: NewRecord): number {
    const size = recordBytes(record);
    const number = this.#pending.add(size);
    if (this.#pending.over) return number;
    if (this.#outbox.length === 0) {
      this.#outboxStart = number;
      queueMicrotask(() => this.#send());
    }
    this.#outbox.push(record);
    this.#outboxBytes += size;
    if (this.#outboxBytes >= MESSAGE_BYTES) this.#send();
    return number;
  }

  flush(): Promise<void> {
    return this.#pending.flush();
  }

  async close(): Promise<void> {
    if (this.#pending.over) return;
    try {
      await this.flush();
    } finally {
      this.#pending.end(new Error('the connection has let go of its recording'));
      await this.#link.closeWriter(this.#number);
    }
  }

  acknowledge(number: number): void {
    if (this.#pending.acknowledge(number)) this.#events.acknowledged(number);
  }

  fail(reason: string): void {
    this.#outbox = [];
    if (this.#pending.end(new Error(reason))) this.#events.failed(reason);
  }

  #send(): void {
    if (this.#outbox.length === 0) return;
    this.#link.send(encodeRecords(this.#number, this.#outboxStart, this.#outbox));
    this.#outboxStart += this.#outbox.length;
    this.#outbox = [];
    this.#outboxBytes = 0;
  }
}

function unanswered(words: string): ServiceError {
  return new ServiceError('unavailable', `the recorder does not answer ${words}`);
}
