import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectUnixSocket } from '#platform/unix-socket.ts';
import { DesktopError } from './desktop-error.ts';
import { createDesktopFiles } from './desktop-files.ts';
import { limitLog, tailOfLog } from './desktop-log.ts';
import { DesktopFolder, type DesktopState, type Owner } from './folder.ts';
import { handshake } from './handshake.ts';
import { desktopOptions, type GivenOptions } from './options.ts';
import { type Place, placeBare, placeInside } from './place.ts';
import { identify, isRunning, signal } from './process-identity.ts';
import { requirePrograms } from './programs.ts';
import { sandboxCommand } from './sandbox.ts';
import { systemCallFilter } from './system-calls.ts';

const START_TIMEOUT_MS = 30_000;
const HANDSHAKE_TIMEOUT_MS = 5000;
const STOP_GRACE_MS = 5000;
const POLL_MS = 100;
const WATCH_MS = 250;

/** How desktops run on this machine: the same for all of them. */
export interface DesktopHost {
  /** `none` runs desktops bare: they can then read what their user can, see each other and use the network. */
  sandbox: 'bubblewrap' | 'none';
  /** User and group for desktops when Lucid is root. */
  uid: number;
  /** Folders that no desktop may see: Lucid's data. */
  hidden: readonly string[];
}

/** One hosted desktop that runs: X server, session and xrdp, reached through a UNIX socket. */
export class Desktop {
  readonly folder: DesktopFolder;
  readonly #state: DesktopState;
  readonly #ended = Promise.withResolvers<string>();
  #stopping = false;

  private constructor(folder: DesktopFolder, state: DesktopState, child: ChildProcess | null) {
    this.folder = folder;
    this.#state = state;
    this.#watch(child).catch(this.#ended.reject);
  }

  /**
   * Starts a desktop in `path` (made when missing) and waits until it answers an RDP handshake.
   *
   * @throws DesktopError saying which program failed, with the last lines it wrote; nothing is left running then
   */
  static async start(path: string, given: GivenOptions, host: DesktopHost): Promise<Desktop> {
    const options = desktopOptions(given);
    const sandboxed = host.sandbox === 'bubblewrap';
    requirePrograms(options.backend, sandboxed);
    await Desktop.clean(path);
    const folder = new DesktopFolder(path);
    const owner: Owner = process.getuid?.() === 0 ? { uid: host.uid, gid: host.uid } : null;
    const place = sandboxed ? placeInside(options) : placeBare(options, folder);
    const { files, key, fingerprint } = await createDesktopFiles(options, place);
    folder.prepare(options, files, key, owner);

    const filter = sandboxed ? systemCallFilter() : null;
    const command = sandboxed
      ? sandboxCommand(folder, options, place.environment, host.hidden, owner, filter !== null)
      : bareCommand(place, owner);
    const child = launch(command, folder.log, sandboxed ? {} : place.environment, filter);
    let desktop: Desktop | null = null;
    try {
      const pid = sandboxed ? await firstProcess(child) : child.pid;
      const identity = pid === undefined ? null : identify(pid);
      if (identity === null) throw new DesktopError('the desktop ended before it began');
      const state = { process: identity, sandboxed, display: place.environment.DISPLAY, fingerprint };
      folder.writeState(state);
      desktop = new Desktop(folder, state, child);
      (child.stdio[0] as Writable).end('go\n');
      await desktop.#awaitAnswer();
      return desktop;
    } catch (error) {
      if (desktop) await desktop.stop();
      else child.kill('SIGKILL');
      const tail = tailOfLog(folder.log);
      throw new DesktopError(`${(error as Error).message}${tail && `\n${tail}`}`, { cause: error });
    }
  }

  /** The desktop that an earlier Lucid started in `path`, if it still runs; null otherwise. */
  static adopt(path: string): Desktop | null {
    const folder = new DesktopFolder(path);
    const state = folder.readState();
    return state && isRunning(state.process) ? new Desktop(folder, state, null) : null;
  }

  /** Ends what an earlier Lucid left running in `path`, and removes its traces. */
  static async clean(path: string): Promise<void> {
    const desktop = Desktop.adopt(path);
    if (desktop) await desktop.stop();
    else new DesktopFolder(path).clear();
  }

  /** Where xrdp listens: connect with connectUnixSocket. */
  get socketPath(): string {
    return this.folder.socket;
  }

  /** SHA-256 of the certificate that the desktop shows (DER), hex. */
  get fingerprint(): string {
    return this.#state.fingerprint;
  }

