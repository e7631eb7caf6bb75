/** FFmpeg's command line, as a list: it never passes a shell. */
import { BESIDE_GREY, type Fitting, type Size } from './canvas.ts';
import { type Encoder, qualityArguments } from './encoders.ts';
import type { RenderSettings } from './settings.ts';

/** Seconds between pictures that a player can jump to. */
const SEEK_SECONDS = 5;

const BESIDE = `0x${BESIDE_GREY.toString(16).repeat(3)}`;

export interface EncodeOptions {
  readonly encoder: Encoder;
  readonly settings: RenderSettings;
  /** Size of the frames on standard input. */
  readonly canvas: Size;
  readonly fitting: Fitting;
  /** Names and values to keep in the file. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly output: Output;
}

/** Where the video goes: into a file, or nowhere, with a line for each packet on standard output. */
export type Output =
  | { readonly kind: 'file'; readonly path: string; readonly format: string }
  | { readonly kind: 'trial' };

/** Reads raw frames from standard input and encodes them. */
export function encodeArguments(options: EncodeOptions): string[] {
  const { encoder, settings, canvas, fitting, metadata } = options;
  const { frame } = fitting;
  return [
    ...['-hide_banner', '-nostats', '-loglevel', 'warning', '-y'],
    ...(encoder.acceleration === 'vaapi' ? ['-init_hw_device', 'vaapi=gpu', '-filter_hw_device', 'gpu'] : []),
    ...['-f', 'rawvideo', '-pixel_format', encoder.input, '-video_size', `${canvas.width}x${canvas.height}`],
    ...['-framerate', String(settings.frameRate), ...(encoder.lossless ? [] : YUV_COLORS), '-i', 'pipe:0'],
    ...filterArguments(encoder, canvas, fitting),
    ...['-an', '-c:v', encoder.name],
    ...qualityArguments(encoder, settings, frame.width * frame.height * settings.frameRate),
    ...(encoder.name === 'libx265' && !encoder.lossless ? ['-x265-params', 'log-level=error'] : []),
    ...(encoder.acceleration === 'vaapi' ? [] : ['-pix_fmt', encoder.pixelFormat]),
    ...(encoder.lossless ? [] : [...YUV_COLORS, '-chroma_sample_location', 'center']),
    ...['-g', String(settings.frameRate * SEEK_SECONDS), '-r', String(settings.frameRate)],
    ...Object.entries(metadata).flatMap(([name, value]) => ['-metadata', `${name}=${value}`]),
    ...outputArguments(options.output, encoder),
  ];
}

/** What `yuv.ts` makes. */
const YUV_COLORS = [
  ...['-color_range', 'tv', '-colorspace', 'bt709'],
  ...['-color_primaries', 'bt709', '-color_trc', 'bt709'],
];

function filterArguments({ acceleration }: Encoder, canvas: Size, { frame, picture }: Fitting): string[] {
  const filters: string[] = [];
  if (picture.width !== canvas.width || picture.height !== canvas.height) {
    filters.push(`scale=${picture.width}:${picture.height}:flags=lanczos+accurate_rnd+full_chroma_int`);
  }
  if (picture.width !== frame.width || picture.height !== frame.height) {
    filters.push(`pad=${frame.width}:${frame.height}:${picture.left}:${picture.top}:${BESIDE}`);
  }
  if (acceleration === 'vaapi') filters.push('format=nv12', 'hwupload');
  return filters.length > 0 ? ['-vf', filters.join(',')] : [];
}

function outputArguments(output: Output, { codec }: Encoder): string[] {
  if (output.kind === 'trial') return ['-f', 'framecrc', 'pipe:1'];
  const isMp4 = output.format === 'mp4';
  return [
    // Apple's players know HEVC by this tag only.
    ...(isMp4 && codec === 'hevc' ? ['-tag:v', 'hvc1'] : []),
    // The index stands first, so that a player can begin before it has all.
    ...(isMp4 ? ['-movflags', '+faststart'] : []),
    ...['-f', output.format, `file:${output.path}`],
  ];
}
