import { type Command, Option } from 'commander';
import type { Server } from '#contract/rdp-server-manager.ts';
import { addDisplayOptions, type DisplayOptions, displayOf } from './display-options.ts';

/** What the command line says of a server's settings. */
export interface ServerOptions extends DisplayOptions {
  host?: string;
  port?: string;
  user?: string;
  domain?: string;
  certificate?: string;
  passwordStdin?: boolean;
  backend?: 'vnc' | 'xorg';
  size?: string;
  command?: string;
}

const EXTERNAL = ['host', 'port', 'user', 'domain', 'certificate', 'passwordStdin'] as const;
const HOSTED = ['backend', 'size', 'command'] as const;

/** Adds the options that `changedSpec` reads. */
export function addServerOptions(command: Command): Command {
  return addDisplayOptions(command)
    .option('--host <host>', 'external host')
    .option('--port <port>', 'its RDP port')
    .option('--user <name>', 'user name that is used there')
    .option('--domain <domain>', 'and its domain')
    .option('--password-stdin', 'read the password that is used there from the terminal or standard input')
    .option('--certificate <sha256>', "SHA-256 of the host's certificate; else the first that is seen is kept")
    .addOption(new Option('--backend <name>', 'X server of a hosted desktop').choices(['vnc', 'xorg']))
    .option('--size <WxH>', 'size of a hosted desktop, e.g. 1280x800')
    .option('--command <command>', 'run this in the desktop instead of a window manager and a terminal');
}

/**
 * Settings of a server with those changed that options name.
 *
 * @throws Error naming the option that does not fit the kind of server, or cannot be read
 */
export function changedSpec(spec: Server['spec'], options: ServerOptions): Server['spec'] {
  const isExternal = spec.kind === 'external';
  const misplaced = (isExternal ? HOSTED : EXTERNAL).find((name) => options[name] !== undefined);
  if (misplaced) {
    const option = misplaced === 'passwordStdin' ? 'password-stdin' : misplaced;
    throw new Error(`--${option} is for ${isExternal ? 'hosted desktops' : 'external hosts, which --host names'}`);
  }
  if (spec.kind === 'external') {
    const { host, port, user, domain, certificate } = options;
    return {
      ...spec,
      ...displayOf(options),
      ...(host && { host }),
      ...(port && { port: portOf(port) }),
      ...(user && { user }),
      ...(domain && { domain }),
      ...(certificate && { certificate_sha256: certificate.replaceAll(':', '').toLowerCase() }),
    };
  }
  const { backend, size, command } = options;
  return {
    ...spec,
    ...displayOf(options),
    ...(backend && { backend }),
    ...(size && sizeOf(size)),
    ...(command && { command }),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) throw new Error(`--port ${text}: wants 1 to 65535`);
  return port;
}

function sizeOf(text: string): { width: number; height: number } {
  const size = /^(\d+)x(\d+)$/.exec(text);
  if (!size) throw new Error(`--size ${text}: wants WIDTHxHEIGHT, e.g. 1280x800`);
  return { width: Number(size[1]), height: Number(size[2]) };
}
