import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What goes on at a desktop: see the scripts in bench/workloads. */
export type Workload = 'activity above' | 'activity below' | 'typing';

/**
 * Runs a workload on an X display to its end.
 *
 * @param seconds that it lasts, whole
 * @throws Error when its script fails
 */
export async function runWorkload(workload: Workload, display: string, seconds: number): Promise<void> {
  const [name, ...args] = workload.split(' ');
  const script = join(import.meta.dirname, '..', 'workloads', `${name}.sh`);
  const child = spawn(script, [String(seconds), ...args], {
    env: { ...process.env, DISPLAY: display },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${name}.sh ended with ${signal ?? `code ${code}`}`);
}
