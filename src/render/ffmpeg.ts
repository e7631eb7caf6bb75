/** FFmpeg as a child: frames go in no faster than it takes them, and its last words are kept. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { FfmpegError, RenderError } from './render-error.ts';

const LAST_LINES = 8;
const MAX_LINE = 300;
/** Trials print a line a packet: no more of it is kept. */
const MAX_OUTPUT = 64 * 1024;
/** Frames that may wait in the pipe. */
export const FRAMES_IN_FLIGHT = 2;

export const INSTALL_FFMPEG =
  'FFmpeg is not there: apt-get install -y --no-install-recommends ffmpeg, or say where it is';

export class Ffmpeg {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #encoder: string;
  readonly #lines: string[] = [];
  readonly #ended: Promise<void>;
  readonly #inFlight: { frame: Uint8Array; written: Promise<void> }[] = [];
  #output = '';
  #line = '';

  /**
   * Starts it.
   * @param program its path, or its name to be found on PATH
   * @param encoder for messages
   */
  constructor(program: string, args: readonly string[], encoder: string) {
    this.#encoder = encoder;
    // SVT-AV1 writes a page about itself unless it is told not to.
    const env = { ...process.env, SVT_LOG: '1' };
    // In a group of its own: Ctrl+C at a terminal is for whoever renders, who ends FFmpeg then.
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env, detached: true });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (this.#output.length < MAX_OUTPUT) this.#output += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
    // Writing to a child that has gone fails; why it has gone is told by its end.
    this.#child.stdin.on('error', () => {});
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          new RenderError(error.code === 'ENOENT' ? INSTALL_FFMPEG : `FFmpeg cannot be started: ${error.message}`),
        );
      });
      this.#child.once('close', (code, signal) => {
        if (code === 0) resolve();
        else
          reject(
            new FfmpegError(`FFmpeg ended ${signal ? `by ${signal}` : `with ${code}`}, ${encoder}:`, this.lastLines),
          );
      });
    });
    this.#ended.catch(() => {});
  }

  /** What it said last on standard error. */
  get lastLines(): readonly string[] {
    return this.#line === '' ? this.#lines : [...this.#lines, this.#line];
  }

  /** What it said on standard output, the beginning of it. */
  get output(): string {
    return this.#output;
  }

  /** Whether `frame` is still being written, so that it must not change. */
  isBusy(frame: Uint8Array): boolean {
    return this.#inFlight.some((one) => one.frame === frame);
  }

  /**
   * Hands a frame over, and waits until there is room for another. The frame must not change while it is busy.
   * @throws FfmpegError when FFmpeg has ended
   */
  async write(frame: Uint8Array): Promise<void> {
    const { stdin } = this.#child;
    const written = new Promise<void>((resolve, reject) => {
      stdin.write(frame, (error) => (error ? reject(error) : resolve()));
    });
    written.catch(() => {});
    this.#inFlight.push({ frame, written });
    if (this.#inFlight.length < FRAMES_IN_FLIGHT) return;
    await this.#settle(this.#inFlight[0].written);
    this.#inFlight.shift();
  }

  /**
   * Says that there are no more frames, and waits for the end.
   * @throws FfmpegError when that is no success; RenderError when it never started
   */
  async finish(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }

  /** Ends it at once, and waits until it has gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    this.#child.stdin.destroy();
    await this.#ended.catch(() => {});
  }

  /** A write that fails is explained by how FFmpeg ended. */
  async #settle(written: Promise<void>): Promise<void> {
    try {
      await written;
    } catch {
      await this.#ended;
      throw new FfmpegError(`FFmpeg stopped reading, ${this.#encoder}:`, this.lastLines);
    }
  }

  #keep(text: string): void {
    const lines = (this.#line + text).split(/[\r\n]+/);
    this.#line = lines.pop()!.slice(-MAX_LINE);
    for (const line of lines) if (line.trim() !== '') this.#lines.push(line.trimEnd().slice(0, MAX_LINE));
    this.#lines.splice(0, this.#lines.length - LAST_LINES);
  }
}
