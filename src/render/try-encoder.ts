/** Whether an encoder works is found out by encoding a frame with it: that it is compiled in says nothing. */

import { Ffmpeg } from './ffmpeg.ts';
import { type EncodeOptions, encodeArguments } from './ffmpeg-arguments.ts';
import { FfmpegError } from './render-error.ts';
import { Stage } from './stage.ts';

/** A driver may hang. Software does not, but has to wait for its turn on a busy machine. */
const HARDWARE_TRIAL_MS = 20_000;
const SOFTWARE_TRIAL_MS = 300_000;

/**
 * Encodes one black frame, just as the video would be.
 * @returns null when that works, else why not
 * @throws RenderError when FFmpeg is not there at all
 */
export async function tryEncoder(
  program: string,
  options: Omit<EncodeOptions, 'output' | 'metadata'>,
): Promise<FfmpegError | null> {
  const { encoder, canvas } = options;
  const args = encodeArguments({ ...options, metadata: {}, output: { kind: 'trial' } });
  const ffmpeg = new Ffmpeg(program, args, encoder.name);
  const late = setTimeout(() => ffmpeg.kill(), encoder.acceleration === 'none' ? SOFTWARE_TRIAL_MS : HARDWARE_TRIAL_MS);
  try {
    await ffmpeg.write(new Stage(canvas, encoder.input).frame);
    await ffmpeg.finish();
    if (hasPacket(ffmpeg.output)) return null;
    return new FfmpegError(`FFmpeg made nothing of a frame, ${encoder.name}:`, ffmpeg.lastLines);
  } catch (error) {
    if (error instanceof FfmpegError) return error;
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** Lines of framecrc: stream, dts, pts, duration, size, checksum; comments begin with #. */
function hasPacket(output: string): boolean {
  return output.split('\n').some((line) => !line.startsWith('#') && Number(line.split(',')[4]) > 0);
}
