import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, type Transport } from '#contract/contract.ts';
import { CONTRACTS, type Peers } from '#contract/index.ts';
import type { RecordTransport } from '#contract/record-transport.ts';
import { SERVICE_NAMES, type ServiceName } from '#contract/services.ts';
import { type Listener, listen } from '#platform/http/listener.ts';
import { httpsTransport, injectTransport } from '#platform/http/transport.ts';
import { listenError } from '#platform/listen-error.ts';
import { connectLiveTransport } from '#platform/live-transport.ts';
import type { Log } from '#platform/log.ts';
import { collectProcessMetrics } from '#platform/metrics.ts';
import type { TlsFiles } from '#platform/pki.ts';
import { connectRecordTransport } from '#platform/record-transport/client.ts';
import { createService, type RunningService } from '#platform/service.ts';
import { loadServices } from './services.ts';
import { type Address, portSetting } from './settings.ts';

/** Where services run together: this thread, or another. */
export interface Place {
  /** The port that each service listens on. */
  readonly ports: Partial<Record<ServiceName, number>>;
  /** Called once every service of the program answers requests. @returns the port for RDP clients, if this opens one */
  start(name: ServiceName): Promise<number | null>;
  /** Has a service finish within `deadlineMs`. Never throws. */
  stop(name: ServiceName, deadlineMs: number): Promise<void>;
  /** Ends what is left: connections after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

/** What can be told to a place in another thread. */
export interface PlaceFacts {
  services: readonly ServiceName[];
  env: NodeJS.ProcessEnv;
  addresses: Record<ServiceName, Address>;
  data: string;
  /** Of each service of the place. */
  tls: Partial<Record<ServiceName, TlsFiles>>;
}

export interface PlaceOptions extends PlaceFacts {
  log: Log;
  /** The way to a service elsewhere in this program; null when it is none of this program's. */
  elsewhere: (service: ServiceName, caller: ServiceName) => Transport | null;
  /** The port that a service of this program listens on by now. */
  portOf: (service: ServiceName) => number | undefined;
}

/** Services of this thread: they call each other by injected requests, others as `elsewhere` says or over mutual TLS. */
export class LocalPlace implements Place {
  readonly ports: Partial<Record<ServiceName, number>> = {};
  readonly running: RunningService[] = [];
  readonly #options: PlaceOptions;
  readonly #listeners: Listener[] = [];

  private constructor(options: PlaceOptions) {
    this.#options = options;
  }

  /** Creates the services and opens their ports. If one cannot be, nothing is left of the others when it throws. */
  static async create(options: PlaceOptions): Promise<LocalPlace> {
    collectProcessMetrics();
    const place = new LocalPlace(options);
    try {
      await place.#create();
      await place.#listen();
    } catch (error) {
      for (const { name } of place.running.toReversed()) await place.stop(name, 1000);
      await place.close(1000);
      throw error;
    }
    return place;
  }

  /** The way to a service of this place. */
  transport(service: ServiceName, caller: ServiceName): Transport {
    return injectTransport(() => this.#of(service).app, caller);
  }

  async start(name: ServiceName): Promise<number | null> {
    const { service } = this.#of(name);
    await service.start?.();
    return service.rdpPort?.() ?? null;
  }

  async stop(name: ServiceName, deadlineMs: number): Promise<void> {
    const service = this.running.find((running) => running.name === name)?.service;
    await service
      ?.stop?.(deadlineMs)
      .catch((error) => this.#options.log.error({ err: error, service: name }, 'did not stop cleanly'));
  }

  async close(deadlineMs: number): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close(deadlineMs)));
    await Promise.all(this.running.map(({ app }) => app.close()));
  }

  #of(name: ServiceName): RunningService {
    return this.running.find((running) => running.name === name)!;
  }

  async #create(): Promise<void> {
    const { services, env, addresses, data, tls, log } = this.#options;
    let localRecords: RecordTransport | undefined;
    for (const definition of await loadServices(services)) {
      const { name } = definition;
      const folder = join(data, name);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const records: RecordTransport = services.includes('session-recorder')
        ? { attach: (...args) => localRecords!.attach(...args) }
        : connectRecordTransport(new URL(addresses['session-recorder'].url), tls[name]!, log);
      const live = connectLiveTransport(() => this.#urlOf('session-recorder'), tls[name]!);
      const context = { log, peers: this.#peersOf(name), records, live, folder, tls: tls[name]! };
      const created = await createService(definition, env, context);
      localRecords ??= created.service.records;
      this.running.push(created);
    }
  }

  #peersOf(caller: ServiceName): Peers {
    const { services, elsewhere, addresses, tls } = this.#options;
    const clients = SERVICE_NAMES.map((name) => {
      const transport = services.includes(name)
        ? this.transport(name, caller)
        : (elsewhere(name, caller) ?? httpsTransport(name, new URL(addresses[name].url), tls[caller]!));
      return [name, createClient(CONTRACTS[name], transport)];
    });
    return Object.fromEntries(clients) as Peers;
  }

  /** Where a service's HTTPS face is: one of this program may have taken any free port. */
  #urlOf(name: ServiceName): URL {
    const { addresses, portOf } = this.#options;
    const url = new URL(addresses[name].url);
    const port = portOf(name);
    if (port !== undefined) url.port = String(port);
    return url;
  }

  async #listen(): Promise<void> {
    const { addresses, tls } = this.#options;
    for (const { name, app, service } of this.running) {
      const { host, port } = addresses[name];
      const listener = await listen({
        app,
        host,
        port,
        tls: tls[name]!,
        mutual: name !== 'session-api',
        ...(service.upgrade && { upgrade: service.upgrade }),
      }).catch((error) => {
        throw listenError(name, host, port, portSetting(name), error);
      });
      this.#listeners.push(listener);
      this.ports[name] = listener.port;
    }
  }
}
