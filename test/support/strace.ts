import { readdirSync, readFileSync } from 'node:fs';
import { Background } from './child.ts';
import { eventually } from './eventually.ts';

/**
 * Has system calls of a running program fail, or take their time: the kernel's answer is changed on its way back, so that
 * the program meets what it would on such a disk.
 */
export class FaultInjection {
  readonly #strace: Background;

  private constructor(strace: Background) {
    this.#strace = strace;
  }

  /**
   * Begins with every thread of a process.
   *
   * @param inject as strace's: `fdatasync:error=EIO`
   * @param paths of the files whose calls are meant; none: all
   */
  static async begin(pid: number, inject: string, paths: readonly string[] = []): Promise<FaultInjection> {
    const calls = inject.slice(0, inject.indexOf(':'));
    const files = paths.flatMap((path) => ['-P', path]);
    const args = ['-f', '-o', '/dev/null', `-etrace=${calls}`, `-einject=${inject}`, ...files, '-p', String(pid)];
    const strace = new Background('strace', args, process.env);
    const injection = new FaultInjection(strace);
    await eventually('strace sees every thread', () => {
      strace.requireRunning();
      return readdirSync(`/proc/${pid}/task`).every((thread) => isTraced(pid, thread));
    });
    return injection;
  }

  /** The system calls work again. */
  async close(): Promise<void> {
    await this.#strace.close('SIGINT');
  }
}

function isTraced(pid: number, thread: string): boolean {
  return !/^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1'));
}
