import type { ServiceName } from '#contract/services.ts';
import type { SettingsSchema } from '#platform/config.ts';
import type { ServiceDefinition } from '#platform/service.ts';
import { settings as chunkProcessor } from '#services/chunk-processor/config.ts';
import { settings as nodeManagement } from '#services/node-management/config.ts';
import { settings as rdpController } from '#services/rdp-controller/config.ts';
import { settings as rdpMonitor } from '#services/rdp-monitor/config.ts';
import { settings as rdpServerManager } from '#services/rdp-server-manager/config.ts';
import { settings as rdpXrdp } from '#services/rdp-xrdp/config.ts';
import { settings as sessionApi } from '#services/session-api/config.ts';
import { settings as sessionPipeline } from '#services/session-pipeline/config.ts';
import { settings as sessionRecorder } from '#services/session-recorder/config.ts';
import { settings as sessionStorage } from '#services/session-storage/config.ts';

/** A service before its code is loaded: that happens in the thread that runs it, and only there. */
export interface KnownService {
  name: ServiceName;
  settings: SettingsSchema;
  load: () => Promise<{ service: unknown }>;
}

/**
 * Every service, in the order in which one program starts them: what others stand on first, what lets people in last.
 * They stop in the opposite order.
 */
export const SERVICES: readonly KnownService[] = [
  {
    name: 'session-storage',
    settings: sessionStorage,
    load: () => import('#services/session-storage/index.ts'),
  },
  {
    name: 'chunk-processor',
    settings: chunkProcessor,
    load: () => import('#services/chunk-processor/index.ts'),
  },
  {
    name: 'session-recorder',
    settings: sessionRecorder,
    load: () => import('#services/session-recorder/index.ts'),
  },
  {
    name: 'session-pipeline',
    settings: sessionPipeline,
    load: () => import('#services/session-pipeline/index.ts'),
  },
  {
    name: 'rdp-server-manager',
    settings: rdpServerManager,
    load: () => import('#services/rdp-server-manager/index.ts'),
  },
  { name: 'rdp-controller', settings: rdpController, load: () => import('#services/rdp-controller/index.ts') },
  { name: 'node-management', settings: nodeManagement, load: () => import('#services/node-management/index.ts') },
  { name: 'rdp-monitor', settings: rdpMonitor, load: () => import('#services/rdp-monitor/index.ts') },
  { name: 'rdp-xrdp', settings: rdpXrdp, load: () => import('#services/rdp-xrdp/index.ts') },
  { name: 'session-api', settings: sessionApi, load: () => import('#services/session-api/index.ts') },
];

/**
 * What a live screen waits for: every byte that it shows passes both. Under `lucid up` they share a thread in which
 * nothing else runs.
 */
export const THREADED: readonly ServiceName[] = ['session-recorder', 'rdp-xrdp'];

/** Loads services' code, in the order of `SERVICES`. */
export async function loadServices(names: readonly ServiceName[]): Promise<ServiceDefinition[]> {
  const wanted = SERVICES.filter(({ name }) => names.includes(name));
  const loaded = await Promise.all(wanted.map(({ load }) => load()));
  return loaded.map(({ service }) => service as ServiceDefinition);
}
