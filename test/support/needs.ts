import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that end-to-end tests run, by the Debian package that brings each. */
const PACKAGES: Record<string, string> = {
  bwrap: 'bubblewrap',
  curl: 'curl',
  faketime: 'faketime',
  'freerdp-shadow-cli': 'freerdp2-shadow-x11',
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffmpeg',
  openbox: 'openbox',
  xdotool: 'xdotool',
  xfreerdp: 'freerdp2-x11',
  xrdp: 'xrdp',
  xterm: 'xterm',
  xwd: 'x11-apps',
  xwininfo: 'x11-utils',
  xclip: 'xclip',
  Xvfb: 'xvfb',
  Xvnc: 'tigervnc-standalone-server',
  age: 'age',
  python3: 'python3',
  strace: 'strace',
  zstd: 'zstd',
};

/**
 * For a test's `skip`: false when all programs are there, else a sentence with the line that installs them. With CI=true
 * nothing is skipped: the test then fails on the missing program.
 */
export function needs(...programs: (keyof typeof PACKAGES)[]): string | false {
  const packages = programs.filter((program) => !isThere(program)).map((program) => PACKAGES[program]);
  const missing = [...new Set(packages)];
  if (missing.length === 0 || process.env.CI === 'true') return false;
  return `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
}

function isThere(program: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
