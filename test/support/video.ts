/** Videos, taken apart again by FFmpeg. */
import { spawnSync } from 'node:child_process';
import type { Picture } from './pixels.ts';

/** What ffprobe says of a file's video. */
export interface VideoFacts {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly seconds: number;
  readonly frameRate: string;
  readonly pixelFormat: string;
}

export function probeVideo(file: string): VideoFacts {
  const fields = 'codec_name,width,height,nb_read_frames,r_frame_rate,pix_fmt:format=duration';
  const args = ['-v', 'error', '-count_frames', '-select_streams', 'v', '-show_entries', `stream=${fields}`];
  const { streams, format } = JSON.parse(run('ffprobe', [...args, '-of', 'json', file]).toString());
  const [{ codec_name: codec, width, height, nb_read_frames, r_frame_rate: frameRate, pix_fmt: pixelFormat }] = streams;
  return {
    codec,
    width,
    height,
    frames: Number(nb_read_frames),
    seconds: Number(format.duration),
    frameRate,
    pixelFormat,
  };
}

/**
 * Decodes some frames.
 * @param numbers ascending
 */
export function decodeFrames(file: string, numbers: readonly number[]): Picture[] {
  const { width, height } = probeVideo(file);
  const select = numbers.map((number) => `eq(n\\,${number})`).join('+');
  const convert = 'scale=in_color_matrix=bt709:in_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,format=rgb0';
  const isRgb = ['gbrp', 'rgb24', 'bgr0'].includes(probeVideo(file).pixelFormat);
  const filter = `select=${select},${isRgb ? 'format=rgb0' : convert}`;
  const raw = run('ffmpeg', ['-v', 'error', '-i', file, '-vf', filter, '-vsync', 'passthrough', '-f', 'rawvideo', '-']);
  const size = width * height * 4;
  if (raw.length !== size * numbers.length) {
    throw new Error(`${file}: ${raw.length / size} frames of ${numbers.length} came out`);
  }
  return numbers.map((_, i) => {
    const pixels = new Uint8Array(raw.subarray(i * size, (i + 1) * size));
    for (let at = 3; at < size; at += 4) pixels[at] = 0xff;
    return { width, height, pixels };
  });
}

/** Peak signal-to-noise ratio over red, green and blue, in dB; infinite for equal pictures. */
export function psnr(a: Picture, b: Picture): number {
  if (a.width !== b.width || a.height !== b.height) throw new Error('pictures of two sizes');
  let sum = 0;
  for (let i = 0; i < a.pixels.length; i++) sum += (a.pixels[i] - b.pixels[i]) ** 2;
  const mean = sum / ((a.pixels.length * 3) / 4);
  return mean === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(255 ** 2 / mean);
}

function run(program: string, args: string[]): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { maxBuffer: 1 << 30 });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}
