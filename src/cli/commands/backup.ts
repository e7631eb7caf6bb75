import { createWriteStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';

interface RestoreOptions {
  data: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('backup')
    .description('save the whole store of recordings while Lucid runs; lucid restore brings it back')
    .option('-o, --output <file>', 'tar archive; lucid-backup-<date>.tar unless given; - for standard output')
    .action(async ({ output }: { output?: string }) => {
      const path = output ?? `lucid-backup-${new Date().toISOString().slice(0, 10)}.tar`;
      const [{ download }, { progressBar }] = await Promise.all([import('../api.ts'), import('../progress.ts')]);
      if (path !== '-' && existsSync(path)) throw new Error(`${path} exists already: give another --output`);
      const response = await download('/api/v1/storage/backup');
      if (path === '-') return pipeline(response, process.stdout);
      const part = `${path}.part`;
      try {
        await pipeline(response, progressBar('saving', null), createWriteStream(part, { flush: true }));
        await rename(part, path);
      } catch (error) {
        await rm(part, { force: true });
        throw new Error(`the backup broke off: ${(error as Error).message}`, { cause: error });
      }
      process.stdout.write(`${path}\nIt is checked when it is restored: try that, into another folder.\n`);
    });

  program
    .command('restore')
    .description('make a store of recordings of a backup, checking all of it; Lucid must not run')
    .argument('<file>', 'the tar archive; - for standard input')
    .option('--data <folder>', 'where the store goes: it must be empty', process.env.LUCID_DATA ?? './data')
    .option('--json', 'as JSON')
    .action(async (file: string, options: RestoreOptions) => {
      const [{ restore }, { ProgressLine }] = await Promise.all([
        import('#run/store-tools.ts'),
        import('../progress-line.ts'),
      ]);
      const handle = file === '-' ? null : await open(file, 'r');
      const total = handle && (await handle.stat()).size;
      const line = new ProgressLine();
      try {
        const stream = handle ? handle.createReadStream({ highWaterMark: 1024 * 1024 }) : process.stdin;
        const restored = await restore(stream, options.data, (bytes) => line.update('restoring', bytes, total));
        line.clear();
        if (options.json) return void process.stdout.write(`${JSON.stringify(restored, null, 2)}\n`);
        const { time, sessions, files, bytes, damaged } = restored;
        process.stdout.write(
          `restored and checked: ${sessions} sessions, ${files} files, ${bytes} bytes, as of ${time}\n`,
        );
        for (const what of damaged) process.stdout.write(`damaged when the backup was made: ${what}\n`);
      } finally {
        line.clear();
        await handle?.close();
      }
    });
}
