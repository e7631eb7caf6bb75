/** Makes a video of a recording. */
import type { BundleReader } from '#evidence/node/bundle-reader.ts';
import { canvasOf, type Fitting, fitCanvas, type Size } from './canvas.ts';
import { type Encoder, encodersFor } from './encoders.ts';
import { Ffmpeg } from './ffmpeg.ts';
import { encodeArguments } from './ffmpeg-arguments.ts';
import { FramePool } from './frame-pool.ts';
import { OutputFile } from './output-file.ts';
import { Playback, type PlaybackTotals } from './playback.ts';
import { FfmpegError, RenderError } from './render-error.ts';
import { checkSettings, type RenderSettings } from './settings.ts';
import { Stage } from './stage.ts';
import { type Survey, surveyRecording } from './survey.ts';
import { Timeline } from './timeline.ts';
import { tryEncoder } from './try-encoder.ts';
import type { Missing } from './walk.ts';

export interface RenderOptions {
  /** Where the video goes: a name that ends in .mp4 or .mkv. */
  readonly output: string;
  readonly settings: RenderSettings;
  /** Whether to make a video of what is there when something is missing. */
  readonly allowIncomplete?: boolean;
  /** FFmpeg's path, or its name on PATH. */
  readonly ffmpeg?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RenderProgress) => void;
  /** Told of encoders that do not work, and of new attempts, in words. */
  readonly onNote?: (words: string) => void;
}

export interface RenderProgress {
  /** `reading`: stored bytes; `drawing`: frames. */
  readonly phase: 'reading' | 'drawing';
  readonly done: number;
  readonly total: number;
}

export interface RenderResult {
  readonly output: string;
  readonly session: string;
  /** FFmpeg's name of the encoder that made the file. */
  readonly encoder: string;
  readonly acceleration: Encoder['acceleration'];
  readonly codec: string;
  /** Encoders that were tried before it, and why they did not do. */
  readonly failed: readonly { readonly encoder: string; readonly why: string }[];
  readonly width: number;
  readonly height: number;
  readonly frame_rate: number;
  readonly frames: number;
  /** Frames that differ from the one before. */
  readonly changed_frames: number;
  readonly seconds: number;
  /** Length of the session on its own clock. */
  readonly session_seconds: number;
  readonly cut_seconds: number;
  readonly captions: number;
  readonly pointer: 'drawn' | 'left out' | 'unknown: the identity does not open the input';
  /** Keyframes whose hash the rendered pixels have. */
  readonly receipts_checked: number;
  readonly undecodable_bytes: number;
  readonly missing: readonly Missing[];
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Makes a video of a recording; it appears under its name when it is whole.
 * @throws RenderError in words; FormatError when the recording cannot be read; the signal's reason when aborted
 */
export async function render(reader: BundleReader, options: RenderOptions): Promise<RenderResult> {
  const { settings, signal } = options;
  checkSettings(settings);
  if (!reader.readable.includes('screen')) throw new RenderError('the identity does not open the screen');
  if (reader.leavesOf('screen').length === 0) throw new RenderError('the recording has no picture');
  const output = await OutputFile.create(options.output);
  try {
    const survey = await takeSurvey(reader, options);
    refuseIncomplete(survey, options);
    const job = new RenderJob(reader, options, output, survey);
    const made = await job.run();
    signal?.throwIfAborted();
    return { ...made, ...(await output.finish()) };
  } finally {
    await output.discard();
  }
}

async function takeSurvey(reader: BundleReader, { settings, signal, onProgress }: RenderOptions): Promise<Survey> {
  const steps = surveyRecording(reader, settings);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    onProgress?.({ phase: 'reading', ...step.value });
    await breathe();
    signal?.throwIfAborted();
  }
}

function refuseIncomplete({ missing, sizes }: Survey, { allowIncomplete }: RenderOptions): void {
  const list = missing.map(({ where, what }) => `\n  ${where}: ${what}`).join('');
  if (missing.length > 0 && !allowIncomplete) {
    throw new RenderError(`the recording is not complete; a video of the rest has to be asked for:${list}`);
  }
  if (sizes.length === 0) throw new RenderError(`no picture of the recording is left:${list}`);
}

class RenderJob {
  readonly #reader: BundleReader;
  readonly #options: RenderOptions;
  readonly #output: OutputFile;
  readonly #survey: Survey;
  readonly #timeline: Timeline;
  readonly #canvas: Size;
  readonly #fitting: Fitting;
  readonly #failed: { encoder: string; why: string }[] = [];
  #changedFrames = 0;

  constructor(reader: BundleReader, options: RenderOptions, output: OutputFile, survey: Survey) {
    this.#reader = reader;
    this.#options = options;
    this.#output = output;
    this.#survey = survey;
    this.#timeline = new Timeline({ ...survey, frameRate: options.settings.frameRate });
    this.#canvas = canvasOf(survey.sizes);
    this.#fitting = fitCanvas(this.#canvas, options.settings.resolution);
  }

