import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { KeyedLock } from '#platform/keyed-lock.ts';
import { Desktop, type DesktopHost } from './desktop/desktop.ts';
import { type Hosted, optionsOf } from './specs.ts';

/** A machine that comes back with many desktops should not start them all at once. */
const STARTS_AT_A_TIME = 4;

/** The desktops of this machine, by their servers' ids. */
export class HostedDesktops {
  readonly #desktops = new Map<string, Desktop>();
  readonly #starts = new KeyedLock();
  #started = 0;
  readonly #folder: string;
  readonly #host: DesktopHost;
  readonly #exposeDisplay: boolean;
  readonly #onEnd: (id: string, reason: string) => void;

  /** @param onEnd called when a desktop ends that nobody stopped */
  constructor(folder: string, host: DesktopHost, exposeDisplay: boolean, onEnd: (id: string, reason: string) => void) {
    this.#folder = folder;
    this.#host = host;
    this.#exposeDisplay = exposeDisplay;
    this.#onEnd = onEnd;
  }

  get(id: string): Desktop | undefined {
    return this.#desktops.get(id);
  }

  /** @throws DesktopError as Desktop.start */
  async start(id: string, spec: Hosted): Promise<void> {
    const lane = `${this.#started++ % STARTS_AT_A_TIME}`;
    await this.#starts.run(lane, async () => {
      this.#take(id, await Desktop.start(this.#folderOf(id), optionsOf(spec, this.#exposeDisplay), this.#host));
    });
  }

  /** Takes over what an earlier Lucid left running, if it answers. @returns whether it does */
  async adopt(id: string): Promise<boolean> {
    const desktop = Desktop.adopt(this.#folderOf(id));
    if (desktop === null) return false;
    try {
      await desktop.check();
    } catch {
      await desktop.stop();
      return false;
    }
    this.#take(id, desktop);
    return true;
  }

  async stop(id: string, graceMs?: number): Promise<void> {
    const desktop = this.#desktops.get(id);
    this.#desktops.delete(id);
    if (desktop) await desktop.stop(graceMs);
    else await Desktop.clean(this.#folderOf(id));
  }

  /** Stops a desktop and removes its files. */
  async remove(id: string): Promise<void> {
    await this.stop(id);
    rmSync(this.#folderOf(id), { recursive: true, force: true });
  }

  #take(id: string, desktop: Desktop): void {
    this.#desktops.set(id, desktop);
    desktop.ended.then((reason) => {
      if (this.#desktops.get(id) !== desktop) return;
      this.#desktops.delete(id);
      this.#onEnd(id, reason);
    });
  }

  #folderOf(id: string): string {
    return join(this.#folder, id);
  }
}
