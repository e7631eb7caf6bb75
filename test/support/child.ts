import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { PATIENCE_MS } from './eventually.ts';

const run = promisify(execFile);

/** Runs a program to its end. @returns its standard output; @throws Error with its standard error when it fails */
export async function capture(program: string, args: string[], display: string): Promise<Buffer> {
  const env = { ...process.env, DISPLAY: display };
  const { stdout } = await run(program, args, { env, encoding: 'buffer', maxBuffer: 256 << 20, timeout: PATIENCE_MS });
  return stdout;
}

/** A program that runs in the background; `close` ends it and waits for its end. */
export class Background {
  readonly child: ChildProcess;
  readonly #name: string;
  #output = '';

  constructor(program: string, args: string[], env: NodeJS.ProcessEnv, stdio: ('ignore' | 'pipe')[] = []) {
    this.#name = program;
    this.child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe', ...stdio] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-65536);
      });
    }
    this.child.on('error', (error) => {
      this.#output += error.message;
    });
  }

  /** The last 64 KiB of what it wrote. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** @throws Error with the program's output when it has ended */
  requireRunning(): void {
    if (!this.running) throw new Error(`${this.#name} has ended: ${this.#output}`);
  }

  /** Waits for its end. @returns its exit status; null when a signal ended it */
  async ended(): Promise<number | null> {
    if (this.running) await once(this.child, 'close');
    return this.child.exitCode;
  }

  async close(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.running) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    const late = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    await ended;
    clearTimeout(late);
  }
}
