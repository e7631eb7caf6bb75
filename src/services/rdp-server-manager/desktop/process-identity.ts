import { readFileSync } from 'node:fs';

/**
 * A process that is told apart from any other, also after its id was used again: by boot and start time. Written to
 * disk, so that a later Lucid finds its desktops and never touches a stranger.
 */
export interface ProcessIdentity {
  pid: number;
  /** Start time in the kernel's clock ticks since boot. */
  started: string;
  boot: string;
}

/** The identity of a process that runs now; null when there is none (a zombie has ended). */
export function identify(pid: number): ProcessIdentity | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in brackets, which may itself hold spaces and brackets (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, started] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return null;
    return { pid, started, boot: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim() };
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

export function isRunning(identity: ProcessIdentity): boolean {
  const found = identify(identity.pid);
  return found !== null && found.started === identity.started && found.boot === identity.boot;
}

/** Signals that very process, or its process group. @returns false when it has ended */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals, group: boolean): boolean {
  if (!isRunning(identity)) return false;
  try {
    return process.kill(group ? -identity.pid : identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
