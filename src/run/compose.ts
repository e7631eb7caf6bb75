import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Transport } from '#contract/contract.ts';
import type { ServiceName } from '#contract/services.ts';
import type { Log } from '#platform/log.ts';
import { PrivateAuthority } from '#platform/pki.ts';
import type { RunningService } from '#platform/service.ts';
import { LocalPlace, type Place, type PlaceFacts } from './place.ts';
import { loadServices, SERVICES } from './services.ts';
import type { Address } from './settings.ts';
import { ThreadPlace } from './thread-place.ts';

export interface ComposeOptions {
  /** Those of this program. */
  services: readonly ServiceName[];
  /** Those of them that share a thread of their own; none unless given. */
  threaded?: readonly ServiceName[];
  env: NodeJS.ProcessEnv;
  addresses: Record<ServiceName, Address>;
  data: string;
  tlsFolder: string;
  log: Log;
}

/** A thread that dies again in this time is not started once more: somebody has to look at why. */
const SHORT_LIFE_MS = 60_000;

/**
 * Runs services in this program: they call each other in process, all others over mutual TLS.
 *
 * If one fails to start, those already started are stopped before the error is thrown.
 */
export async function compose(options: ComposeOptions): Promise<Composition> {
  const composition = new Composition(options);
  try {
    await composition.start();
  } catch (error) {
    await composition.stop(1000);
    throw error;
  }
  return composition;
}

/** The services of one program: some in this thread, and some, if so composed, in another. */
export class Composition {
  readonly #options: ComposeOptions;
  readonly #threaded: readonly ServiceName[];
  /** Those of this thread. */
  readonly #local: readonly ServiceName[];
  readonly #created = Promise.withResolvers<LocalPlace>();
  readonly #failed = Promise.withResolvers<Error>();
  #here: LocalPlace | null = null;
  #thread: ThreadPlace | null = null;
  #diedAt = Number.NEGATIVE_INFINITY;
  #tls: PlaceFacts['tls'] = {};
  #rdpPort: number | null = null;
  #isUp = false;
  #isStopping = false;
  #reviving: Promise<void> = Promise.resolve();

  constructor(options: ComposeOptions) {
    this.#options = options;
    this.#threaded = options.threaded ?? [];
    this.#local = options.services.filter((name) => !this.#threaded.includes(name));
  }

  /** Resolves with the cause when the program cannot go on, and has to be stopped. */
  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  /** The services of this thread. */
  get services(): readonly RunningService[] {
    return this.#here?.running ?? [];
  }

  /** The port that each service of this program listens on. */
  get ports(): Partial<Record<ServiceName, number>> {
    return { ...this.#here?.ports, ...this.#thread?.ports };
  }

  /** The port that RDP clients connect to, where the gateway runs. */
  get rdpPort(): number | null {
    return this.#rdpPort;
  }

  /** Called once. */
  async start(): Promise<void> {
    if (this.#threaded.length > 0) this.#thread = this.#newThread();
    [this.#tls] = await Promise.all([certificates(this.#options), loadServices(this.#local)]);
    const threadCreated = this.#thread && this.#createIn(this.#thread);
    // It is waited for below: if it fails before that, somebody listens.
    threadCreated?.catch(() => {});
    this.#here = await LocalPlace.create({
      ...this.#facts(this.#local),
      log: this.#options.log,
      elsewhere: (service, caller) => (this.#threaded.includes(service) ? this.#toThread(service, caller) : null),
      portOf: (service) => this.ports[service],
    });
    this.#created.resolve(this.#here);
    await threadCreated;
    for (const name of inOrder(this.#options.services)) await this.#startService(name);
    this.#isUp = true;
  }

  /** Stops every service, last started first; after `deadlineMs` what is left is cut. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#reviving;
    for (const name of inOrder(this.#options.services).toReversed()) await this.#placeOf(name)?.stop(name, deadlineMs);
    await Promise.all([this.#thread?.close(deadlineMs), this.#here?.close(deadlineMs)]);
  }

  #placeOf(name: ServiceName): Place | null {
    return this.#threaded.includes(name) ? this.#thread : this.#here;
  }

  #facts(services: readonly ServiceName[]): PlaceFacts {
    const { env, addresses, data } = this.#options;
    return { services, env, addresses, data, tls: this.#tls };
  }

  async #startService(name: ServiceName): Promise<void> {
    const rdpPort = await this.#placeOf(name)!.start(name);
    this.#rdpPort = rdpPort ?? this.#rdpPort;
  }

  #newThread(): ThreadPlace {
    return new ThreadPlace(this.#threaded, this.#options.log, (cause) => this.#died(cause));
  }

  #createIn(thread: ThreadPlace): Promise<void> {
    return thread.create(this.#facts(this.#threaded), this.#local, (service, caller) => async (request) => {
      const here = await this.#created.promise;
      return here.transport(service, caller)(request);
    });
  }

  /** Of the present thread, whichever that is when the call is made. */
  #toThread(service: ServiceName, caller: ServiceName): Transport {
    return async (request) => this.#thread!.transport(service, caller)(request);
  }

  /**
   * The thread has died, and the services in it: as when their containers die, others go on, and it is started again. Who
   * waits for something of it gets the error; so does its start, while this program starts.
   */
  #died(cause: Error): void {
    if (!this.#isUp || this.#isStopping) return;
    const words = `the thread of ${this.#threaded.join(' and ')} has died: ${cause.message}`;
    const sinceLast = performance.now() - this.#diedAt;
    this.#diedAt = performance.now();
    if (sinceLast < SHORT_LIFE_MS) {
      this.#failed.resolve(new Error(`${words}, for the second time in ${SHORT_LIFE_MS / 1000} s`, { cause }));
      return;
    }
    this.#options.log.error({ err: cause }, `${words}; it is started again`);
    this.#reviving = this.#revive().catch((error) => {
      this.#failed.resolve(new Error(`${words}; it cannot be started again: ${error.message}`, { cause }));
    });
  }

  async #revive(): Promise<void> {
    this.#thread = this.#newThread();
    await this.#createIn(this.#thread);
    for (const name of inOrder(this.#threaded)) await this.#startService(name);
  }
}

function inOrder(names: readonly ServiceName[]): ServiceName[] {
  return SERVICES.map(({ name }) => name).filter((name) => names.includes(name));
}

/** Certificates for calls between services: given in a folder, or issued by the private authority, one a service. */
async function certificates({ tlsFolder, data, services }: ComposeOptions): Promise<PlaceFacts['tls']> {
  if (tlsFolder) {
    const read = (file: string) => readFileSync(join(tlsFolder, file), 'utf8');
    const given = { key: read('key.pem'), cert: read('cert.pem'), ca: read('ca.pem') };
    return Object.fromEntries(services.map((name) => [name, given]));
  }
  const authority = await PrivateAuthority.open(join(data, 'pki'));
  const issued: PlaceFacts['tls'] = {};
  for (const name of services) issued[name] = await authority.issue(name);
  return issued;
}
