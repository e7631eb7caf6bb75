import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Background } from './child.ts';
import { Display } from './display.ts';
import { eventually } from './eventually.ts';
import { crop, type Picture } from './pixels.ts';

export interface FreeRdpOptions {
  port: number;
  width: number;
  height: number;
  user?: string;
  password?: string;
  /** An .rdp file, which may say how to log in. */
  rdpFile?: string;
  /** More arguments: `/bpp:16`, `-fast-path`, `+clipboard`, `/load-balance-info:...` */
  args?: string[];
}

/** What FreeRDP 2 shows of a 5-6-5 picture: it widens green in a way of its own, up to 4 of 255 too bright. */
export function asFreeRdpShows({ width, height, pixels }: Picture): Picture {
  const shown = pixels.map((value, i) => (i % 4 === 1 ? Math.min(255, (value & 0xfc) + (value >> 5)) : value));
  return { width, height, pixels: shown };
}

/** FreeRDP with a screen of its own, as a person sees it. */
export class FreeRdp {
  readonly display: Display;
  readonly #client: Background;
  readonly #home: string;

  private constructor(display: Display, client: Background, home: string) {
    this.display = display;
    this.#client = client;
    this.#home = home;
  }

  /** Starts the client; returns at once, connected or not. The remote screen fills the client's. */
  static async start(options: FreeRdpOptions): Promise<FreeRdp> {
    const { width, height } = options;
    const display = await Display.create(width, height);
    const home = mkdtempSync(join(tmpdir(), 'lucid-freerdp-'));
    const { rdpFile, user, password } = options;
    const args = [
      ...(rdpFile === undefined ? [] : [rdpFile]),
      ...(user === undefined ? [] : [`/u:${user}`]),
      ...(password === undefined ? [] : [`/p:${password}`]),
      `/v:127.0.0.1:${options.port}`,
      `/size:${width}x${height}`,
      ...['/sec:tls', '/cert:ignore', '/log-level:WARN', '-grab-keyboard', '-decorations'],
      // Its patience in ms, which is short for a busy machine.
      '/timeout:120000',
      ...(options.args ?? []),
    ];
    const env = { ...process.env, DISPLAY: display.name, HOME: home };
    return new FreeRdp(display, new Background('xfreerdp', args, env), home);
  }

  /** What the client wrote. */
  get output(): string {
    return this.#client.output;
  }

  get running(): boolean {
    return this.#client.running;
  }

  /** Waits until the client shows its window. @throws Error with the client's output when it ends before */
  async connected(): Promise<void> {
    await eventually('the window of FreeRDP', () => {
      this.#client.requireRunning();
      return this.display.act('search', '--onlyvisible', '--name', 'FreeRDP').catch(() => '');
    });
  }

  /** Waits until the client has ended. @returns its exit status */
  async ended(): Promise<number | null> {
    await eventually('the end of FreeRDP', () => !this.running).catch((error) => {
      throw new Error(`${error.message}: ${this.output}`, { cause: error });
    });
    return this.#client.child.exitCode;
  }

  /** What the client's screen shows, or its upper left part. */
  async screenshot(width?: number, height?: number): Promise<Picture> {
    const all = await this.display.screenshot();
    return crop(all, { left: 0, top: 0, width: width ?? all.width, height: height ?? all.height });
  }

  /** Types text, key by key. */
  async type(text: string): Promise<void> {
    await this.display.act('type', '--delay', 20, text);
  }

  async key(...names: string[]): Promise<void> {
    await this.display.act('key', '--delay', 20, ...names);
  }

  /** Presses the left button at a place, moves in steps to another, lets go. */
  async drag(from: [number, number], to: [number, number], steps = 8): Promise<void> {
    await this.display.act('mousemove', ...from, 'mousedown', 1);
    for (let i = 1; i <= steps; i++) {
      await this.display.act('mousemove', ...from.map((start, k) => Math.round(start + ((to[k] - start) * i) / steps)));
      await sleep(30);
    }
    await this.display.act('mouseup', 1);
  }

  async click(x: number, y: number): Promise<void> {
    await this.display.act('mousemove', x, y, 'click', 1);
  }

  /** Ends the client, with SIGKILL when told so: as if its machine had gone. */
  async close(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#client.close(signal);
    await this.display.close();
    rmSync(this.#home, { recursive: true, force: true });
  }
}
