import { fitCanvas, type Size } from './canvas.ts';
import { type Encoder, encodersFor } from './encoders.ts';
import { RenderError } from './render-error.ts';
import { checkSettings, type RenderSettings } from './settings.ts';
import { tryEncoder } from './try-encoder.ts';

/** What most screens are: encoders that refuse some sizes take this one. */
const USUAL_CANVAS: Size = { width: 1920, height: 1080 };

/**
 * Finds the encoder that videos of a usual size will be made with, by encoding a frame.
 * @throws RenderError when none works, or FFmpeg is not there
 */
export async function findEncoder(ffmpeg: string, settings: RenderSettings): Promise<Encoder> {
  checkSettings(settings);
  const fitting = fitCanvas(USUAL_CANVAS, settings.resolution);
  const failed: string[] = [];
  for (const encoder of encodersFor(settings)) {
    const error = await tryEncoder(ffmpeg, { encoder, settings, canvas: USUAL_CANVAS, fitting });
    if (error === null) return encoder;
    failed.push(`\n${encoder.name}: ${error.message}`);
  }
  throw new RenderError(`no encoder for ${settings.codec} works here:${failed.join('')}`);
}
