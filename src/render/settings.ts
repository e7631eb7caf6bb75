/** What a video can be asked to be. */
import { RenderError } from './render-error.ts';

export const CODECS = ['h264', 'hevc', 'av1'] as const;
export type Codec = (typeof CODECS)[number];

/** Where encoding is done: `auto` tries them in this order, `none` is software. */
export const ACCELERATIONS = ['auto', 'v4l2m2m', 'vaapi', 'nvenc', 'qsv', 'none'] as const;
export type Acceleration = (typeof ACCELERATIONS)[number];

/** `lossless` keeps every pixel's colour, takes software, and is played by few. */
export const QUALITIES = ['low', 'medium', 'high', 'ultra', 'lossless'] as const;
export type Quality = (typeof QUALITIES)[number];

export const RESOLUTIONS = ['native', '720p', '1080p', '1440p', '4k'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

export interface RenderSettings {
  readonly codec: Codec;
  readonly acceleration: Acceleration;
  readonly quality: Quality;
  /** Bits a second to aim at instead of a quality; null: as many as the quality takes. */
  readonly bitRate: number | null;
  /** Frames a second, a whole number from 1 to 60. */
  readonly frameRate: number;
  readonly resolution: Resolution;
  /** Seconds that remain of a longer time in which nothing happens; null: all of it. */
  readonly cutIdle: number | null;
  /** Whether the pointer is drawn, where it is known. */
  readonly pointer: boolean;
}

export const DEFAULT_SETTINGS: RenderSettings = {
  codec: 'h264',
  acceleration: 'auto',
  quality: 'medium',
  bitRate: null,
  frameRate: 15,
  resolution: 'native',
  cutIdle: null,
  pointer: true,
};

const MAX_FRAME_RATE = 60;
const BIT_RATES = { least: 10_000, most: 1_000_000_000 } as const;
const MAX_CUT_IDLE = 86_400;

/**
 * Checks numbers and what goes together.
 * @throws RenderError that names the setting, what it is and what is wanted
 */
export function checkSettings(settings: RenderSettings): void {
  const { frameRate, bitRate, cutIdle, quality, acceleration, resolution } = settings;
  if (!Number.isInteger(frameRate) || frameRate < 1 || frameRate > MAX_FRAME_RATE) {
    throw new RenderError(`frame rate ${frameRate}: wants a whole number from 1 to ${MAX_FRAME_RATE}`);
  }
  if (bitRate !== null && !(bitRate >= BIT_RATES.least && bitRate <= BIT_RATES.most)) {
    throw new RenderError(`bit rate ${bitRate}: wants ${BIT_RATES.least} to ${BIT_RATES.most} bits a second`);
  }
  if (cutIdle !== null && !(cutIdle >= 0 && cutIdle <= MAX_CUT_IDLE)) {
    throw new RenderError(`idle time ${cutIdle}: wants 0 to ${MAX_CUT_IDLE} seconds`);
  }
  if (quality !== 'lossless') return;
  if (bitRate !== null) throw new RenderError('quality lossless takes the bits that it needs: leave the bit rate out');
  if (acceleration !== 'auto' && acceleration !== 'none') {
    throw new RenderError(`quality lossless is made in software: leave acceleration ${acceleration} out`);
  }
  if (resolution !== 'native') {
    throw new RenderError(`quality lossless keeps every pixel: leave resolution ${resolution} out`);
  }
}
