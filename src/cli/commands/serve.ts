import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('serve')
    .description('run one service, as a container does')
    .argument('[service]', 'its name; SERVICE_NAME unless given', process.env.SERVICE_NAME)
    .option('--data <folder>', 'where it keeps what it owns', process.env.LUCID_DATA ?? './data')
    .action(async (service: string | undefined, options: { data: string }) => {
      if (!service) throw new Error('which service? Name one, or set SERVICE_NAME');
      const [{ startOne }, { untilStopped }] = await Promise.all([import('#run/index.ts'), import('#run/signals.ts')]);
      const running = await startOne({ service, data: options.data, env: process.env });
      const { name, port, rdpPort } = running;
      process.stderr.write(`lucid: ${name} is up on port ${port}${rdpPort === null ? '' : `, RDP on ${rdpPort}`}\n`);
      await untilStopped(() => running.stop());
    });
}
