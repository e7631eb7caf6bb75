/** `lucid session watch`: the live view of a session, as a picture that is kept up to date. */
import type { Command } from 'commander';
import type { LiveFrame } from '#contract/live-frames.ts';
import type { LivePicture } from '#contract/live-picture.ts';

interface WatchOptions {
  png?: string;
  follow?: boolean;
  json?: boolean;
  pointer: boolean;
}

/** Loaded when the command runs, so that `lucid --help` stays quick. */
async function load() {
  const [api, credentials, output, client, png, time] = await Promise.all([
    import('../api.ts'),
    import('../credentials.ts'),
    import('../output.ts'),
    import('#contract/live-client.ts'),
    import('../live-png.ts'),
    import('#render/session-time.ts'),
  ]);
  return { ...api, ...credentials, ...output, ...client, ...png, ...time };
}

export function registerWatch(session: Command): void {
  session
    .command('watch')
    .description('watch a session live: one picture, or with --follow all that happens until it ends')
    .argument('<id>')
    .option('--png <file>', 'write the picture; with --follow it is written again when it has changed')
    .option('--follow', 'go on until the session ends, or Ctrl+C')
    .option('--no-pointer', 'leave the mouse pointer out of the picture')
    .option('--json', 'tell events and frames as JSON, one a line')
    .action(watch);
}

async function watch(id: string, options: WatchOptions): Promise<void> {
  if (!options.png && !options.follow && !options.json) {
    throw new Error('what for? give --png FILE for a picture, --follow to be told what happens, or --json');
  }
  const { openApi, apiUrl, watchLive, writeLivePng, plain, clock } = await load();
  const ticket = await openApi().watchSession({ params: { id } });
  for await (const update of watchLive(apiUrl(), ticket)) {
    if (update.kind === 'event') {
      const { type, ...rest } = update.event;
      if (options.json) process.stdout.write(`${JSON.stringify(update.event)}\n`);
      else if (type === 'marker' && 'kind' in rest)
        process.stdout.write(`${clock(rest.time_us)}  ${plain(rest.kind)}\n`);
      else if (type === 'incomplete') process.stderr.write('parts of the picture may be wrong: records are missing\n');
      continue;
    }
    const { picture, frame } = update;
    if (options.json) process.stdout.write(`${JSON.stringify(describe(frame))}\n`);
    if (!picture.isExact) continue;
    if (options.png) await writeLivePng(options.png, picture, options.pointer);
    if (!options.json) process.stdout.write(`${clock(picture.timeUs)}  ${inWords(picture, options.png)}\n`);
    if (!options.follow) return;
  }
  if (!options.json) process.stdout.write('the session is over\n');
}

function inWords({ width, height, seq }: LivePicture, file: string | undefined): string {
  return `${width} x ${height}, record ${seq}${file ? `: ${file}` : ''}`;
}

function describe(frame: LiveFrame): Record<string, unknown> {
  const { number, timeUs, seq, width, height, isWhole, isExact, rectangles, pointer, deflated } = frame;
  return {
    ...{ type: 'frame', number, time_us: timeUs, seq, width, height, whole: isWhole, exact: isExact },
    rectangles: rectangles.length,
    ...(pointer && { pointer: { shown: pointer.shown, position: pointer.position } }),
    deflated_bytes: deflated.length,
  };
}