  async run(): Promise<Omit<RenderResult, 'bytes' | 'sha256'>> {
    const encoders = encodersFor(this.#options.settings);
    for (const [i, encoder] of encoders.entries()) {
      const isLast = i === encoders.length - 1;
      if (!(await this.#works(encoder))) continue;
      // What worked a moment ago and is the last of its kind gets a second chance.
      const totals = (await this.#attempt(encoder)) ?? (isLast ? await this.#attempt(encoder) : null);
      if (totals !== null) return this.#describe(encoder, totals);
    }
    const told = this.#failed.map(({ encoder, why }) => `\n${encoder}: ${why}`).join('');
    throw new RenderError(`no encoder for ${this.#options.settings.codec} works here:${told}`);
  }

  async #works(encoder: Encoder): Promise<boolean> {
    const { settings, ffmpeg = 'ffmpeg', signal } = this.#options;
    const error = await tryEncoder(ffmpeg, { encoder, settings, canvas: this.#canvas, fitting: this.#fitting });
    signal?.throwIfAborted();
    if (error === null) return true;
    this.#failed.push({ encoder: encoder.name, why: error.message });
    // That a machine lacks most of what `auto` tries is no news.
    if (settings.acceleration !== 'auto' || encoder.acceleration === 'none')
      this.#tell(encoder, error, 'does not work');
    return false;
  }

  /** @returns null when FFmpeg died, so that another attempt may do */
  async #attempt(encoder: Encoder): Promise<PlaybackTotals | null> {
    try {
      return await this.#encode(encoder);
    } catch (error) {
      if (!(error instanceof FfmpegError) || error.isAboutOutput) throw error;
      this.#failed.push({ encoder: encoder.name, why: error.message });
      this.#tell(encoder, error, 'failed on the way');
      return null;
    }
  }

  #tell(encoder: Encoder, error: FfmpegError, what: string): void {
    this.#options.onNote?.(`${encoder.name} ${what}: ${error.message}`);
  }

  async #encode(encoder: Encoder): Promise<PlaybackTotals> {
    const { settings, signal, ffmpeg: program = 'ffmpeg', onProgress } = this.#options;
    const stage = new Stage(this.#canvas, encoder.input);
    const playback = new Playback(this.#reader, {
      ...{ survey: this.#survey, timeline: this.#timeline, stage },
      pointer: settings.pointer,
    });
    const { path, format } = { path: this.#output.temporary, format: this.#output.format };
    const args = encodeArguments({
      ...{ encoder, settings, canvas: this.#canvas, fitting: this.#fitting },
      metadata: { title: `Session ${this.#reader.open.session}`, creation_time: this.#reader.open.time },
      output: { kind: 'file', path, format },
    });
    const ffmpeg = new Ffmpeg(program, args, encoder.name);
    const pool = new FramePool(stage.frame.length);
    this.#changedFrames = 0;
    let done = 0;
    try {
      for (const changed of playback.frames()) {
        if (changed) pool.put(stage.frame, (buffer) => ffmpeg.isBusy(buffer));
        if (changed) this.#changedFrames++;
        await ffmpeg.write(pool.current);
        signal?.throwIfAborted();
        onProgress?.({ phase: 'drawing', done: ++done, total: this.#timeline.frames });
      }
      await ffmpeg.finish();
    } catch (error) {
      await ffmpeg.kill();
      throw error;
    }
    return playback.totals;
  }

  #describe(encoder: Encoder, totals: PlaybackTotals): Omit<RenderResult, 'bytes' | 'sha256'> {
    const { settings, output } = this.#options;
    const { width, height } = this.#fitting.frame;
    const { end, cuts, missing } = this.#survey;
    const inputKnown = this.#reader.readable.includes('input');
    const known = inputKnown ? 'drawn' : 'unknown: the identity does not open the input';
    return {
      output,
      session: this.#reader.open.session,
      encoder: encoder.name,
      acceleration: encoder.acceleration,
      codec: settings.codec,
      failed: this.#failed,
      ...{ width, height, frame_rate: settings.frameRate },
      frames: this.#timeline.frames,
      changed_frames: this.#changedFrames,
      seconds: this.#timeline.frames / settings.frameRate,
      session_seconds: end / 1e6,
      cut_seconds: cuts.reduce((sum, { from, to }) => sum + to - from, 0) / 1e6,
      captions: this.#timeline.captionCount,
      pointer: settings.pointer ? known : 'left out',
      receipts_checked: totals.receipts,
      undecodable_bytes: totals.undecodableBytes,
      missing,
    };
  }
}

/** Lets timers and signals have their turn. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
