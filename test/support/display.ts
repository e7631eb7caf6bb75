import { once } from 'node:events';
import { mkdirSync, symlinkSync, unlinkSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Background, capture } from './child.ts';
import { eventually, PATIENCE_MS } from './eventually.ts';
import { difference, type Picture, type Rectangle } from './pixels.ts';
import { readXwd } from './xwd.ts';

/** Where Xlib looks for displays by number. */
const SOCKETS = '/tmp/.X11-unix';

/** An X display that tests look at and act on. */
export class Display {
  /** As in the environment variable DISPLAY. */
  readonly name: string;
  readonly #close: () => Promise<void> | void;

  private constructor(name: string, close: () => Promise<void> | void) {
    this.name = name;
    this.#close = close;
  }

  /** A new screen in memory, of 24 bits a pixel. */
  static async create(width: number, height: number): Promise<Display> {
    const args = ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-noreset', '-nolisten', 'tcp'];
    const server = new Background('Xvfb', args, process.env, ['pipe']);
    const [number] = await once((server.child.stdio[3] as Readable).setEncoding('utf8'), 'data', {
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return new Display(`:${number.trim()}`, () => server.close());
  }

  /** A display by its socket, wherever that lies. Debian's Xlib takes no path as DISPLAY: a link gives it a number. */
  static ofSocket(path: string): Display {
    mkdirSync(SOCKETS, { recursive: true, mode: 0o1777 });
    for (let number = 1000; ; number++) {
      const link = `${SOCKETS}/X${number}`;
      try {
        symlinkSync(path, link);
        return new Display(`:${number}`, () => unlinkSync(link));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  /** The root window's pixels, pointer not included. */
  async screenshot(): Promise<Picture> {
    for (let attempt = 1; ; attempt++) {
      try {
        return readXwd(await capture('xwd', ['-root', '-silent'], this.name));
      } catch (error) {
        // xwd looks at every window, then takes the screen: a window that goes or a screen that shrinks meanwhile ends it
        if (attempt === 5 || !/BadWindow|BadMatch|BadDrawable/.test(String(error))) throw error;
      }
    }
  }

  /** Waits until the picture has not changed for `quietMs`. @returns that picture */
  async quietScreenshot(quietMs = 300): Promise<Picture> {
    const deadline = Date.now() + PATIENCE_MS;
    let last = await this.screenshot();
    let since = Date.now();
    while (Date.now() - since < quietMs) {
      if (Date.now() > deadline) throw new Error(`display ${this.name} does not come to rest`);
      await sleep(quietMs / 3);
      const next = await this.screenshot();
      if (difference(next, last)) since = Date.now();
      last = next;
    }
    return last;
  }

  /** Runs xdotool with these arguments. @returns its output */
  async act(...args: (string | number)[]): Promise<string> {
    const output = await capture('xdotool', args.map(String), this.name);
    return output.toString('utf8').trim();
  }

  /** Where a window's inside lies on the screen, once it is mapped; by its class, as xdotool matches it. */
  async findWindow(name: string): Promise<Rectangle> {
    const found = await eventually(`a window ${name} on ${this.name}`, () =>
      this.act('search', '--onlyvisible', '--class', name).catch(() => ''),
    );
    // Not xdotool's own getwindowgeometry: it counts the frame twice.
    const information = await capture('xwininfo', ['-id', found.split('\n')[0]], this.name);
    const value = (key: string) => Number(information.toString('utf8').match(new RegExp(`${key}: +(\\d+)`))?.[1]);
    const corner = { left: value('Absolute upper-left X'), top: value('Absolute upper-left Y') };
    return { ...corner, width: value('Width'), height: value('Height') };
  }

  /** Gives the screen another size, as a person does in the desktop's settings. */
  async resize(width: number, height: number): Promise<void> {
    await capture('xrandr', ['-s', `${width}x${height}`], this.name);
  }

  async close(): Promise<void> {
    await this.#close();
  }
}
