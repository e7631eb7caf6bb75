import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { SERVICE_PORTS } from '#contract/services.ts';
import type { RunningLucid } from '#run/index.ts';

export function register(program: Command): void {
  program
    .command('up')
    .description('run everything: ten services in one program')
    .option('--data <folder>', 'where everything is kept', process.env.LUCID_DATA ?? './data')
    .action(async (options: { data: string }) => {
      const [{ startAll }, { untilStopped }] = await Promise.all([import('#run/index.ts'), import('#run/signals.ts')]);
      const lucid = await startAll({ data: options.data, env: process.env });
      process.stderr.write(welcome(lucid, options.data));
      await untilStopped(() => lucid.stop(), lucid.failed);
    });
}

/** What a person needs to know once Lucid runs. */
function welcome({ firstStart, deployment, ports, rdpPort }: RunningLucid, data: string): string {
  const lines = ['', `Lucid is up: ten services, data in ${resolve(data)}`];
  if (firstStart) {
    lines.push('', `  admin password     ${firstStart.adminPassword}      (user admin; shown this once)`);
  }
  const identity = deployment.identity_file;
  if (identity && existsSync(identity)) {
    lines.push(
      '',
      `  auditor identity   ${identity}`,
      '                     It opens every recording. Move it off this machine and keep it safe: without it',
      '                     nobody can replay, with it anybody can.',
    );
  }
  const api = ports['session-api'];
  const at = api === SERVICE_PORTS['session-api'] ? '' : ` --url http://127.0.0.1:${api}`;
  lines.push(
    '',
    `  API                http://127.0.0.1:${api}`,
    `  RDP gateway        port ${rdpPort}`,
    '',
    'To connect, in another terminal:',
    '',
    `  ./lucid login${at}`,
    '  ./lucid server add NAME          a desktop on this machine; with --host HOST one elsewhere',
    '  ./lucid server start NAME',
    '  ./lucid session create NAME      says what to give to the RDP client that you have',
    '',
    'Control-C stops Lucid.',
    '',
  );
  return `${lines.join('\n')}\n`;
}
