import { SERVICE_NAMES, SERVICE_PORTS, type ServiceName } from '#contract/services.ts';
import { choice, integer, readSettings, refuseUnknownSettings, type SettingsSchema, text } from '#platform/config.ts';
import { SERVICES } from './services.ts';

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].flatMap((level) => [level, level.toUpperCase()]);

/** Settings of the program, whatever it runs. */
export const PROGRAM_SETTINGS = {
  LOG_LEVEL: choice('fatal, error, warn, info, debug or trace', 'info', ...LEVELS),
  LUCID_IDENTITY_FILE: text('where the first start writes the auditor identity; ~/.config/lucid/ unless given'),
  LUCID_TLS_FOLDER: text("key.pem, cert.pem and ca.pem for calls between services; Lucid's own authority unless given"),
};

/** `LUCID_SESSION_API` for session-api. */
function prefix(name: ServiceName): string {
  return `LUCID_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** The port setting of a service's HTTP face: the gateway's own port setting is that of RDP. */
export function portSetting(name: ServiceName): string {
  return name === 'rdp-xrdp' ? 'LUCID_RDP_XRDP_API_PORT' : `${prefix(name)}_PORT`;
}

/** Where a service's HTTP face listens, or is found: settings that the program reads for each service. */
function addressSettings(name: ServiceName) {
  const published = name === 'session-api';
  return {
    [portSetting(name)]: integer(`port of ${name}; 0 takes a free one`, SERVICE_PORTS[name], 0, 65535),
    [name === 'rdp-xrdp' ? 'LUCID_RDP_XRDP_API_HOST' : `${prefix(name)}_HOST`]: text(
      `address that ${name} listens on`,
      published ? '0.0.0.0' : '127.0.0.1',
    ),
    [`${prefix(name)}_URL`]: text(`where ${name} is found, when another process runs it`),
  };
}

export interface Address {
  host: string;
  port: number;
  url: string;
}

/** Where each service listens, or is found. */
export function readAddresses(env: NodeJS.ProcessEnv): Record<ServiceName, Address> {
  const entries = SERVICE_NAMES.map((name) => {
    const schema = addressSettings(name);
    const [port, host, url] = Object.keys(schema).map((key) => readSettings(schema, env)[key]);
    return [name, { port, host, url: url || `https://127.0.0.1:${port}` }];
  });
  return Object.fromEntries(entries);
}

/** Every setting there is, for `lucid settings` and for refusing the unknown. */
export function allSettings(): SettingsSchema {
  return Object.assign(
    { ...PROGRAM_SETTINGS },
    ...SERVICE_NAMES.map(addressSettings),
    ...SERVICES.map((service) => service.settings),
  );
}

/** Settings of the command line, which the services do not read. */
const CLI_SETTINGS = ['LUCID_URL', 'LUCID_TOKEN', 'LUCID_DATA'];

/**
 * Refuses misspelt settings.
 *
 * @throws SettingError naming the variable and the nearest known one
 */
export function checkSettings(env: NodeJS.ProcessEnv): void {
  refuseUnknownSettings(env, new Set([...Object.keys(allSettings()), ...CLI_SETTINGS]));
}
