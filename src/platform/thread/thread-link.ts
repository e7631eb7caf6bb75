import type { MessagePort } from 'node:worker_threads';
import type { Transport, WireRequest, WireResponse } from '#contract/contract.ts';
import { type ErrorCode, ServiceError } from '#contract/errors.ts';
import type { ServiceName } from '#contract/services.ts';

/**
 * What goes through the port. `id` is the caller's number of a call, unique for its direction. A body that streams is
 * sent piece by piece, each when it is asked for.
 */
type Message =
  | { kind: 'call'; id: number; service: ServiceName; caller: ServiceName; request: WireRequest }
  | { kind: 'next'; id: number }
  | { kind: 'drop'; id: number }
  | { kind: 'answer'; id: number; status: number; body: Uint8Array; streams: boolean }
  | { kind: 'piece'; id: number; bytes: Uint8Array | null }
  | { kind: 'failure'; id: number; code: ErrorCode; message: string };

type Answer = Extract<Message, { kind: 'answer' | 'piece' }>;

/** Bodies from this size on are posted in memory that both sides see. */
const SHARED_FROM_BYTES = 16 * 1024;

export interface ThreadLinkOptions {
  /** Services at the other end: only as one of these may a call come. */
  callers: ReadonlySet<ServiceName>;
  /** The way to a service at this end. */
  serve: (service: ServiceName, caller: ServiceName) => Transport;
}

/** Calls between services of two threads of one program, both ways over one port. Each end has one of these. */
export class ThreadLink {
  readonly #port: MessagePort;
  readonly #options: ThreadLinkOptions;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  /** Bodies that the other end has not read to the end, by its numbers. */
  readonly #streaming = new Map<number, AsyncIterator<Uint8Array>>();
  #next = 0;
  #closed = false;

  constructor(port: MessagePort, options: ThreadLinkOptions) {
    this.#port = port;
    this.#options = options;
    port.on('message', (message: Message) => this.#receive(message));
    port.once('close', () => this.close());
    // Services keep a process running, not the ways between them.
    port.unref();
  }

  /** Calls `service`, which is at the other end, as `caller`. */
  transport(service: ServiceName, caller: ServiceName): Transport {
    return async (request) => {
      const id = this.#next++;
      const { body } = request;
      const sent = body instanceof Uint8Array ? { ...request, body: toPost(body) } : request;
      const answer = await this.#ask({ kind: 'call', id, service, caller, request: sent }, service);
      if (answer.kind !== 'answer') throw new Error(`a call was answered with a ${answer.kind}`);
      const { status, body: answered, streams } = answer;
      return { status, body: answered, ...(streams && { stream: this.#pieces(id, service) }) };
    };
  }

  /** Ends the link: calls that are not answered fail as those of a service that is gone. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#port.close();
    for (const { reject } of this.#waiting.values()) {
      reject(new ServiceError('unavailable', 'the service called does not answer: its thread has ended'));
    }
    this.#waiting.clear();
    for (const pieces of this.#streaming.values()) drop(pieces);
    this.#streaming.clear();
  }

  async *#pieces(id: number, service: ServiceName): AsyncGenerator<Uint8Array> {
    let isOver = false;
    try {
      for (;;) {
        const answer = await this.#ask({ kind: 'next', id }, service);
        if (answer.kind !== 'piece') throw new Error(`a stream went on with an ${answer.kind}`);
        isOver = answer.bytes === null;
        if (answer.bytes === null) return;
        yield answer.bytes;
      }
    } finally {
      if (!isOver) this.#send({ kind: 'drop', id });
    }
  }

  #ask(message: Message, service: ServiceName): Promise<Answer> {
    if (this.#closed) throw new ServiceError('unavailable', `${service} does not answer: its thread has ended`);
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(message.id, waiting);
    this.#send(message);
    return waiting.promise;
  }

  #send(message: Message): void {
    if (!this.#closed) this.#port.postMessage(message);
  }

  #receive(message: Message): void {
    const { id } = message;
    switch (message.kind) {
      case 'call':
        this.#serve(message).catch((error) => this.#refuse(id, error));
        break;
      case 'next':
        this.#sendPiece(id).catch((error) => this.#refuse(id, error));
        break;
      case 'drop':
        drop(this.#streaming.get(id));
        this.#streaming.delete(id);
        break;
      default:
        this.#settle(message);
    }
  }

  #settle(message: Answer | Extract<Message, { kind: 'failure' }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'failure') waiting?.reject(new ServiceError(message.code, message.message));
    else waiting?.resolve(message);
  }

  async #serve({ id, service, caller, request }: Extract<Message, { kind: 'call' }>): Promise<void> {
    const { callers, serve } = this.#options;
    if (!callers.has(caller)) throw new ServiceError('forbidden', `${caller} is not at the other end of this port`);
    const response: WireResponse = await serve(service, caller)(request);
    if (response.stream) this.#streaming.set(id, response.stream[Symbol.asyncIterator]());
    const { status, body, stream } = response;
    this.#send({ kind: 'answer', id, status, body: toPost(body), streams: stream !== undefined });
  }

  async #sendPiece(id: number): Promise<void> {
    const { value, done } = (await this.#streaming.get(id)?.next()) ?? { done: true };
    if (done) this.#streaming.delete(id);
    this.#send({ kind: 'piece', id, bytes: done ? null : toPost(value) });
  }

  #refuse(id: number, error: unknown): void {
    this.#streaming.delete(id);
    const { code, message } = error instanceof ServiceError ? error : new ServiceError('internal', String(error));
    this.#send({ kind: 'failure', id, code, message });
  }
}

/**
 * Bytes in a form to be posted: what is posted takes all the memory that it is a view of with it, by copying it twice, but
 * for memory that both sides see. Whoever gives such memory leaves it as it is until the call is answered.
 */
function toPost(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  if (bytes.length < SHARED_FROM_BYTES) return new Uint8Array(bytes);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

function drop(pieces: AsyncIterator<Uint8Array> | undefined): void {
  // Its failure is nobody's business any more.
  pieces?.return?.().catch(() => {});
}
