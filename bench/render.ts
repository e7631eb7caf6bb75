/**
 * Claims: a video is made faster than the session took, at 1080p and 30 frames a second, with every encoder that works here,
 * by one core with libx264; memory does not grow with the session's length. "x real time of CPU" is what one core to itself
 * would do, FFmpeg's part included, however busy the machine is.
 * Floor, measured in the same run: FFmpeg alone encoding the same raw frames from a file with the same options.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { rgbx } from '#rdp/codec/pixel.ts';
import { drawText, fill } from '#rdp/graphics/painter.ts';
import { rectangle } from '#rdp/graphics/rectangle.ts';
import { canvasOf, fitCanvas } from '#render/canvas.ts';
import { type Encoder, encodersFor } from '#render/encoders.ts';
import { encodeArguments } from '#render/ffmpeg-arguments.ts';
import { Playback } from '#render/playback.ts';
import { CODECS, DEFAULT_SETTINGS, type RenderSettings } from '#render/settings.ts';
import { Stage } from '#render/stage.ts';
import { surveyRecording } from '#render/survey.ts';
import { Timeline } from '#render/timeline.ts';
import { tryEncoder } from '#render/try-encoder.ts';
import { ScriptedRecording } from '../test/support/scripted-recording.ts';
import type { RenderCost } from './support/render-child.ts';
import { printResult, type Row } from './support/result.ts';

const SHORT = process.argv.includes('--short');
const [WIDTH, HEIGHT] = SHORT ? [640, 360] : [1920, 1080];
const SECONDS = SHORT ? 1 : 10;
const FRAME_RATE = SHORT ? 10 : 30;
/** Lengths of the sessions whose memory is compared, in minutes. */
const MINUTES = SHORT ? [1, 5] : [10, 60, 240];
const LINE = 13;

const folder = mkdtempSync(join(tmpdir(), 'lucid-bench-render-'));

/** A terminal on half of the screen that scrolls ten times a second, all of that half sent anew each time. */
function scrollingTerminal(seconds: number): ScriptedRecording {
  const recording = new ScriptedRecording(folder, WIDTH, HEIGHT);
  const terminal = rectangle(0, 0, WIDTH / 2, HEIGHT);
  recording.paint(rectangle(0, 0, WIDTH, HEIGHT), rgbx(40, 60, 80));
  for (let step = 0; step < seconds * 10; step++) {
    recording.wait(0.1);
    recording.moveMouse(step % WIDTH, 200);
    fill(recording.screen, terminal, rgbx(20, 20, 20));
    for (let row = 0; row * LINE < HEIGHT; row++) {
      const text = `${step + row} ${((step + row) * 2654435761).toString(36).repeat(6)}`;
      drawText(recording.screen, 4, row * LINE, text.slice(0, WIDTH / 16 - 2), rgbx(200, 220, 200));
    }
    recording.send(terminal);
  }
  recording.close();
  return recording;
}

/** A line of text every two seconds, sealed every minute. */
function quietWork(minutes: number): ScriptedRecording {
  const recording = new ScriptedRecording(folder, WIDTH, HEIGHT);
  for (let minute = 0; minute < minutes; minute++) {
    for (let i = 0; i < 30; i++) {
      recording.wait(2);
      const top = ((minute * 30 + i) * LINE) % (HEIGHT - LINE);
      recording.paint(rectangle(0, top, WIDTH, LINE), rgbx(20, 20, 20));
      drawText(recording.screen, 4, top, `${minute} ${i} some work is done`, rgbx(200, 220, 200));
      recording.send(rectangle(0, top, 400, LINE));
    }
    recording.seal();
  }
  recording.close();
  return recording;
}

/** @returns what it took, and the CPU seconds of FFmpeg as well */
function renderIn(recording: ScriptedRecording, settings: RenderSettings): RenderCost & { allCpuSeconds: number } {
  const output = join(folder, 'video.mp4');
  const child = join(import.meta.dirname, 'support/render-child.ts');
  const args = [child, recording.folder, recording.identityFile(), output, JSON.stringify(settings)];
  const timed = ['-c', 'TIMEFORMAT=\'%U %S\'; time "$@"', 'bash', process.execPath, ...args];
  const { status, stdout, stderr } = spawnSync('bash', timed, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const [user, system] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number);
  return { ...JSON.parse(stdout), allCpuSeconds: user + system };
}

