import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from './result.ts';

/**
 * CPU seconds that Debian's zstd takes to compress (`zstd -3 --long=24`) or decompress bytes on one core: the median of
 * several runs, after one that warms up.
 *
 * @returns null where there is no zstd
 */
export function zstdSeconds(what: 'compress' | 'decompress', bytes: Buffer, runs: number): number | null {
  if (spawnSync('zstd', ['--version']).status !== 0) return null;
  const folder = mkdtempSync(join(tmpdir(), 'lucid-bench-'));
  try {
    const file = join(folder, 'bytes');
    writeFileSync(file, bytes);
    const compress = `zstd -3 --long=24 --single-thread -q -c ${file}`;
    if (what === 'decompress') spawnSync('bash', ['-c', `${compress} > ${file}.zst`]);
    const command = what === 'compress' ? compress : `zstd -d --long=24 -q -c ${file}.zst`;
    const run = () => {
      const timed = `TIMEFORMAT='%3U %3S'; time ${command} > /dev/null`;
      const { stderr } = spawnSync('bash', ['-c', timed], { encoding: 'utf8' });
      const [user, system] = stderr.trim().split(' ').map(Number);
      return user + system || Number.NaN;
    };
    run();
    return median(Array.from({ length: runs }, run));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
