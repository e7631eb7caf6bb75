import type { Command } from 'commander';
import type { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';

interface ReplayOptions {
  identity: string;
  at?: string;
  png?: string;
  frames?: string;
  every: string;
}

export function register(program: Command): void {
  program
    .command('replay')
    .description('draw the screen of a recording, without the pointer, as PNG')
    .argument('<bundle>', 'its folder or tar archive')
    .requiredOption('--identity <file>', 'a recipient’s identity')
    .option('--at <seconds>', 'after every record up to this time; "end" for the last')
    .option('--png <file>', 'where the picture goes: with --at')
    .option('--frames <folder>', 'a picture for each second in which something happened')
    .option('--every <seconds>', 'with --frames: another interval', '1')
    .action(async (bundle: string, options: ReplayOptions) => {
      const wantsOne = options.at !== undefined && options.png !== undefined;
      if (wantsOne === (options.frames !== undefined)) {
        throw new Error('say either --at SECONDS --png FILE, or --frames FOLDER');
      }
      if (options.frames !== undefined) await drawFrames(bundle, options, options.frames);
      else await drawOne(bundle, options, options.png!);
    });
}

async function drawOne(bundle: string, options: ReplayOptions, file: string): Promise<void> {
  const time = options.at === 'end' ? Number.MAX_SAFE_INTEGER : seconds(options.at!, '--at');
  const [{ openRecording }, { replayTo }, { gapsBefore }] = await Promise.all([
    import('../open-bundle.ts'),
    import('../replay-screen.ts'),
    import('../gaps.ts'),
  ]);
  const reader = openRecording(bundle, options.identity);
  const moment = replayTo(reader, time);
  await draw(moment.screen, file);
  for (const gap of gapsBefore(reader, time)) process.stderr.write(`may not be what was shown: ${gap}\n`);
  reader.source.close();
  const { width, height, undecodableBytes } = moment.screen;
  const when =
    moment.seq < 0 ? 'before the first record' : `at ${(moment.time / 1e6).toFixed(3)} s, record ${moment.seq}`;
  const unread = undecodableBytes > 0 ? `, ${undecodableBytes} bytes could not be decoded` : '';
  process.stdout.write(`${file}: ${width} x ${height}, ${when}${unread}\n`);
}

async function drawFrames(bundle: string, options: ReplayOptions, folder: string): Promise<void> {
  const interval = seconds(options.every, '--every');
  if (interval === 0) throw new Error('--every 0: wants more');
  const [{ openRecording }, { replayFrames }, { gapsBefore }, { ProgressLine }, { mkdirSync }, { join }] =
    await Promise.all([
      import('../open-bundle.ts'),
      import('../replay-screen.ts'),
      import('../gaps.ts'),
      import('../progress-line.ts'),
      import('node:fs'),
      import('node:path'),
    ]);
  const reader = openRecording(bundle, options.identity);
  mkdirSync(folder, { recursive: true });
  const line = new ProgressLine();
  let count = 0;
  for (const { screen, number, time, end } of replayFrames(reader, interval)) {
    await draw(screen, join(folder, `${String(number).padStart(6, '0')}.png`));
    line.update('drawing', time, end);
    count++;
  }
  line.clear();
  for (const gap of gapsBefore(reader, Number.MAX_SAFE_INTEGER)) {
    process.stderr.write(`may not be what was shown from there on: ${gap}\n`);
  }
  reader.source.close();
  process.stdout.write(`${folder}: ${count} pictures\n`);
}

async function draw(screen: ScreenDecoder, file: string): Promise<void> {
  const [{ writePng }, { deflateSync }, { writeFileSync }] = await Promise.all([
    import('#rdp/graphics/png.ts'),
    import('node:zlib'),
    import('node:fs'),
  ]);
  writeFileSync(file, writePng(screen, deflateSync));
}

/** @returns µs */
function seconds(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new Error(`${option} ${text}: wants seconds`);
  return Math.round(value * 1e6);
}
