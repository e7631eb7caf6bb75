import { existsSync } from 'node:fs';
import { DesktopError } from './desktop-error.ts';
import type { DesktopFolder } from './folder.ts';
import type { DesktopOptions } from './options.ts';
import { INSIDE } from './sandbox.ts';
import type { XrdpPaths, XServer } from './xrdp-ini.ts';

/** Names and numbers as the desktop's own programs see them. */
export interface Place {
  xrdp: XrdpPaths;
  server: XServer;
  /** The whole environment of start.sh. */
  environment: Record<string, string>;
}

/** sockaddr_un holds 108 bytes, the last of them NUL. */
const MAX_SOCKET_PATH = 107;
const FIRST_RFB_PORT = 5900;
/** Bare desktops share the machine's display numbers with whoever else has X servers there. */
const FIRST_BARE_DISPLAY = 100;
const LAST_BARE_DISPLAY = 999;

/** In a sandbox every desktop has the machine to itself: display :1 always. */
export function placeInside(options: DesktopOptions): Place {
  const clipboard = `${INSIDE.xrdpSockets}/xrdp_chansrv_socket_1`;
  return place(options, { config: INSIDE.config, run: INSIDE.run, home: INSIDE.home }, '/tmp/lucid', 1, -1, clipboard);
}

/** Without a sandbox: the folder as it is, a display number that nobody uses, and no clipboard helper. */
export function placeBare(options: DesktopOptions, folder: DesktopFolder): Place {
  if (Buffer.byteLength(folder.socket) > MAX_SOCKET_PATH) {
    throw new DesktopError(
      `${folder.socket} is longer than ${MAX_SOCKET_PATH} bytes, a UNIX socket's limit: use a shorter data folder`,
    );
  }
  return place(options, folder, folder.run, freeDisplay(), 0, '');
}

function place(
  options: DesktopOptions,
  folders: { config: string; run: string; home: string },
  scratch: string,
  display: number,
  everyone: number,
  clipboard: string,
): Place {
  const rfbPort = FIRST_RFB_PORT + display;
  const { config } = folders;
  const { limits } = options;
  return {
    xrdp: {
      socket: `${folders.run}/rdp.sock`,
      certificate: `${config}/cert.pem`,
      key: `${config}/key.pem`,
      log: '/dev/null',
    },
    server: {
      backend: options.backend,
      port: options.backend === 'vnc' ? `${rfbPort}` : `${scratch}/xrdp_display_${display}`,
      clipboard: clipboard || null,
    },
    environment: {
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
      HOME: folders.home,
      USER: 'desktop',
      LOGNAME: 'desktop',
      SHELL: '/bin/bash',
      LANG: 'C.UTF-8',
      DISPLAY: `:${display}`,
      LUCID_BACKEND: options.backend,
      LUCID_CONFIG: config,
      LUCID_SCRATCH: scratch,
      LUCID_GEOMETRY: `${options.width}x${options.height}`,
      LUCID_DEPTH: `${options.depth}`,
      LUCID_RFB_PORT: `${rfbPort}`,
      LUCID_PROCESSES: `${limits.processes}`,
      LUCID_MEMORY_KIB: limits.memoryMib === 0 ? 'unlimited' : `${limits.memoryMib * 1024}`,
      LUCID_FILES: `${limits.files}`,
      LUCID_EVERYONE: `${everyone}`,
      LUCID_CLIPBOARD: clipboard,
    },
  };
}

/** Where the next search begins: past the numbers given out last, which their X servers may not have taken yet. */
let searched = process.pid;

function freeDisplay(): number {
  const count = LAST_BARE_DISPLAY - FIRST_BARE_DISPLAY + 1;
  for (let i = 0; i < count; i++) {
    const display = FIRST_BARE_DISPLAY + (searched++ % count);
    if (!existsSync(`/tmp/.X11-unix/X${display}`) && !existsSync(`/tmp/.X${display}-lock`)) return display;
  }
  throw new DesktopError(`no X display is free from ${FIRST_BARE_DISPLAY} to ${LAST_BARE_DISPLAY}`);
}
