import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { CONTRACTS, type Peers } from '#contract/index.ts';
import type { RecordTransport } from '#contract/record-transport.ts';
import type { ServiceName } from '#contract/services.ts';
import { readSettings, type SettingsOf, type SettingsSchema } from './config.ts';
import type { Check } from './health.ts';
import { type AppOptions, createApp } from './http/app.ts';
import type { LiveTransport } from './live-transport.ts';
import type { Log } from './log.ts';
import type { TlsFiles } from './pki.ts';

/** What a service is given. It reaches nothing else: no environment, no other service's files. */
export interface ServiceContext<S extends SettingsSchema = SettingsSchema> {
  settings: SettingsOf<S>;
  log: Log;
  /** The service's own metrics. */
  registry: Registry;
  /** The other services, called as this one. */
  peers: Peers;
  /** The way of records to the recorder. */
  records: RecordTransport;
  /** The way to the recorder's live views. */
  live: LiveTransport;
  /** A folder of this service alone; made before `create` is called. */
  folder: string;
  /** This service's certificate for calls between services. */
  tls: TlsFiles;
}

/** A service that has been created: its parts, to be put behind a listener. */
export interface Service {
  handlers: AppOptions['handlers'];
  /** What its work depends on, asked at every `/health`. */
  checks: Record<string, Check>;
  authenticate?: AppOptions['authenticate'];
  /** Takes WebSocket upgrades. */
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** The recorder's own end of the record transport, for a gateway in the same process. */
  records?: RecordTransport;
  /** The port that RDP clients connect to: the gateway's, once started. */
  rdpPort?: () => number;
  /** More routes than the contract's: pages, documents. */
  extend?: (app: FastifyInstance) => void;
  /** Called when every service of this process answers requests. */
  start?(): Promise<void>;
  /** Stops taking work, finishes what is under way within `deadlineMs`, flushes and closes. */
  stop?(deadlineMs: number): Promise<void>;
}

/** What a service's folder exports as `service`. */
export interface ServiceDefinition<S extends SettingsSchema = SettingsSchema> {
  name: ServiceName;
  settings: S;
  create(context: ServiceContext<S>): Promise<Service>;
}

/** Declares a service, for the compiler to check. */
export function defineService<const S extends SettingsSchema>(definition: ServiceDefinition<S>): ServiceDefinition<S> {
  return definition;
}

export interface RunningService {
  name: ServiceName;
  app: FastifyInstance;
  service: Service;
}

/** Creates a service and the app that answers for it; nothing listens or runs yet. */
export async function createService(
  definition: ServiceDefinition,
  env: NodeJS.ProcessEnv,
  context: Omit<ServiceContext, 'settings' | 'registry'>,
): Promise<RunningService> {
  const { name } = definition;
  const log = context.log.child({ service: name });
  const registry = new Registry();
  registry.setDefaultLabels({ service: name });
  const settings = readSettings(definition.settings, env);
  const service = await definition.create({ ...context, settings, log, registry });
  const app = createApp({
    contract: CONTRACTS[name],
    handlers: service.handlers,
    checks: service.checks,
    log,
    registry,
    ...(service.authenticate && { authenticate: service.authenticate }),
  });
  service.extend?.(app);
  return { name, app, service };
}
