import type { Command } from 'commander';
import type { DemoLucid, DemoResult, DemoStep } from '#demo/demo.ts';

interface DemoCommandOptions {
  png: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('demo')
    .description('prove it all: a session through the gateway, recorded, sealed, verified, replayed')
    .option('--png <file>', 'where to write the last frame', 'lucid-demo.png')
    .option('--json', 'end with the result as JSON')
    .action(async (options: DemoCommandOptions) => {
      const { runDemo } = await import('#demo/demo.ts');
      const result = await runDemo({ start, png: options.png, tell });
      summarise(result);
      if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    });
}

/** All of Lucid in this process, on free ports, with nothing of the environment. */
async function start(folder: string): Promise<DemoLucid> {
  const [{ startAll }, { SERVICE_NAMES }] = await Promise.all([
    import('#run/index.ts'),
    import('#contract/services.ts'),
  ]);
  const settings = SERVICE_NAMES.map((name) => (name === 'rdp-xrdp' ? 'RDP_XRDP_API' : settingName(name)));
  const ports = [...settings, 'RDP_XRDP'].map((setting) => [`LUCID_${setting}_PORT`, '0']);
  const identityFile = `${folder}-auditor.txt`;
  const env = {
    ...Object.fromEntries(ports),
    LUCID_SESSION_API_HOST: '127.0.0.1',
    LUCID_RDP_XRDP_HOST: '127.0.0.1',
    LUCID_IDENTITY_FILE: identityFile,
    LOG_LEVEL: process.env.DEBUG === 'true' ? 'debug' : 'fatal',
  };
  const lucid = await startAll({ data: folder, env });
  return {
    url: `http://127.0.0.1:${lucid.ports['session-api']}`,
    adminPassword: lucid.firstStart!.adminPassword,
    identityFile,
    stop: () => lucid.stop(),
  };
}

const settingName = (service: string) => service.toUpperCase().replaceAll('-', '_');

function tell({ name, result, milliseconds }: DemoStep): void {
  process.stderr.write(`${name.padEnd(10)} ${result.padEnd(66)} ${String(milliseconds).padStart(6)} ms\n`);
}

function summarise({ png, pixels_sha256, steps, session }: DemoResult): void {
  const seconds = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
  process.stderr.write(
    `\nverified   session ${session} in ${seconds.toFixed(1)} s\n` +
      `last frame ${png}, pixels with SHA-256 ${pixels_sha256.slice(0, 16)}...\n`,
  );
}
