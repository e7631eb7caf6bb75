import { existsSync, realpathSync } from 'node:fs';
import type { DesktopFolder, Owner } from './folder.ts';
import type { DesktopOptions } from './options.ts';

/** Inside a sandbox, names are the same for every desktop: nothing collides, and UNIX socket paths stay short. */
export const INSIDE = {
  config: '/run/lucid/config',
  run: '/run/lucid/run',
  home: '/home/desktop',
  /** xrdp's own sockets: a path that is compiled into it. */
  xrdpSockets: '/run/xrdp/sockdir',
  uid: 1000,
} as const;

/** What programs of a desktop read below /etc. Everything else there, keys and passwords included, stays outside. */
const ETC = [
  'alsa alternatives bash.bashrc ca-certificates chromium debian_version default/locale dbus-1 dconf firefox-esr fonts',
  'gtk-2.0 gtk-3.0 gtk-4.0 inputrc ld.so.cache ld.so.conf ld.so.conf.d libreoffice locale.alias localtime mime.types',
  'nsswitch.conf os-release pulse ssl/certs ssl/openssl.cnf terminfo timezone vim xdg X11 xrdp',
].flatMap((line) => line.split(' '));

const MIB = 1024 * 1024;
const SCRATCH_BYTES = { '/tmp': 512 * MIB, '/var': 64 * MIB, '/run': 16 * MIB, '/dev/shm': 256 * MIB };

/** Where root mounts the desktop's folder, in a mount namespace of its own, before it becomes the desktop's user. */
const MOUNT_POINT = '/mnt';

/** Bind-mounts $1, which its new user $2 could not reach by path, then becomes that user and runs bubblewrap. */
const AS_OWNER = `mount --bind "$1" ${MOUNT_POINT} && uid=$2 gid=$3 && shift 3 &&
  exec setpriv --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs -- bwrap "$@"`;

/**
 * The command that runs `start.sh` in a sandbox: own user, pid, ipc, net, mount, uts and cgroup namespaces, no capabilities,
 * no further user namespaces, no new privileges, a file system of system files (read only), scratch space and the
 * desktop's own folders. bubblewrap writes a line of JSON to descriptor 3 that names the sandbox's first process, and
 * reads the filter of system calls from descriptor 4.
 *
 * @param filtered whether there is such a filter
 * @param hidden folders that must not be seen even where the system files around them are: Lucid's data
 */
export function sandboxCommand(
  folder: DesktopFolder,
  options: DesktopOptions,
  environment: Record<string, string>,
  hidden: readonly string[],
  owner: Owner,
  filtered: boolean,
): string[] {
  // As root, the folder is reached by its mount point.
  const outside = (path: string) => (owner ? path.replace(folder.sandbox, MOUNT_POINT) : path);
  const args = [
    ...['--unshare-all', '--unshare-user', '--disable-userns', '--cap-drop', 'ALL', '--new-session', '--as-pid-1'],
    ...['--uid', `${INSIDE.uid}`, '--gid', `${INSIDE.uid}`, '--hostname', 'desktop', '--info-fd', '3', '--clearenv'],
    ...(filtered ? ['--seccomp', '4'] : []),
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--ro-bind', '/usr', '/usr'],
    ...['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
    ...ETC.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ...['passwd', 'group'].flatMap((name) => ['--ro-bind', outside(`${folder.config}/${name}`), `/etc/${name}`]),
    ...['--ro-bind', outside(`${folder.config}/sesman.ini`), '/etc/xrdp/sesman.ini'],
    ...['--proc', '/proc', '--dev', '/dev'],
    ...Object.entries(SCRATCH_BYTES).flatMap(([path, bytes]) => ['--size', `${bytes}`, '--tmpfs', path]),
    ...['--dir', INSIDE.xrdpSockets],
    ...['--ro-bind', outside(folder.config), INSIDE.config],
    ...['--bind', outside(folder.run), INSIDE.run],
    ...['--bind', outside(folder.home), INSIDE.home],
    ...(options.exposeDisplay ? ['--bind', outside(folder.displays), '/tmp/.X11-unix'] : []),
    ...hidden.filter(isVisible).flatMap((path) => ['--tmpfs', realpathSync(path)]),
    // Both are memory without a limit as bubblewrap makes them.
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
    ...['--chdir', INSIDE.home, '--', 'bash', `${INSIDE.config}/start.sh`],
  ];
  if (!owner) return ['bwrap', ...args];
  const mount = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', AS_OWNER, 'sh'];
  return [...mount, folder.sandbox, `${owner.uid}`, `${owner.gid}`, ...args];
}

/** Whether a folder lies among the system files that a sandbox shows. */
function isVisible(path: string): boolean {
  if (!existsSync(path)) return false;
  const real = realpathSync(path);
  return ['/usr/', ...ETC.map((name) => `/etc/${name}/`)].some((shown) => real.startsWith(shown));
}
