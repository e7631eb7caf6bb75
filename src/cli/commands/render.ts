import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RenderOptions, RenderResult } from '#render/render.ts';
import {
  ACCELERATIONS,
  CODECS,
  DEFAULT_SETTINGS,
  QUALITIES,
  RESOLUTIONS,
  type RenderSettings,
} from '#render/settings.ts';

interface RenderCommandOptions extends Omit<RenderSettings, 'bitRate' | 'cutIdle'> {
  identity: string;
  output: string;
  bitRate?: number;
  cutIdle?: number;
  allowIncomplete?: boolean;
  ffmpeg: string;
  json?: boolean;
}

const HELP = `
The video is as large as the largest desktop of the session: as wide as the widest, as high as the highest; after a resize
smaller ones stand in its middle, unscaled. With --resolution all of it is scaled to fit. A frame shows the screen as it was
at the end of the frame's time. Captions of two seconds tell of reconnections, gaps and idle time that was cut. Idle is when
there is no input and the screen changes no more than a clock does, 64 x 64 pixels in a second; where the identity does not
open the input, any change counts. Encoders are tried in the order v4l2m2m, vaapi, nvenc, qsv, software, and the one that
was used is told.`;

export function register(program: Command): void {
  const defaults = DEFAULT_SETTINGS;
  const choice = (flags: string, choices: readonly string[], what: string, value: string) =>
    new Option(flags, what).choices(choices).default(value);
  program
    .command('render')
    .description('make a video of a recording, with FFmpeg')
    .argument('<bundle>', 'its folder or tar archive')
    .requiredOption('--identity <file>', 'a recipient’s identity; the pointer is drawn where it opens the input too')
    .requiredOption('-o, --output <file>', 'the video: a name that ends in .mp4 or .mkv')
    .option('--frame-rate <n>', 'frames a second, 1 to 60', number, defaults.frameRate)
    .addOption(choice('--codec <name>', CODECS, 'how it is encoded', defaults.codec))
    .addOption(choice('--quality <name>', QUALITIES, 'lossless: in every pixel, for few players', defaults.quality))
    .option('--bit-rate <rate>', 'bits a second to aim at, such as 800k or 4M, in the place of a quality', bitRate)
    .addOption(choice('--acceleration <name>', ACCELERATIONS, 'what encodes it; none: software', defaults.acceleration))
    .addOption(choice('--resolution <name>', RESOLUTIONS, 'size of the video', defaults.resolution))
    .option('--cut-idle <seconds>', 'leave this much of longer times in which nothing happens', number)
    .option('--no-pointer', 'leave the pointer out')
    .option('--allow-incomplete', 'render what is there of a recording of which something is missing')
    .option('--ffmpeg <program>', 'where FFmpeg is', 'ffmpeg')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async (bundle: string, options: RenderCommandOptions) => {
      const result = await renderBundle(bundle, options);
      process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : describe(result));
    });
}

async function renderBundle(bundle: string, options: RenderCommandOptions): Promise<RenderResult> {
  const [{ render }, { openRecording }, { RenderProgressLine }] = await Promise.all([
    import('#render/render.ts'),
    import('../open-bundle.ts'),
    import('../render-progress.ts'),
  ]);
  const { identity, output, allowIncomplete = false, ffmpeg, bitRate = null, cutIdle = null, ...rest } = options;
  const { codec, acceleration, quality, frameRate, resolution, pointer } = rest;
  const stop = new AbortController();
  const interrupted = () => stop.abort(new Error('interrupted: there is no video'));
  const line = new RenderProgressLine();
  const settings = { codec, acceleration, quality, bitRate, frameRate, resolution, cutIdle, pointer };
  const how: RenderOptions = {
    ...{ output, settings, allowIncomplete, ffmpeg, signal: stop.signal },
    onProgress: (progress) => line.update(progress),
    onNote: (words) => line.note(words),
  };
  const reader = openRecording(bundle, identity);
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await render(reader, how);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    line.clear();
    reader.source.close();
  }
}

function describe(result: RenderResult): string {
  const { output, width, height, frame_rate, seconds, session_seconds, cut_seconds, bytes, missing } = result;
  const cut = cut_seconds > 0 ? `, ${cut_seconds.toFixed(1)} s of idle time cut` : '';
  const undecodable = result.undecodable_bytes > 0 ? `, ${result.undecodable_bytes} bytes could not be decoded` : '';
  return [
    `${output}: ${width} x ${height}, ${frame_rate} frames a second, ${(bytes / 1e6).toFixed(1)} MB`,
    `length     ${seconds.toFixed(1)} s of a session of ${session_seconds.toFixed(1)} s${cut}`,
    `encoder    ${result.encoder} (${result.acceleration === 'none' ? 'software' : result.acceleration})`,
    `receipts   ${result.receipts_checked} keyframes equal what was rendered${undecodable}`,
    `pointer    ${result.pointer}`,
    `SHA-256    ${result.sha256}`,
    ...missing.map(({ where, what }) => `missing    ${where}: ${what}`),
    '',
  ].join('\n');
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It wants a number.');
  return value;
}

/** Bits a second, with `k` for thousands and `M` for millions. */
function bitRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It wants bits a second, such as 800k or 4M.');
  return Math.round(Number(match[1]) * { '': 1, k: 1e3, M: 1e6 }[match[2]]!);
}
