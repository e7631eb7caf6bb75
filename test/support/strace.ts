import { readdirSync, readFileSync } from 'node:fs';
import { Background } from './child.ts';
import { eventually } from './eventually.ts';

/** strace on every thread of a program that runs. */
export class Strace {
  readonly #strace: Background;

  private constructor(strace: Background) {
    this.#strace = strace;
  }

  /**
   * Has system calls fail, or take their time: the kernel's answer is changed on its way back, so that the program meets
   * what it would on such a disk.
   *
   * @param inject as strace's: `fdatasync:error=EIO`
   * @param paths of the files whose calls are meant; none: all
   */
  static inject(pid: number, inject: string, paths: readonly string[] = []): Promise<Strace> {
    const calls = inject.slice(0, inject.indexOf(':'));
    const files = paths.flatMap((path) => ['-P', path]);
    return Strace.#attach(pid, ['-o', '/dev/null', `-etrace=${calls}`, `-einject=${inject}`, ...files]);
  }

  /** Writes system calls to a file in the order in which they happen, with the paths and addresses that they are for. */
  static trace(pid: number, calls: readonly string[], file: string): Promise<Strace> {
    return Strace.#attach(pid, ['-o', file, '-yy', `-etrace=${calls.join(',')}`]);
  }

  static async #attach(pid: number, args: readonly string[]): Promise<Strace> {
    const strace = new Background('strace', ['-f', ...args, '-p', String(pid)], process.env);
    await eventually('strace sees every thread', () => {
      strace.requireRunning();
      return readdirSync(`/proc/${pid}/task`).every((thread) => isTraced(pid, thread));
    });
    return new Strace(strace);
  }

  /** Leaves the program to itself. */
  async close(): Promise<void> {
    await this.#strace.close('SIGINT');
  }
}

function isTraced(pid: number, thread: string): boolean {
  return !/^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1'));
}

/** A system call in a trace. */
export interface TracedCall {
  readonly name: string;
  /** Its arguments. */
  readonly text: string;
  readonly result: number;
  /** Lines of the trace at which it began and ended: the same where nothing else happened meanwhile. */
  readonly begun: number;
  readonly ended: number;
}

/**
 * Reads a trace of all threads. A thread stands still at the beginning and at the end of a call until strace has written
 * that down: what follows from a call's end, in whatever thread, stands after it.
 *
 * @returns the calls, in the order in which they ended
 */
export function readTrace(text: string): TracedCall[] {
  const begun = new Map<string, { text: string; line: number }>();
  return text.split('\n').flatMap((line, at) => {
    const [, thread, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (!thread) return [];
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest);
    if (unfinished) {
      begun.set(thread, { text: unfinished[1], line: at });
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const before = resumed ? begun.get(thread) : undefined;
    const call = /^(\w+)\((.*)\) += (-?\d+)/.exec(before ? before.text + resumed![1] : rest);
    if (!call) return [];
    return [{ name: call[1], text: call[2], result: Number(call[3]), begun: before?.line ?? at, ended: at }];
  });
}
