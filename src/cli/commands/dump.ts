import { once } from 'node:events';
import { type Command, Option } from 'commander';
import type { Stream } from '#evidence/record.ts';

const STREAM_NAMES = ['screen', 'input', 'channels', 'keyframes', 'index'];

export function register(program: Command): void {
  program
    .command('dump')
    .description('print the records of a recording as JSON lines')
    .argument('<bundle>', 'its folder or tar archive')
    .requiredOption('--identity <file>', 'a recipient’s identity')
    .addOption(new Option('--stream <stream...>', 'only these').choices(STREAM_NAMES))
    .action(async (bundle: string, options: { identity: string; stream?: Stream[] }) => {
      const [{ openRecording }, { describeRecord }] = await Promise.all([
        import('../open-bundle.ts'),
        import('../describe-record.ts'),
      ]);
      const reader = openRecording(bundle, options.identity);
      const locked = (options.stream ?? []).filter((stream) => !reader.readable.includes(stream));
      if (locked.length > 0) throw new Error(`the identity does not open ${locked.join(', ')}`);
      for (const item of reader.records(options.stream ?? reader.readable)) {
        const more = process.stdout.write(`${JSON.stringify(describeRecord(item))}\n`);
        if (!more) await once(process.stdout, 'drain');
      }
      reader.source.close();
    });
}
