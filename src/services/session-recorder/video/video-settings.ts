import { choice, integer, type SettingsOf, text } from '#platform/config.ts';
import { ACCELERATIONS, CODECS, QUALITIES, RESOLUTIONS, type RenderSettings } from '#render/settings.ts';

export const videoSettings = {
  LUCID_RENDER_IDENTITY_FILE: text(
    'age identity of the render recipient: with it this service can open the screens of sessions that began since, and makes videos of them on request; without it it cannot',
  ),
  LUCID_RENDER_FFMPEG: text('FFmpeg, by its name on PATH or by its path', 'ffmpeg'),
  LUCID_RENDER_CODEC: choice('of videos: h264, hevc or av1', ...CODECS),
  LUCID_RENDER_ACCELERATION: choice(`encoding of videos: ${ACCELERATIONS.join(', ')}`, ...ACCELERATIONS),
  LUCID_RENDER_QUALITY: choice(`of videos: ${QUALITIES.join(', ')}`, 'medium', 'low', 'high', 'ultra', 'lossless'),
  LUCID_RENDER_RESOLUTION: choice(`of videos: ${RESOLUTIONS.join(', ')}`, ...RESOLUTIONS),
  LUCID_RENDER_FRAME_RATE: integer('frames a second of videos', 15, 1, 60),
  LUCID_RENDER_BIT_RATE: integer('of videos; 0: by quality', 0, 0, 1_000_000_000, 'bits a second'),
};

/** What videos are like where a request does not say otherwise. */
export function renderSettings(settings: SettingsOf<typeof videoSettings>): RenderSettings {
  return {
    codec: settings.LUCID_RENDER_CODEC,
    acceleration: settings.LUCID_RENDER_ACCELERATION,
    quality: settings.LUCID_RENDER_QUALITY,
    resolution: settings.LUCID_RENDER_RESOLUTION,
    frameRate: settings.LUCID_RENDER_FRAME_RATE,
    bitRate: settings.LUCID_RENDER_BIT_RATE || null,
    cutIdle: null,
    pointer: true,
  };
}
