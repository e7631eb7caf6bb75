import { setTimeout as sleep } from 'node:timers/promises';
import { KeyedLock } from '#platform/keyed-lock.ts';
import type { Log } from '#platform/log.ts';
import { BackOff } from './back-off.ts';
import type { Desktop, DesktopHost } from './desktop/desktop.ts';
import { DesktopError } from './desktop/desktop-error.ts';
import { greet } from './external.ts';
import { HostedDesktops } from './hosted.ts';
import { certificateOf, type ServerStore, type StoredServer } from './server-store.ts';

const SECOND_CHECK_MS = 2000;

export interface SupervisorOptions {
  store: ServerStore;
  host: DesktopHost;
  /** Folder of the hosted desktops' folders. */
  folder: string;
  exposeDisplay: boolean;
  checkEveryMs: number;
  log: Log;
}

/**
 * Keeps servers in the state that they should be in: starts, checks, starts again, takes over, stops. What concerns one
 * server happens one after the other: callers of the methods that take a server hold its lock.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #store: ServerStore;
  readonly #desktops: HostedDesktops;
  readonly #lock = new KeyedLock();
  readonly #backOffs = new Map<string, BackOff>();
  readonly #checks = new Set<string>();
  #checking: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#desktops = new HostedDesktops(options.folder, options.host, options.exposeDisplay, (id, reason) =>
      this.#background(id, () => this.#fail(id, reason)),
    );
  }

  /** Does `work` while nothing else happens to a server. */
  exclusive<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#lock.run(id, work);
  }

  /** The desktop behind a hosted server, while there is one. */
  desktop(id: string): Desktop | undefined {
    return this.#desktops.get(id);
  }

  /** Takes over what still runs, starts in the background what should, and begins to check all servers. */
  async open(): Promise<void> {
    for (const server of await this.#store.all()) {
      if (server.state !== 'maintenance') await this.#store.settle(server, server.wanted ? 'starting' : 'stopped');
      this.#background(server.id, () => this.#recover(server.id));
    }
    const check = () =>
      this.#checkAll().catch((error) => this.#options.log.error({ err: error }, 'could not check servers'));
    this.#checking = setInterval(check, this.#options.checkEveryMs).unref();
  }

  /** @param keep leaves desktops running, to be adopted */
  async close(keep: boolean, deadlineMs: number): Promise<void> {
    this.#closed = true;
    clearInterval(this.#checking);
    for (const backOff of this.#backOffs.values()) backOff.cancel();
    const servers = await this.#store.all();
    await Promise.all(
      servers.map((server) =>
        this.#lock.run(server.id, async () => {
          if (keep || server.spec.kind === 'external' || !this.#desktops.get(server.id)) return;
          await this.#desktops.stop(server.id, deadlineMs / 2);
          if (server.state !== 'maintenance') await this.#store.settle(server, 'stopped');
        }),
      ),
    );
  }

  /** Starts a server, from a state that allows it. @returns it, running or failed; a failed one is tried again later */
  async start(server: StoredServer): Promise<StoredServer> {
    this.#backOffs.get(server.id)?.cancel();
    const starting = await this.#store.move(server, 'starting');
    try {
      if (server.spec.kind === 'hosted') await this.#desktops.start(server.id, server.spec);
      else await this.#greet(server);
    } catch (error) {
      if (!(error instanceof DesktopError))
        this.#options.log.error({ err: error, server: server.name }, 'start failed');
      return this.#failed(starting, (error as Error).message);
    }
    this.#backOff(server.id).started();
    return this.#store.move(await this.#store.get(server.id), 'running');
  }

  /** Stops a server for good: it is not started again by itself. */
  async stop(server: StoredServer): Promise<StoredServer> {
    const stopping = await this.#store.move(server, 'stopping');
    await this.#store.change(server.id, { wanted: false });
    this.#forgetBackOff(server.id);
    if (server.spec.kind === 'hosted') await this.#desktops.stop(server.id);
    return this.#store.move(stopping, 'stopped');
  }

  /** Ends what is left of a hosted server's desktop, and removes its files. */
  async remove(server: StoredServer): Promise<void> {
    this.#forgetBackOff(server.id);
    if (server.spec.kind === 'hosted') await this.#desktops.remove(server.id);
  }

  /** Makes a server in maintenance what it is by now: running, stopped, or to be started. */
  async endMaintenance(server: StoredServer): Promise<StoredServer> {
    if (this.#desktops.get(server.id)) return this.#store.move(server, 'running');
    return server.wanted ? this.start(server) : this.#store.move(server, 'stopped');
  }

  /** Greets an external server, and remembers the first certificate that it shows. */
  async #greet(server: StoredServer): Promise<void> {
    if (server.spec.kind !== 'external') return;
    const seen = await greet(server.spec, certificateOf(server));
    if (certificateOf(server) === null) await this.#store.change(server.id, { first_certificate_sha256: seen });
  }

  /** Checks a running external server whose address was changed. @returns it, running or failed */
  async greetAgain(server: StoredServer): Promise<StoredServer> {
    try {
      await this.#greet(server);
      return await this.#store.get(server.id);
    } catch (error) {
      return this.#failed(server, (error as Error).message);
    }
  }

  async #failed(server: StoredServer, problem: string): Promise<StoredServer> {
    this.#options.log.warn({ server: server.name, problem }, 'server failed');
    const failed = await this.#store.move(server, 'failed', problem);
    // External servers are greeted at every check in any case.
    if (server.wanted && server.spec.kind === 'hosted' && !this.#closed) {
      this.#backOff(server.id).failed(() => this.#background(server.id, () => this.#retry(server.id)));
    }
    return failed;
  }

  async #fail(id: string, problem: string): Promise<void> {
    const server = await this.#store.get(id);
    if (server.state === 'running') await this.#failed(server, problem);
  }

  async #retry(id: string): Promise<void> {
    const server = await this.#store.get(id);
    if (server.state === 'failed' && server.wanted && !this.#closed) await this.start(server);
  }

  async #recover(id: string): Promise<void> {
    const server = await this.#store.get(id);
    if (this.#closed) return;
    if (server.spec.kind === 'hosted' && server.wanted && (await this.#desktops.adopt(id))) {
      this.#options.log.info({ server: server.name }, 'took over a running desktop');
      this.#backOff(id).started();
      if (server.state !== 'maintenance') await this.#store.settle(server, 'running');
      return;
    }
    if (server.spec.kind === 'hosted') await this.#desktops.stop(id);
    if (server.state === 'maintenance') return;
    const stopped = await this.#store.settle(server, 'stopped');
    if (server.wanted) await this.start(stopped);
  }

  async #checkAll(): Promise<void> {
    if (this.#closed) return;
    for (const { id } of await this.#store.all()) {
      // One that takes long is not asked again before it has answered.
      if (this.#checks.has(id)) continue;
      this.#checks.add(id);
      this.#background(id, () => this.#check(id).finally(() => this.#checks.delete(id)));
    }
  }

  async #check(id: string): Promise<void> {
    const server = await this.#store.get(id);
    if (this.#closed) return;
    const external = server.spec.kind === 'external';
    if (server.state !== 'running' && !(external && server.state === 'failed')) return;
    try {
      await (external ? this.#greet(server) : this.#greetDesktop(id));
      if (server.state === 'failed') await this.#store.move(server, 'running');
    } catch (error) {
      const problem = (error as Error).message;
      if (!external) await this.#desktops.stop(id);
      if (server.state === 'running') await this.#failed(server, problem);
      else if (server.problem !== problem) await this.#store.settle(server, 'failed', problem);
    }
  }

  /** Two checks must fail: a busy machine may miss one. */
  async #greetDesktop(id: string): Promise<void> {
    try {
      await this.#desktops.get(id)?.check();
    } catch {
      await sleep(SECOND_CHECK_MS);
      await this.#desktops.get(id)?.check();
    }
  }

  #background(id: string, work: () => Promise<void>): void {
    this.#lock.run(id, work).catch((error) => {
      if (!this.#closed) this.#options.log.error({ err: error, server_id: id }, 'could not look after a server');
    });
  }

  #backOff(id: string): BackOff {
    const known = this.#backOffs.get(id) ?? new BackOff();
    this.#backOffs.set(id, known);
    return known;
  }

  #forgetBackOff(id: string): void {
    this.#backOffs.get(id)?.cancel();
    this.#backOffs.delete(id);
  }
}
