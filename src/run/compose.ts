import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
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
import { PrivateAuthority, type TlsFiles } from '#platform/pki.ts';
import { connectRecordTransport } from '#platform/record-transport/client.ts';
import { createService, type RunningService, type ServiceDefinition } from '#platform/service.ts';
import { type Address, portSetting } from './settings.ts';

export interface Composition {
  services: RunningService[];
  /** The port that each service of this process listens on. */
  ports: Partial<Record<ServiceName, number>>;
  /** Stops every service, last started first; after `deadlineMs` what is left is cut. */
  stop(deadlineMs: number): Promise<void>;
}

export interface ComposeOptions {
  definitions: readonly ServiceDefinition[];
  env: NodeJS.ProcessEnv;
  addresses: Record<ServiceName, Address>;
  data: string;
  tlsFolder: string;
  log: Log;
}

/**
 * Runs services in this process: those named by `definitions` call each other in process, all others over mutual TLS.
 *
 * If one fails to start, those already started are stopped before the error is thrown.
 */
export async function compose(options: ComposeOptions): Promise<Composition> {
  const { definitions, env, addresses, data, log } = options;
  collectProcessMetrics();
  const certificate = await certificates(options);
  const apps = new Map<ServiceName, FastifyInstance>();
  const local = new Set(definitions.map((definition) => definition.name));
  let localRecords: RecordTransport | undefined;

  const peersOf = (caller: ServiceName, tls: TlsFiles) => {
    const clients = SERVICE_NAMES.map((name) => {
      const transport: Transport = local.has(name)
        ? injectTransport(() => apps.get(name)!, caller)
        : httpsTransport(name, new URL(addresses[name].url), tls);
      return [name, createClient(CONTRACTS[name], transport)];
    });
    return Object.fromEntries(clients) as Peers;
  };

  /** Where a service's HTTPS face is: one of this process may have taken any free port. */
  function urlOf(name: ServiceName): URL {
    const url = new URL(addresses[name].url);
    if (ports[name] !== undefined) url.port = String(ports[name]);
    return url;
  }

  const running: RunningService[] = [];
  const listeners: Listener[] = [];
  const ports: Composition['ports'] = {};

  async function stop(deadlineMs: number): Promise<void> {
    for (const { name, service } of running.toReversed()) {
      await service
        .stop?.(deadlineMs)
        .catch((error) => log.error({ err: error, service: name }, 'did not stop cleanly'));
    }
    await Promise.all(listeners.map((listener) => listener.close(deadlineMs)));
    await Promise.all(running.map(({ app }) => app.close()));
  }

  try {
    for (const definition of definitions) {
      const { name } = definition;
      const tls = await certificate(name);
      const folder = join(data, name);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const records: RecordTransport = local.has('session-recorder')
        ? { attach: (...args) => localRecords!.attach(...args) }
        : connectRecordTransport(new URL(addresses['session-recorder'].url), tls, log);
      const live = connectLiveTransport(() => urlOf('session-recorder'), tls);
      const created = await createService(definition, env, {
        log,
        peers: peersOf(name, tls),
        records,
        live,
        folder,
        tls,
      });
      localRecords ??= created.service.records;
      running.push(created);
      apps.set(name, created.app);
    }
    for (const { name, app, service } of running) {
      const { host, port } = addresses[name];
      const tls = await certificate(name);
      const listener = await listen({
        app,
        host,
        port,
        tls,
        mutual: name !== 'session-api',
        ...(service.upgrade && { upgrade: service.upgrade }),
      }).catch((error) => {
        throw listenError(name, host, port, portSetting(name), error);
      });
      listeners.push(listener);
      ports[name] = listener.port;
    }
    for (const { service } of running) await service.start?.();
  } catch (error) {
    await stop(1000);
    throw error;
  }
  return { services: running, ports, stop };
}

/** Certificates for calls between services: given in a folder, or issued by the private authority, once a service. */
async function certificates({ tlsFolder, data }: ComposeOptions): Promise<(name: ServiceName) => Promise<TlsFiles>> {
  if (tlsFolder) {
    const read = (file: string) => readFileSync(join(tlsFolder, file), 'utf8');
    const given = { key: read('key.pem'), cert: read('cert.pem'), ca: read('ca.pem') };
    return async () => given;
  }
  const authority = await PrivateAuthority.open(join(data, 'pki'));
  const issued = new Map<ServiceName, Promise<TlsFiles>>();
  return (name) => {
    const known = issued.get(name) ?? authority.issue(name);
    issued.set(name, known);
    return known;
  };
}