/** Draws all frames into a file. @returns the file, and how many times faster than the session that was */
function drawRaw(recording: ScriptedRecording): { raw: string; timesRealTime: number } {
  const reader = new BundleReader(openBundleSource(recording.folder), [recording.auditor]);
  const started = performance.now();
  const steps = surveyRecording(reader, { cutIdle: null });
  let step = steps.next();
  while (!step.done) step = steps.next();
  const survey = step.value;
  const timeline = new Timeline({ ...survey, frameRate: FRAME_RATE });
  const stage = new Stage(canvasOf(survey.sizes), 'yuv420p');
  const playback = new Playback(reader, { survey, timeline, stage, pointer: true });
  const raw = join(folder, 'raw');
  const file = openSync(raw, 'w');
  let writing = 0;
  for (const _ of playback.frames()) {
    const before = performance.now();
    writeSync(file, stage.frame);
    writing += performance.now() - before;
  }
  closeSync(file);
  const seconds = (performance.now() - started - writing) / 1000;
  return { raw, timesRealTime: timeline.frames / FRAME_RATE / seconds };
}

/** FFmpeg alone, on frames that are there. @returns how many times faster than the session that is */
function ffmpegAlone(raw: string, options: Parameters<typeof tryEncoder>[1]): number {
  const output = { kind: 'file', path: join(folder, 'floor.mp4'), format: 'mp4' } as const;
  const args = encodeArguments({ ...options, metadata: {}, output });
  const stdin = openSync(raw, 'r');
  const started = performance.now();
  const { status, stderr } = spawnSync('ffmpeg', args, { stdio: [stdin, 'ignore', 'pipe'] });
  closeSync(stdin);
  if (status !== 0) throw new Error(`${stderr}`);
  return SECONDS / ((performance.now() - started) / 1000);
}

/** Every encoder that works here, of every codec. */
async function workingEncoders(settings: RenderSettings): Promise<Encoder[]> {
  const canvas = { width: WIDTH, height: HEIGHT };
  const found: Encoder[] = [];
  for (const codec of CODECS) {
    for (const encoder of encodersFor({ ...settings, codec })) {
      const options = { encoder, settings, canvas, fitting: fitCanvas(canvas, 'native') };
      if ((await tryEncoder('ffmpeg', options)) === null) found.push(encoder);
    }
  }
  return found;
}

try {
  const settings: RenderSettings = { ...DEFAULT_SETTINGS, frameRate: FRAME_RATE };
  const rows: Row[] = [];
  const terminal = scrollingTerminal(SECONDS);
  const { raw, timesRealTime } = drawRaw(terminal);
  rows.push({ what: 'drawing alone', 'x real time': timesRealTime });
  const canvas = { width: WIDTH, height: HEIGHT };
  for (const encoder of await workingEncoders(settings)) {
    const own = { ...settings, codec: encoder.codec, acceleration: encoder.acceleration };
    const floor = ffmpegAlone(raw, { encoder, settings: own, canvas, fitting: fitCanvas(canvas, 'native') });
    const row: Row = { what: encoder.name, 'FFmpeg alone, x real time': floor };
    // Of two software encoders of a codec only the first is ever chosen by itself.
    if (encodersFor(own)[0].name === encoder.name) {
      const cost = renderIn(terminal, own);
      row['x real time'] = cost.seconds / cost.wallSeconds;
      row['x real time of CPU'] = cost.seconds / cost.allCpuSeconds;
      row['our CPU s'] = cost.cpuSeconds;
      row['MB a minute'] = (cost.bytes / 1e6 / cost.seconds) * 60;
      row['max RSS MB'] = cost.maxResidentMegabytes;
    }
    rows.push(row);
  }
  for (const minutes of MINUTES) {
    const cost = renderIn(quietWork(minutes), { ...settings, acceleration: 'none', quality: 'low', frameRate: 1 });
    rows.push({
      what: `${minutes} min, 1 frame a second`,
      'x real time': cost.seconds / cost.wallSeconds,
      'x real time of CPU': cost.seconds / cost.allCpuSeconds,
      'our CPU s': cost.cpuSeconds,
      'max RSS MB': cost.maxResidentMegabytes,
    });
  }
  printResult('render', rows);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
