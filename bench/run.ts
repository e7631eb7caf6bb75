/**
 * Runs every benchmark of this folder, or those named: `npm run bench -- gateway seal`. `--short` runs each in a form that
 * proves that it works, in seconds; its figures mean nothing.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const args = process.argv.slice(2);
const flags = args.filter((arg) => arg.startsWith('--'));
const wanted = args.filter((arg) => !arg.startsWith('--'));
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => file.slice(0, -3))
  .filter((name) => wanted.length === 0 || wanted.includes(name));

const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`bench: there is no benchmark ${unknown.join(', ')}\n`);
  process.exit(2);
}

let failed = 0;
for (const name of names) {
  process.stdout.write(`\n== ${name}\n`);
  const { status } = spawnSync(
    process.execPath,
    [...process.execArgv, join(import.meta.dirname, `${name}.ts`), ...flags],
    {
      stdio: 'inherit',
    },
  );
  if (status !== 0) failed++;
}
process.stdout.write(`\n${names.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