  /** The first process of the sandbox, as the host numbers it: where a monitor begins to count. */
  get pid(): number {
    return this.#state.process.pid;
  }

  /** Socket of the X server, where `exposeDisplay` was asked for. */
  get displaySocket(): string {
    return join(this.folder.displays, `X${this.#state.display.slice(1)}`);
  }

  /** Fulfilled with the reason when the desktop ends, stopped or not. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  /** Greets the desktop as an RDP client would. @throws DesktopError when it does not answer as it should */
  async check(): Promise<void> {
    limitLog(this.folder.log);
    let socket: ReturnType<typeof connectUnixSocket>;
    try {
      socket = connectUnixSocket(this.socketPath);
    } catch (error) {
      throw new DesktopError(`xrdp does not listen: ${(error as Error).message}`, { cause: error });
    }
    const { fingerprint } = await handshake(socket, HANDSHAKE_TIMEOUT_MS);
    if (fingerprint !== this.fingerprint) {
      throw new DesktopError(`the desktop shows certificate ${fingerprint}, not its own (${this.fingerprint})`);
    }
  }

  /** Ends all its processes: asked first, killed after `graceMs`. Returns when none is left. */
  async stop(graceMs = STOP_GRACE_MS): Promise<void> {
    this.#stopping = true;
    const { process: identity, sandboxed } = this.#state;
    signal(identity, 'SIGTERM', false);
    const late = setTimeout(() => signal(identity, 'SIGKILL', !sandboxed), graceMs);
    await this.ended;
    clearTimeout(late);
  }

  /** @param child bubblewrap or start.sh, when this process started it: its end is told, others are asked after */
  async #watch(child: ChildProcess | null): Promise<void> {
    const { process: identity, sandboxed } = this.#state;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    while (isRunning(identity)) await sleep(WATCH_MS, undefined, { ref: false });
    // The kernel ends a sandbox with its first process; without one, the rest of the group is still there.
    if (!sandboxed) await killGroup(identity.pid);
    this.folder.clear();
    this.#ended.resolve(this.#stopping ? 'stopped' : lastWords(this.folder.log));
  }

  async #awaitAnswer(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    let ended = false;
    this.ended.then(() => {
      ended = true;
    });
    for (;;) {
      try {
        if (existsSync(this.socketPath)) return await this.check();
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
      if (ended) throw new DesktopError('the desktop ended while it started');
      if (performance.now() > deadline) throw new DesktopError(`no answer in ${START_TIMEOUT_MS / 1000} s`);
      await sleep(POLL_MS);
    }
  }
}

function bareCommand(place: Place, owner: Owner): string[] {
  const start = ['bash', join(place.environment.LUCID_CONFIG, 'start.sh')];
  if (!owner) return start;
  const { uid, gid } = owner;
  return ['setpriv', '--reuid', `${uid}`, '--regid', `${gid}`, '--clear-groups', '--no-new-privs', '--', ...start];
}

/** @param filter written to descriptor 4 */
function launch(
  [program, ...args]: string[],
  logFile: string,
  environment: Record<string, string>,
  filter: Uint8Array | null,
): ChildProcess {
  const log = openSync(logFile, 'a', 0o600);
  try {
    // `detached`: a Ctrl-C in Lucid's terminal is not the desktops' business.
    const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', ...environment };
    const stdio: StdioOptions = ['pipe', log, log, 'pipe', filter ? 'pipe' : 'ignore'];
    const child = spawn(program, args, { stdio, detached: true, env, cwd: '/' });
    child.on('error', () => {});
    child.stdin?.on('error', () => {});
    if (filter) (child.stdio[4] as Writable).on('error', () => {}).end(filter);
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** Host's id of the sandbox's first process, from bubblewrap's information; undefined when bubblewrap failed. */
async function firstProcess(child: ChildProcess): Promise<number | undefined> {
  const info = child.stdio[3] as Readable;
  let text = '';
  for await (const part of info) text += part;
  return JSON.parse(text || '{}')['child-pid'];
}

/** Returns when no process of the group is left, or when one of them does not die within two seconds. */
async function killGroup(leader: number): Promise<void> {
  for (let i = 0; i < 40; i++) {
    try {
      process.kill(-leader, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw error;
    }
    await sleep(50);
  }
}

/** What start.sh told of its end. */
function lastWords(log: string): string {
  const told = tailOfLog(log)
    .split('\n')
    .findLast((line) => line.startsWith('desktop: '));
  return told ?? 'desktop: killed';
}
