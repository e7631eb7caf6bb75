import { DesktopError } from './desktop-error.ts';
import { checkXrdpSettings } from './xrdp-ini.ts';

/** How xrdp reaches the X server: `vnc` is Xvnc through libvnc, `xorg` is Xorg with xorgxrdp through libxup. */
export type Backend = 'vnc' | 'xorg';

export interface DesktopOptions {
  backend: Backend;
  /** Pixels, until a client that connects wants another size. */
  width: number;
  height: number;
  /** Bits a pixel of the X server: 16, or 24 for true colour. */
  depth: 16 | 24;
  /** Shell script of the session; the desktop ends when it ends. */
  session: string;
  limits: DesktopLimits;
  /** Settings of xrdp's [Globals] beside ours, of the few that are allowed: see xrdp-ini.ts. */
  xrdp: Record<string, string>;
  /** Puts the X server's socket into the desktop's folder, where tests reach it: gives up part of the sandbox. */
  exposeDisplay: boolean;
}

export interface DesktopLimits {
  /** Processes and threads of the whole desktop. */
  processes: number;
  /** Address space of one process in MiB; 0 for no limit. */
  memoryMib: number;
  /** Open files of one process. */
  files: number;
}

/**
 * The window manager starts the terminal: one that came before it may stay unmapped for ever under Xorg. The terminal
 * selects into, and pastes from, the clipboard that RDP clients share; by itself it knows the primary selection only.
 */
const DEFAULT_SESSION = `exec openbox --sm-disable --startup "xterm -xrm '*selectToClipboard: true'"\n`;

export const DEFAULT_OPTIONS: DesktopOptions = {
  backend: 'vnc',
  width: 1280,
  height: 800,
  depth: 24,
  session: DEFAULT_SESSION,
  limits: { processes: 512, memoryMib: 4096, files: 4096 },
  xrdp: {},
  exposeDisplay: false,
};

const MAX_SESSION_BYTES = 65536;

/** Options as they are given: what is left open or undefined has a default. */
export type GivenOptions = {
  [K in keyof Omit<DesktopOptions, 'limits'>]?: DesktopOptions[K] | undefined;
} & { limits?: { [K in keyof DesktopLimits]?: DesktopLimits[K] | undefined } };

/** Fills in defaults and checks every value. @throws DesktopError naming the option, what was given and what is wanted */
export function desktopOptions(given: GivenOptions): DesktopOptions {
  const limits = withDefaults(DEFAULT_OPTIONS.limits, given.limits ?? {});
  const options = withDefaults(DEFAULT_OPTIONS, { ...given, limits });
  oneOf('backend', options.backend, ['vnc', 'xorg']);
  oneOf('depth', options.depth, [16, 24]);
  within('width', options.width, 200, 8192);
  within('height', options.height, 200, 8192);
  within('limits.processes', options.limits.processes, 32, 65536);
  within('limits.memoryMib', options.limits.memoryMib, 0, 1 << 20);
  within('limits.files', options.limits.files, 64, 1 << 20);
  if (options.session.includes('\0') || Buffer.byteLength(options.session) > MAX_SESSION_BYTES) {
    throw new DesktopError(`session: wants a shell script of at most ${MAX_SESSION_BYTES} bytes without NUL`);
  }
  checkXrdpSettings(options.xrdp);
  return options;
}

function withDefaults<T extends object>(defaults: T, given: { [K in keyof T]?: T[K] | undefined }): T {
  return { ...defaults, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

function oneOf(name: string, value: unknown, wanted: readonly unknown[]): void {
  if (!wanted.includes(value)) throw new DesktopError(`${name} is ${value}, wanted one of ${wanted.join(', ')}`);
}

function within(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new DesktopError(`${name} is ${value}, wanted a whole number from ${min} to ${max}`);
  }
}
