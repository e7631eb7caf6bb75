import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What every child answers to `report`. */
export interface ChildReport {
  /** CPU time of the whole process, user and system, in seconds. */
  cpuSeconds: number;
  residentMegabytes: number;
  /** Bytes that went to the client, 0 where the child does not count them. */
  bytes: number;
}

const STOP_MS = 25_000;

/** A program of `bench/support` in a process of its own, so that its CPU time can be told from the bench's. */
export class BenchChild<Ready> {
  readonly ready: Ready;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ready: Ready) {
    this.#child = child;
    this.ready = ready;
  }

  /** Starts it and waits for its first message. @throws Error when it ends before */
  static async start<Ready>(program: string, ...args: (string | number)[]): Promise<BenchChild<Ready>> {
    const child = fork(join(import.meta.dirname, `${program}.ts`), args.map(String));
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${program} ended with code ${code} before it was ready`);
    });
    ended.catch(() => {});
    const [ready] = await Promise.race([once(child, 'message'), ended]);
    return new BenchChild(child, ready as Ready);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Has the child carry out one of its commands. @returns its answer */
  async ask<Answer>(command: string, argument?: object): Promise<Answer> {
    const answer = once(this.#child, 'message');
    this.#child.send({ command, argument });
    return (await answer)[0] as Answer;
  }

  report(): Promise<ChildReport> {
    return this.ask('report');
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.send({ command: 'stop' });
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }
}

/**
 * The child's side: tells what it is ready with, and carries out commands until it is stopped.
 *
 * @param commands `stop` is called before the process ends
 */
export function serveBench(
  ready: object,
  bytes: () => number,
  commands: Record<string, (argument: never) => unknown>,
): void {
  const report = (): ChildReport => {
    const { user, system } = process.cpuUsage();
    return { cpuSeconds: (user + system) / 1e6, residentMegabytes: process.memoryUsage.rss() / 1e6, bytes: bytes() };
  };
  process.on('message', async ({ command, argument }: { command: string; argument: never }) => {
    const answer = command === 'report' ? report() : await commands[command]?.(argument);
    if (command === 'stop') process.exit(0);
    process.send!(answer ?? {});
  });
  process.send!(ready);
}
