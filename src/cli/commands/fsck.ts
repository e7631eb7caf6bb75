import type { Command } from 'commander';

interface FsckCommandOptions {
  data: string;
  rebuild?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('fsck')
    .description('check every file of the store of recordings; Lucid must not run. Exit code 1: something is wrong')
    .option('--data <folder>', 'where everything is kept', process.env.LUCID_DATA ?? './data')
    .option('--rebuild', 'make the index anew from the files')
    .option('--json', 'as JSON')
    .action(async (options: FsckCommandOptions) => {
      const [{ fsck }, { ProgressLine }] = await Promise.all([
        import('#run/store-tools.ts'),
        import('../progress-line.ts'),
      ]);
      const line = new ProgressLine();
      const report = await fsck({
        data: options.data,
        env: process.env,
        rebuild: options.rebuild === true,
        onProgress: ({ sessions, of }) => line.update('checking', sessions, of),
      }).finally(() => line.clear());
      if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      else {
        for (const { where, what } of report.problems) process.stdout.write(`${where}: ${what}\n`);
        const checked = `${report.sessions} sessions, ${report.files} files, ${report.bytes} bytes`;
        const verdict = report.problems.length === 0 ? 'nothing is wrong' : `${report.problems.length} problems`;
        process.stdout.write(`${checked}: ${verdict}${report.rebuilt ? '; the index was made anew' : ''}\n`);
      }
      if (report.problems.length > 0) process.exitCode = 1;
    });
}
