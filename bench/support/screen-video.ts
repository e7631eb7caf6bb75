import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A lossy video of an X display: FFmpeg, x11grab, libx264 at 10 frames a second, crf 23. */
export class ScreenVideo {
  readonly #file: string;
  readonly #child: ChildProcess;

  private constructor(file: string, child: ChildProcess) {
    this.#file = file;
    this.#child = child;
  }

  /** Starts recording; returns once the first bytes of the file are there. */
  static async start(display: string, size: string, preset: string, file: string): Promise<ScreenVideo> {
    const input = ['-f', 'x11grab', '-framerate', '10', '-video_size', size, '-i', display];
    const output = ['-c:v', 'libx264', '-preset', preset, '-crf', '23', '-y', file];
    const child = spawn('ffmpeg', ['-loglevel', 'fatal', ...input, ...output], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    for (let tries = 0; statSync(file, { throwIfNoEntry: false }) === undefined; tries++) {
      if (child.exitCode !== null || tries === 200) throw new Error(`FFmpeg does not record ${display}`);
      await sleep(50);
    }
    return new ScreenVideo(file, child);
  }

  /** Ends the video and deletes it. @returns its size, and what making it cost until the last frame was asked for */
  async finish(): Promise<{ bytes: number; cpuSeconds: number }> {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    const ended = once(this.#child, 'exit');
    this.#child.stdin!.end('q');
    await ended;
    const { size: bytes } = statSync(this.#file);
    rmSync(this.#file);
    // In ticks of 10 ms: user, system.
    return { bytes, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 };
  }
}
