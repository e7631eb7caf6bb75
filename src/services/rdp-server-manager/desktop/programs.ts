import { accessSync, constants } from 'node:fs';
import { DesktopError } from './desktop-error.ts';
import type { Backend } from './options.ts';

/** Programs that a desktop runs on, and the Debian packages that bring them. */
const COMMON: Record<string, string> = {
  '/usr/sbin/xrdp': 'xrdp',
  '/usr/bin/openbox': 'openbox',
  '/usr/bin/xterm': 'xterm',
};
const BACKEND: Record<Backend, Record<string, string>> = {
  vnc: { '/usr/bin/Xvnc': 'tigervnc-standalone-server' },
  xorg: { '/usr/lib/xorg/Xorg': 'xserver-xorg-core', '/etc/X11/xrdp/xorg.conf': 'xorgxrdp' },
};
const SANDBOX: Record<string, string> = { '/usr/bin/bwrap': 'bubblewrap' };

/** Debian packages that a desktop needs and this machine lacks. */
export function missingPackages(backend: Backend, sandboxed: boolean): string[] {
  const needed = { ...COMMON, ...BACKEND[backend], ...(sandboxed && SANDBOX) };
  return Object.entries(needed)
    .filter(([file]) => !isThere(file))
    .map(([, debianPackage]) => debianPackage);
}

/** @throws DesktopError naming what is missing and the command that installs it */
export function requirePrograms(backend: Backend, sandboxed: boolean): void {
  const missing = missingPackages(backend, sandboxed);
  if (missing.length === 0) return;
  throw new DesktopError(
    `hosted desktops need ${missing.join(', ')}: apt-get install -y --no-install-recommends ${missing.join(' ')}`,
  );
}

function isThere(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
