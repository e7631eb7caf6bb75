/** Sends GET requests over kept connections, one at a time on each, as cheaply as Node can. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveBench } from './bench-child.ts';
import { quantile } from './result.ts';

export interface LoadOrder {
  port: number;
  token: string;
  paths: string[];
  seconds: number;
  connections: number;
  /** Requests a second, sent when their time comes however late the answers are; 0: as many as are answered. */
  rate: number;
}

export interface LoadResult {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers with another status than 200. */
  failures: number;
  bytes: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** A kept connection: sends a request, reads its answer to the end. */
class Connection {
  readonly #socket: Socket;
  #pending = Buffer.alloc(0);
  #arrived: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => {
      this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
      this.#arrived?.();
    });
    socket.on('error', (error) => {
      throw error;
    });
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** @returns the status, and how many bytes came */
  async get(request: string): Promise<{ status: number; bytes: number }> {
    this.#socket.write(request);
    let end = -1;
    for (;;) {
      end = this.#pending.indexOf(HEAD_END);
      if (end >= 0) break;
      await this.#more();
    }
    const head = this.#pending.toString('latin1', 0, end).toLowerCase();
    const length = Number(/\ncontent-length: (\d+)/.exec(head)![1]);
    const bytes = end + HEAD_END.length + length;
    while (this.#pending.length < bytes) await this.#more();
    this.#pending = this.#pending.subarray(bytes);
    return { status: Number(head.slice(9, 12)), bytes };
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Carries out an order. */
async function load(order: LoadOrder): Promise<LoadResult> {
  const { port, token, paths, seconds, rate } = order;
  const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer ${token}\r\n\r\n`);
  const connections = await Promise.all(Array.from({ length: order.connections }, () => Connection.open(port)));
  const latencies: number[] = [];
  let [sent, failures, bytes] = [0, 0, 0];
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;

  async function work(connection: Connection): Promise<void> {
    for (;;) {
      const number = sent++;
      // Waiting for a free connection is part of what a caller waits.
      const dueAt = rate > 0 ? startedAt + (number * 1000) / rate : performance.now();
      if (dueAt >= endsAt) return;
      const early = dueAt - performance.now();
      if (early > 1) await sleep(early);
      // Timers are whole milliseconds: some requests go a little early.
      const from = Math.min(dueAt, performance.now());
      const answer = await connection.get(requests[number % requests.length]);
      latencies.push(performance.now() - from);
      if (answer.status !== 200) failures++;
      bytes += answer.bytes;
    }
  }
  await Promise.all(connections.map(work));
  const elapsed = (performance.now() - startedAt) / 1000;
  for (const connection of connections) connection.close();
  return {
    perSecond: latencies.length / elapsed,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    failures,
    bytes,
  };
}

serveBench({}, () => 0, { load: (order: LoadOrder) => load(order) });
