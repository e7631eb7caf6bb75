import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('settings')
    .description('list every setting with its default')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { allSettings } = await import('#run/settings.ts');
      const rows = Object.entries(allSettings())
        .map(([name, setting]) => ({ name, default: setting.default, about: setting.doc }))
        .toSorted((a, b) => a.name.localeCompare(b.name));
      if (options.json) {
        process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
        return;
      }
      const width = Math.max(...rows.map((row) => row.name.length));
      for (const row of rows) {
        const fallback = row.default === '' ? '' : ` (${row.default})`;
        process.stdout.write(`${row.name.padEnd(width)}  ${row.about}${fallback}\n`);
      }
    });
}
