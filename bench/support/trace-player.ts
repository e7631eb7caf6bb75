import { setTimeout as sleep } from 'node:timers/promises';
import { ClientLink } from '#demo/client-link.ts';
import { ScriptedServer } from '../../test/support/scripted-server.ts';
import type { TracedFrame } from './desktop-trace.ts';
import type { Credentials } from './stamp-line.ts';

/** Between the trace's end and its next beginning. */
const PAUSE_MS = 200;
/** How long frames may be under way after the last was sent. */
const DRAIN_MS = 5000;
const POLL_MS = 20;

/** A frame that is under way. */
interface Sent {
  at: number;
  bytes: number;
}

/** A server that plays a trace to each of its clients, from a place of each one's own on, over and over. */
export class TracePlayer {
  readonly #server: ScriptedServer;
  readonly #trace: readonly TracedFrame[];
  readonly #links: ClientLink[] = [];
  /** Of each client. */
  readonly #underWay: Sent[][] = [];
  /** Milliseconds that frames were under way. */
  times: number[] = [];
  #timers = new Set<NodeJS.Timeout>();
  #failure: Error | null = null;

  private constructor(server: ScriptedServer, trace: readonly TracedFrame[]) {
    this.#server = server;
    this.#trace = trace;
  }

  static async start(trace: readonly TracedFrame[]): Promise<TracePlayer> {
    return new TracePlayer(await ScriptedServer.start(), trace);
  }

  get port(): number {
    return this.#server.port;
  }

  /** Connects one more client. @param port where its way to this server begins */
  async connect(port: number, { user, password }: Credentials): Promise<void> {
    const underWay: Sent[] = [];
    const active = Promise.withResolvers<void>();
    const link: ClientLink = new ClientLink(
      { to: { host: '127.0.0.1', port }, pin: null, userName: user, password },
      {
        shown: (frame) => {
          // What is not of the trace is the gateway's own.
          if (underWay[0]?.bytes === frame.length) this.times.push(performance.now() - underWay.shift()!.at);
        },
        data() {},
        channel() {},
        changed: () => link.isActive && active.resolve(),
        ended: (reason) => {
          this.#failure ??= reason;
          active.reject(reason);
        },
      },
    );
    await active.promise;
    this.#links.push(link);
    this.#underWay.push(underWay);
  }

  /** Plays to all clients for some time. @throws Error when frames are lost or a connection ends */
  async play(seconds: number): Promise<void> {
    const clients = this.#server.clients.filter(({ isActive }) => isActive);
    const ends = performance.now() + seconds * 1000;
    for (const [i, { socket }] of clients.entries()) {
      this.#playTo((frame) => socket.send([frame]), this.#underWay[i], i / clients.length, ends);
    }
    await sleep(seconds * 1000);
    const underWay = () => this.#underWay.reduce((sum, { length }) => sum + length, 0);
    for (let waited = 0; underWay() > 0 && waited < DRAIN_MS; waited += POLL_MS) await sleep(POLL_MS);
    if (this.#failure) throw this.#failure;
    const lost = underWay();
    if (lost > 0) throw new Error(`${lost} frames did not arrive within ${DRAIN_MS / 1000} s`);
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const link of this.#links) link.close();
    await this.#server.close();
  }

  #playTo(send: (frame: Uint8Array) => void, underWay: Sent[], share: number, ends: number): void {
    const trace = this.#trace;
    const length = trace.at(-1)!.atMs + PAUSE_MS;
    let next = Math.floor(share * trace.length);
    // When the trace's start would have been.
    let origin = performance.now() - trace[next].atMs;
    const step = () => {
      const now = performance.now();
      if (now >= ends) return;
      while (origin + trace[next].atMs <= now) {
        const { frame } = trace[next];
        underWay.push({ at: performance.now(), bytes: frame.length });
        send(frame);
        next = (next + 1) % trace.length;
        if (next === 0) origin += length;
      }
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer);
          step();
        },
        Math.max(1, origin + trace[next].atMs - performance.now()),
      );
      this.#timers.add(timer);
    };
    step();
  }
}
