import { DesktopError } from './desktop-error.ts';
import type { Backend } from './options.ts';

/** Settings of [Globals] that an operator may give: those that change pictures or speed, none that opens a door. */
const ALLOWED: Record<string, RegExp> = {
  bitmap_cache: /^(true|false)$/,
  bitmap_compression: /^(true|false)$/,
  bulk_compression: /^(true|false)$/,
  max_bpp: /^(16|24|32)$/,
  new_cursors: /^(true|false)$/,
  tcp_nodelay: /^(true|false)$/,
  use_fastpath: /^(input|output|both|none)$/,
};

export interface XrdpPaths {
  /** UNIX socket that xrdp listens on. */
  socket: string;
  certificate: string;
  key: string;
  log: string;
}

/** Where xrdp finds the X server: a port on loopback (vnc) or a socket's path (xorg). */
export interface XServer {
  backend: Backend;
  port: string;
  /** Socket of the clipboard helper; null for none: libvnc then carries Latin-1 out of the desktop and nothing in. */
  clipboard: string | null;
}

/** @throws DesktopError when an operator's setting is not among those allowed, or its value is not */
export function checkXrdpSettings(extra: Record<string, string>): void {
  for (const [name, value] of Object.entries(extra)) {
    if (!Object.hasOwn(ALLOWED, name)) {
      throw new DesktopError(`xrdp.${name}: not settable, wanted one of ${Object.keys(ALLOWED).join(', ')}`);
    }
    if (!ALLOWED[name].test(value)) throw new DesktopError(`xrdp.${name} is ${value}, wanted ${ALLOWED[name].source}`);
  }
}

/**
 * The text of xrdp.ini for one desktop.
 *
 * @param extra further settings of [Globals]
 * @throws DesktopError as checkXrdpSettings, and when a path could end its line
 */
export function writeXrdpIni(paths: XrdpPaths, server: XServer, extra: Record<string, string>): string {
  checkXrdpSettings(extra);
  return [
    section('Globals', {
      ini_version: '1',
      // A process a connection: one that crashes takes no other with it.
      fork: 'true',
      // xrdp strips "unix://." and listens nowhere without the dot.
      port: `unix://.${paths.socket}`,
      security_layer: 'tls',
      certificate: paths.certificate,
      key_file: paths.key,
      ssl_protocols: 'TLSv1.2, TLSv1.3',
      autorun: 'desktop',
      // Channels are switched off by name: without this, clients find fewer channels than they asked for and leave.
      allow_channels: 'true',
      bitmap_cache: 'true',
      bitmap_compression: 'true',
      bulk_compression: 'true',
      max_bpp: '32',
      use_fastpath: 'both',
      ...extra,
    }),
    section('Logging', {
      LogFile: paths.log,
      LogLevel: 'WARNING',
      EnableSyslog: 'false',
      EnableConsole: 'true',
      ConsoleLevel: 'WARNING',
    }),
    section('Channels', { drdynvc: 'true', cliprdr: 'true', rdpdr: 'false', rdpsnd: 'false', rail: 'false' }),
    section('desktop', {
      name: 'desktop',
      lib: server.backend === 'vnc' ? 'libvnc.so' : 'libxup.so',
      ip: '127.0.0.1',
      port: server.port,
      ...(server.backend === 'xorg' && { code: '20' }),
      ...(server.clipboard && { chansrvport: server.clipboard }),
    }),
  ].join('\n');
}

function section(name: string, values: Record<string, string>): string {
  const lines = Object.entries(values).map(([key, value]) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    if (/[\x00-\x1f\x7f]/.test(value) || value.trim() !== value) {
      throw new DesktopError(`xrdp.ini: ${key} is ${JSON.stringify(value)}, wanted a value that fits on a line`);
    }
    return `${key}=${value}`;
  });
  return `[${name}]\n${lines.join('\n')}\n`;
}
