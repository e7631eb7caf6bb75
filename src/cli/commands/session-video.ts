/** `lucid session video`: a video that the deployment makes of a session, and its download. */
import { type Command, Option } from 'commander';
import type { Video, VideoRequest } from '#contract/video.ts';
import { CODECS, QUALITIES, RESOLUTIONS } from '#render/settings.ts';

interface VideoOptions {
  output?: string;
  codec?: VideoRequest['codec'];
  quality?: VideoRequest['quality'];
  resolution?: VideoRequest['resolution'];
  frameRate?: string;
  bitRate?: string;
  cutIdle?: string;
  allowIncomplete?: boolean;
  keep?: boolean;
  json?: boolean;
}

const POLL_MS = 500;

/** Loaded when the command runs, so that `lucid --help` stays quick. */
async function load() {
  const [api, output, download, line, progress] = await Promise.all([
    import('../api.ts'),
    import('../output.ts'),
    import('../download-bundle.ts'),
    import('../progress-line.ts'),
    import('../render-progress.ts'),
  ]);
  return { ...api, ...output, ...download, ...line, ...progress };
}

export function registerVideo(session: Command): void {
  session
    .command('video')
    .description('have a video made of a session that is over, where the deployment makes videos, and download it')
    .argument('<id>')
    .option('-o, --output <file>', 'the video (MP4); lucid-<id>.mp4 unless given')
    .addOption(new Option('--codec <name>', 'how it is encoded').choices(CODECS))
    .addOption(new Option('--quality <name>', 'lossless: in every pixel, for few players').choices(QUALITIES))
    .addOption(new Option('--resolution <name>', 'size of the video').choices(RESOLUTIONS))
    .option('--frame-rate <n>', 'frames a second, 1 to 60')
    .option('--bit-rate <n>', 'bits a second to aim at, in the place of a quality')
    .option('--cut-idle <seconds>', 'leave this much of longer times in which nothing happens')
    .option('--allow-incomplete', 'make what is there of a recording of which something is missing')
    .option('--keep', 'leave the video with the deployment too')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nWhat is left out is as the deployment is set to. With an identity, lucid render makes the video here.',
    )
    .action(makeVideo);
}

async function makeVideo(id: string, options: VideoOptions): Promise<void> {
  const { openApi, printJson, downloadFile } = await load();
  const { existsSync } = await import('node:fs');
  const path = options.output ?? `lucid-${id}.mp4`;
  if (existsSync(path)) throw new Error(`${path} exists already: give another --output`);
  const api = openApi();
  const asked = await api.createVideo({ params: { id }, body: wishesOf(options) });
  const params = { id, video: asked.id };
  // A video that nobody waits for any more is not made.
  const interrupted = () => {
    api.deleteVideo({ params }).finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  const video = await finished(asked, () => api.getVideo({ params })).finally(() => process.off('SIGINT', interrupted));
  if (!video.facts) throw new Error(`there is no video: ${video.error}`);
  await downloadFile(path, `/api/v1/sessions/${id}/videos/${video.id}/file`);
  if (!options.keep) await api.deleteVideo({ params });
  if (options.json) return printJson({ output: path, ...video });
  const { width, height, frame_rate, bytes, seconds, encoder, acceleration, sha256 } = video.facts;
  process.stdout.write(
    [
      `${path}: ${width} x ${height}, ${frame_rate} frames a second, ${(bytes / 1e6).toFixed(1)} MB`,
      `length     ${seconds.toFixed(1)} s`,
      `encoder    ${encoder} (${acceleration === 'none' ? 'software' : acceleration})`,
      `SHA-256    ${sha256}`,
      '',
    ].join('\n'),
  );
}

/** Waits for a video, and draws how far it is. */
async function finished(asked: Video, look: () => Promise<Video>): Promise<Video> {
  const { ProgressLine, timeLeft } = await load();
  const line = new ProgressLine();
  let notes = 0;
  try {
    for (let video = asked; ; video = await look()) {
      for (const note of video.notes.slice(notes)) process.stderr.write(`${note}\n`);
      notes = video.notes.length;
      if (video.finished_at !== null) return video;
      const { state, progress, seconds_left } = video;
      const left = seconds_left === null ? '' : `, ${timeLeft(seconds_left * 1000)} left`;
      line.update(`${state}${left}`, progress ?? 0, progress === null ? null : 1);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    line.clear();
  }
}

function wishesOf(options: VideoOptions): Omit<VideoRequest, 'session_id'> {
  const { codec, quality, resolution, frameRate, bitRate, cutIdle, allowIncomplete } = options;
  return {
    ...(codec && { codec }),
    ...(quality && { quality }),
    ...(resolution && { resolution }),
    ...(frameRate && { frame_rate: numberOf('--frame-rate', frameRate) }),
    ...(bitRate && { bit_rate: numberOf('--bit-rate', bitRate) }),
    ...(cutIdle && { cut_idle_seconds: numberOf('--cut-idle', cutIdle) }),
    ...(allowIncomplete && { allow_incomplete: true }),
  };
}

function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new Error(`${option} ${text}: wants a number`);
  return value;
}
