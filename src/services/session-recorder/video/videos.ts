/** Videos as the service offers them: routes, health, and the recipient that they take. */
import { createReadStream, readFileSync } from 'node:fs';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { VideoRequest } from '#contract/video.ts';
import { FormatError } from '#evidence/format-error.ts';
import { parseIdentityFile } from '#evidence/node/age-keys.ts';
import { SettingError, type SettingsOf } from '#platform/config.ts';
import type { Check, CheckResult } from '#platform/health.ts';
import type { Log } from '#platform/log.ts';
import { findEncoder } from '#render/find-encoder.ts';
import { RenderError } from '#render/render-error.ts';
import { checkSettings, type RenderSettings } from '#render/settings.ts';
import { describeVideo } from './describe-video.ts';
import { type VideoJob, VideoJobs } from './video-jobs.ts';
import { renderSettings, type videoSettings } from './video-settings.ts';

export interface RenderRecipient {
  /** Text of its identity file. */
  readonly identity: string;
  /** Public half. */
  readonly recipient: string;
}

/**
 * Whom videos are made for; null where the operator has set nobody.
 * @throws SettingError when the file cannot be read, or holds more or less than one identity
 */
export function readRenderRecipient({
  LUCID_RENDER_IDENTITY_FILE: file,
}: SettingsOf<typeof videoSettings>): RenderRecipient | null {
  if (file === '') return null;
  try {
    const identity = readFileSync(file, 'utf8');
    const found = parseIdentityFile(identity);
    if (found.length !== 1) throw new SettingError(`holds ${found.length} identities, wants one`);
    return { identity, recipient: found[0].recipient };
  } catch (error) {
    const isTold = error instanceof FormatError || error instanceof SettingError || 'code' in (error as Error);
    if (!isTold) throw error;
    throw new SettingError(`LUCID_RENDER_IDENTITY_FILE=${file}: ${(error as Error).message}`);
  }
}

/** Of a video: the first byte, and the one after the last. */
interface ByteRange {
  from?: number;
  to?: number;
}

export interface VideosOptions {
  readonly settings: SettingsOf<typeof videoSettings>;
  readonly folder: string;
  readonly storage: Peers['session-storage'];
  readonly log: Log;
}

/** @throws SettingError when the settings do not go together */
export async function openVideos(renderer: RenderRecipient | null, options: VideosOptions) {
  const { folder, storage, log } = options;
  const settings = checked(renderSettings(options.settings));
  const ffmpeg = options.settings.LUCID_RENDER_FFMPEG;
  const fetchBundle = (id: string) => storage.getBundle({ params: { id }, query: {} });
  const jobs =
    renderer && (await VideoJobs.open({ folder, identity: renderer.identity, settings, ffmpeg, fetchBundle, log }));
  /** @throws ServiceError `wrong_state` without a render recipient */
  function wanted(): VideoJobs {
    if (jobs === null)
      throw new ServiceError('wrong_state', 'no videos are made here: LUCID_RENDER_IDENTITY_FILE is not set');
    return jobs;
  }
  const checks: Record<string, Check> = {};
  if (jobs !== null) {
    const encoder = tellEncoder(ffmpeg, settings);
    checks.videos = () => encoder;
  }
  return {
    handlers: {
      createVideo: ({ body }: { body: VideoRequest }) => describeVideo(request(wanted(), body)),
      listVideos: () => ({ items: wanted().list().map(describeVideo) }),
      getVideo: ({ params }: { params: { id: string } }) => describeVideo(wanted().get(params.id)),
      downloadVideo: ({ params, query: { from = 0, to } }: { params: { id: string }; query: ByteRange }) =>
        createReadStream(wanted().fileOf(params.id), { start: from, ...(to !== undefined && { end: to - 1 }) }),
      deleteVideo: async ({ params }: { params: { id: string } }) => {
        await wanted().remove(params.id);
        return {};
      },
    },
    checks,
    async close() {
      await jobs?.close();
    },
  };
}

function request(jobs: VideoJobs, body: VideoRequest): VideoJob {
  const { codec, quality, resolution, frame_rate: frameRate, bit_rate: bitRate, cut_idle_seconds: cutIdle } = body;
  const wishes = { codec, quality, resolution, frameRate, bitRate, cutIdle };
  const settings = Object.fromEntries(Object.entries(wishes).filter(([, wish]) => wish !== undefined));
  try {
    return jobs.request({ session: body.session_id, settings, allowIncomplete: body.allow_incomplete ?? false });
  } catch (error) {
    if (error instanceof RenderError) throw new ServiceError('invalid_request', error.message);
    throw error;
  }
}

function checked(settings: RenderSettings): RenderSettings {
  try {
    checkSettings(settings);
    return settings;
  } catch (error) {
    throw new SettingError(`LUCID_RENDER_...: ${(error as Error).message}`);
  }
}

/** A missing encoder keeps nobody from recording. */
async function tellEncoder(ffmpeg: string, settings: RenderSettings): Promise<CheckResult> {
  try {
    const { name, acceleration } = await findEncoder(ffmpeg, settings);
    return { status: 'healthy', detail: `${name} (${acceleration === 'none' ? 'software' : acceleration})` };
  } catch (error) {
    if (error instanceof RenderError) return { status: 'degraded', detail: error.message };
    throw error;
  }
}
