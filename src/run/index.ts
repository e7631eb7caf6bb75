import { join, resolve } from 'node:path';
import { isServiceName, SERVICE_NAMES, type ServiceName } from '#contract/services.ts';
import { readSettings } from '#platform/config.ts';
import { createLog } from '#platform/log.ts';
import { type Composition, compose } from './compose.ts';
import { abandonStart, confirmStart, type Deployment, type FirstStart, openDeployment } from './deployment.ts';
import { lockFolder } from './lock.ts';
import { THREADED } from './services.ts';
import { checkSettings, PROGRAM_SETTINGS, readAddresses } from './settings.ts';

/** Older deployments' names of two services. */
const ALIASES: Record<string, ServiceName> = {
  'lucid-session-processor': 'chunk-processor',
  'lucid-xrdp': 'rdp-xrdp',
};

/** How long a stop may take before what is left is cut. */
const STOP_DEADLINE_MS = 20_000;

export interface RunningLucid {
  readonly ports: Record<ServiceName, number>;
  /** The port that RDP clients connect to. */
  readonly rdpPort: number;
  deployment: Deployment;
  /** Set at the first start only. */
  firstStart: FirstStart | null;
  /** Resolves with the cause when it cannot go on, and has to be stopped. */
  failed: Promise<Error>;
  stop(): Promise<void>;
}

/**
 * Runs all ten services in this program, on a data folder of their own: what `lucid up` does, and what tests stand on.
 *
 * @param options.data the folder; made when missing
 * @param options.env settings; nothing else of the environment is read
 * @throws SettingError for a bad setting; Error when the folder is in use or a port is taken
 */
export async function startAll(options: { data: string; env: NodeJS.ProcessEnv }): Promise<RunningLucid> {
  const data = resolve(options.data);
  checkSettings(options.env);
  const program = readSettings(PROGRAM_SETTINGS, options.env);
  const log = createLog(program.LOG_LEVEL);
  const unlock = lockFolder(data);
  let composition: Composition | null = null;
  let opened: ReturnType<typeof openDeployment> | null = null;
  try {
    const given = Boolean(options.env.LUCID_RECIPIENTS);
    opened = openDeployment(data, program.LUCID_IDENTITY_FILE, given);
    const env = { ...options.env };
    if (opened.deployment.recipient) {
      env.LUCID_RECIPIENTS ||= opened.deployment.recipient;
      env.LUCID_RECOVERY_RECIPIENT ||= opened.deployment.recipient;
    }
    if (opened.firstStart) {
      if (env.LUCID_ADMIN_PASSWORD) opened.firstStart.adminPassword = env.LUCID_ADMIN_PASSWORD;
      env.LUCID_ADMIN_PASSWORD = opened.firstStart.adminPassword;
    }
    composition = await compose({
      services: SERVICE_NAMES,
      threaded: THREADED,
      env,
      addresses: readAddresses(env),
      data,
      tlsFolder: program.LUCID_TLS_FOLDER,
      log,
    });
    confirmStart(data, opened.deployment);
  } catch (error) {
    await composition?.stop(STOP_DEADLINE_MS);
    if (opened) abandonStart(data, opened.deployment);
    unlock();
    throw error;
  }
  const running = composition;
  return {
    get ports() {
      return running.ports as Record<ServiceName, number>;
    },
    get rdpPort() {
      return running.rdpPort!;
    },
    deployment: opened.deployment,
    firstStart: opened.firstStart,
    failed: running.failed,
    async stop() {
      await running.stop(STOP_DEADLINE_MS);
      unlock();
    },
  };
}

export interface RunningOne {
  name: ServiceName;
  /** Of its HTTP face. */
  port: number;
  /** The gateway's: the port that RDP clients connect to. */
  rdpPort: number | null;
  stop(): Promise<void>;
}

/**
 * Runs one service in this process, as a container does: `PORT` and `HOST` are its own, peers are found by
 * `LUCID_<SERVICE>_URL`.
 *
 * @param service its name, or an older deployment's name for it
 * @throws Error when there is no such service; else as startAll
 */
export async function startOne(options: {
  service: string;
  data: string;
  env: NodeJS.ProcessEnv;
}): Promise<RunningOne> {
  const name = ALIASES[options.service] ?? options.service;
  if (!isServiceName(name)) {
    throw new Error(`there is no service ${options.service}; there are ${SERVICE_NAMES.join(', ')}`);
  }
  checkSettings(options.env);
  const program = readSettings(PROGRAM_SETTINGS, options.env);
  const env = { ...options.env };
  const own = name === 'rdp-xrdp' ? 'LUCID_RDP_XRDP' : `LUCID_${name.toUpperCase().replaceAll('-', '_')}`;
  if (env.PORT) env[`${own}_PORT`] = env.PORT;
  if (env.HOST) env[`${own}_HOST`] = env.HOST;
  const data = resolve(options.data);
  const unlock = lockFolder(join(data, name));
  try {
    const composition = await compose({
      services: [name],
      env,
      addresses: readAddresses(env),
      data,
      tlsFolder: program.LUCID_TLS_FOLDER,
      log: createLog(env.DEBUG === 'true' ? 'debug' : program.LOG_LEVEL),
    });
    return {
      name,
      port: composition.ports[name]!,
      rdpPort: composition.rdpPort,
      async stop() {
        await composition.stop(STOP_DEADLINE_MS);
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}
