import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { writeSecretFile } from '#platform/files.ts';
import type { DesktopOptions } from './options.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** User and group that a desktop runs as; null for Lucid's own, when Lucid is no root. */
export type Owner = { uid: number; gid: number } | null;

/** What a later Lucid needs to know about a desktop that runs. */
export interface DesktopState {
  /** First process of the sandbox: all others end with it. Without a sandbox, the leader of the process group. */
  process: ProcessIdentity;
  sandboxed: boolean;
  /** X display, `:1` and so on. */
  display: string;
  /** SHA-256 of the desktop's certificate (DER), hex. */
  fingerprint: string;
}

/**
 * The folder of one desktop:
 *
 *     state.json   what runs, for Lucid only
 *     desktop.log  what the desktop's programs said since the last start, for Lucid only; desktop.log.1 is the one before
 *     sandbox/     all that the desktop sees of it
 *       config/      xrdp.ini, certificate, session: read only
 *       run/         rdp.sock
 *       home/        the desktop user's files: kept from start to start
 *       display/     the X server's socket, where tests asked for it
 */
export class DesktopFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get sandbox(): string {
    return join(this.path, 'sandbox');
  }

  get config(): string {
    return join(this.sandbox, 'config');
  }

  get run(): string {
    return join(this.sandbox, 'run');
  }

  get home(): string {
    return join(this.sandbox, 'home');
  }

  get displays(): string {
    return join(this.sandbox, 'display');
  }

  get socket(): string {
    return join(this.run, 'rdp.sock');
  }

  get log(): string {
    return join(this.path, 'desktop.log');
  }

  get #stateFile(): string {
    return join(this.path, 'state.json');
  }

  /** Makes the folders and files of a start; the home folder stays as it is. */
  prepare(options: DesktopOptions, files: Record<string, string>, key: string, owner: Owner): void {
    // Others may pass through, to what they may see.
    mkdirSync(this.path, { recursive: true, mode: 0o711 });
    if (existsSync(this.log)) renameSync(this.log, `${this.log}.1`);
    for (const folder of [this.run, this.config, this.displays]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(this.config, { recursive: true });
    for (const folder of [this.sandbox, this.config]) chmodSync(folder, 0o755);
    const owned = [this.run, this.home, ...(options.exposeDisplay ? [this.displays] : [])];
    for (const folder of owned) mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.config, name), text, { mode: 0o644 });
    const script = join(this.config, 'start.sh');
    copyFileSync(new URL('start.sh', import.meta.url), script);
    chmodSync(script, 0o755);
    const keyFile = join(this.config, 'key.pem');
    writeFileSync(keyFile, key, { mode: 0o400 });
    if (owner) for (const path of [...owned, keyFile]) chownSync(path, owner.uid, owner.gid);
  }

  writeState(state: DesktopState): void {
    writeSecretFile(this.#stateFile, JSON.stringify(state));
  }

  /** The state of the last start; null when there is none, or when it was never written to its end. */
  readState(): DesktopState | null {
    try {
      return JSON.parse(readFileSync(this.#stateFile, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  /** Forgets the processes and removes their sockets; home, log and configuration stay. */
  clear(): void {
    rmSync(this.#stateFile, { force: true });
    for (const folder of [this.run, this.displays]) rmSync(folder, { recursive: true, force: true });
  }
}
