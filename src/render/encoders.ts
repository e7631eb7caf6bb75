/** FFmpeg's encoders: in which order they are tried, and how each is told the quality. */

import type { Acceleration, Codec, Quality, RenderSettings } from './settings.ts';
import type { PixelFormat } from './stage.ts';

export interface Encoder {
  /** FFmpeg's name for it. */
  readonly name: string;
  readonly codec: Codec;
  /** `none`: in software. */
  readonly acceleration: Exclude<Acceleration, 'auto'>;
  /** The format that it is given. */
  readonly input: PixelFormat;
  /** The format that it encodes, where FFmpeg must convert. */
  readonly pixelFormat: string;
  readonly lossless: boolean;
}

type Hardware = Exclude<Acceleration, 'auto' | 'none'>;
type Lossy = Exclude<Quality, 'lossless'>;

const HARDWARE: readonly Hardware[] = ['v4l2m2m', 'vaapi', 'nvenc', 'qsv'];
/** What each kind of hardware encoder is given. */
const HARDWARE_FORMATS: Readonly<Record<Hardware, string>> = {
  v4l2m2m: 'yuv420p',
  vaapi: 'vaapi',
  nvenc: 'yuv420p',
  qsv: 'nv12',
};
const SOFTWARE: Readonly<Record<Codec, readonly string[]>> = {
  h264: ['libx264'],
  hevc: ['libx265'],
  av1: ['libsvtav1', 'libaom-av1'],
};
/** Encoders of RGB: no conversion, so nothing is lost. */
const LOSSLESS: Readonly<Record<Codec, readonly { name: string; pixelFormat: string }[]>> = {
  h264: [{ name: 'libx264rgb', pixelFormat: 'rgb24' }],
  hevc: [{ name: 'libx265', pixelFormat: 'gbrp' }],
  av1: [{ name: 'libaom-av1', pixelFormat: 'gbrp' }],
};

/**
 * Encoders to try, the best first: the acceleration that is wished for, or each in its turn, then software.
 * Which of them there are only trying tells.
 */
export function encodersFor({
  codec,
  acceleration,
  quality,
}: Pick<RenderSettings, 'codec' | 'acceleration' | 'quality'>): Encoder[] {
  if (quality === 'lossless') {
    return LOSSLESS[codec].map((one) => ({ ...one, codec, acceleration: 'none', input: 'rgb0', lossless: true }));
  }
  const lossy = { codec, input: 'yuv420p', lossless: false } as const;
  const hardware = HARDWARE.filter((kind) => acceleration === 'auto' || acceleration === kind);
  return [
    ...hardware.map((kind) => ({
      ...lossy,
      name: `${codec}_${kind}`,
      acceleration: kind,
      pixelFormat: HARDWARE_FORMATS[kind],
    })),
    ...SOFTWARE[codec].map((name) => ({ ...lossy, name, acceleration: 'none' as const, pixelFormat: 'yuv420p' })),
  ];
}

/** A constant quality in each encoder's own scale, and the effort that it is worth. */
const SOFTWARE_QUALITY: Readonly<Record<string, (quality: Lossy) => string[]>> = {
  libx264: (quality) => [
    '-preset',
    pick(quality, 'veryfast', 'veryfast', 'fast', 'medium'),
    ...crf(quality, 30, 24, 19, 14),
  ],
  libx265: (quality) => [
    '-preset',
    pick(quality, 'superfast', 'superfast', 'fast', 'medium'),
    ...crf(quality, 32, 27, 22, 16),
  ],
  libsvtav1: (quality) => ['-preset', pick(quality, '10', '9', '8', '6'), ...crf(quality, 48, 38, 28, 18)],
  'libaom-av1': (quality) => [...aomSpeed(quality), ...crf(quality, 45, 35, 26, 16), '-b:v', '0'],
};
const SOFTWARE_SPEED: Readonly<Record<string, (quality: Lossy) => string[]>> = {
  libx264: (quality) => SOFTWARE_QUALITY.libx264(quality).slice(0, 2),
  libx265: (quality) => SOFTWARE_QUALITY.libx265(quality).slice(0, 2),
  libsvtav1: (quality) => SOFTWARE_QUALITY.libsvtav1(quality).slice(0, 2),
  'libaom-av1': aomSpeed,
};
const HARDWARE_QUALITY: Readonly<Record<Exclude<Hardware, 'v4l2m2m'>, (quality: Lossy) => string[]>> = {
  vaapi: (quality) => ['-rc_mode', 'CQP', '-global_quality', pick(quality, '34', '28', '23', '18')],
  nvenc: (quality) => ['-rc', 'vbr', '-cq', pick(quality, '34', '28', '23', '18'), '-b:v', '0'],
  qsv: (quality) => ['-global_quality', pick(quality, '34', '28', '23', '18')],
};
/** Bits a pixel of each frame, for encoders that know no constant quality. */
const BITS_A_PIXEL: Readonly<Record<Lossy, number>> = { low: 0.04, medium: 0.08, high: 0.16, ultra: 0.32 };

function pick<T>(quality: Lossy, low: T, medium: T, high: T, ultra: T): T {
  return { low, medium, high, ultra }[quality];
}

function crf(quality: Lossy, ...values: [number, number, number, number]): string[] {
  return ['-crf', String(pick(quality, ...values))];
}

function aomSpeed(quality: Lossy): string[] {
  return ['-cpu-used', pick(quality, '8', '8', '6', '4'), '-row-mt', '1'];
}

/**
 * FFmpeg's options that tell an encoder how good the video is to be.
 * @param pixelsASecond width × height × frame rate
 */
export function qualityArguments(
  encoder: Encoder,
  { quality, bitRate }: Pick<RenderSettings, 'quality' | 'bitRate'>,
  pixelsASecond: number,
): string[] {
  if (quality === 'lossless') return losslessArguments(encoder);
  if (encoder.acceleration === 'none') {
    if (bitRate === null) return SOFTWARE_QUALITY[encoder.name](quality);
    return [...SOFTWARE_SPEED[encoder.name](quality), ...bitRateArguments(encoder, bitRate)];
  }
  if (bitRate !== null) return bitRateArguments(encoder, bitRate);
  if (encoder.acceleration === 'v4l2m2m') {
    return bitRateArguments(encoder, Math.max(100_000, Math.round(pixelsASecond * BITS_A_PIXEL[quality])));
  }
  return HARDWARE_QUALITY[encoder.acceleration](quality);
}

function bitRateArguments({ name }: Encoder, bitRate: number): string[] {
  const average = ['-b:v', String(bitRate)];
  // SVT-AV1 takes a ceiling for constant quality only.
  if (name === 'libsvtav1') return average;
  return [...average, '-maxrate', String(Math.round(bitRate * 1.5)), '-bufsize', String(bitRate * 2)];
}

function losslessArguments({ name }: Encoder): string[] {
  if (name === 'libx264rgb') return ['-preset', 'veryfast', '-qp', '0'];
  if (name === 'libx265') return ['-preset', 'superfast', '-x265-params', 'lossless=1:log-level=error'];
  return ['-cpu-used', '8', '-row-mt', '1', '-aom-params', 'lossless=1'];
}
