/** How large the video is, and where on it a desktop stands. */
import type { Resolution } from './settings.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Place extends Size {
  readonly left: number;
  readonly top: number;
}

/** What is encoded: the canvas scaled to `width` × `height` at `left`, `top` of a picture of `frame`'s size. */
export interface Fitting {
  readonly frame: Size;
  readonly picture: Place;
}

const BOXES: Readonly<Record<Exclude<Resolution, 'native'>, Size>> = {
  '720p': { width: 1280, height: 720 },
  '1080p': { width: 1920, height: 1080 },
  '1440p': { width: 2560, height: 1440 },
  '4k': { width: 3840, height: 2160 },
};

/** What is beside a desktop, in each of red, green and blue. */
export const BESIDE_GREY = 48;

/** Encoders take colour for two pixels by two. */
const even = (side: number) => side + (side & 1);

/**
 * The canvas on which every desktop of a session finds room without being scaled: as wide as the widest, as high as the
 * highest, both made even. It stays the same when the desktop is resized; smaller ones stand in its middle, on a grey that
 * shows where they end.
 * @param sizes of the session's desktops, one at least
 */
export function canvasOf(sizes: readonly Size[]): Size {
  return {
    width: even(Math.max(...sizes.map(({ width }) => width))),
    height: even(Math.max(...sizes.map(({ height }) => height))),
  };
}

/** Where a desktop's top left pixel stands on a canvas. */
export function placeOn(canvas: Size, desktop: Size): Place {
  const { width, height } = desktop;
  return { width, height, left: (canvas.width - width) >> 1, top: (canvas.height - height) >> 1 };
}

/**
 * Fits a canvas into the frame that was asked for: as large as it goes, up or down, with its sides in proportion, in the
 * middle.
 */
export function fitCanvas(canvas: Size, resolution: Resolution): Fitting {
  if (resolution === 'native') return { frame: canvas, picture: { ...canvas, left: 0, top: 0 } };
  const frame = BOXES[resolution];
  const scale = Math.min(frame.width / canvas.width, frame.height / canvas.height);
  const side = (length: number, most: number) => Math.min(most, Math.max(2, 2 * Math.round((length * scale) / 2)));
  const picture = { width: side(canvas.width, frame.width), height: side(canvas.height, frame.height) };
  return { frame, picture: placeEvenly(frame, picture) };
}

/** In the middle, at even coordinates. */
function placeEvenly(frame: Size, picture: Size): Place {
  const { left, top } = placeOn(frame, picture);
  return { ...picture, left: left & ~1, top: top & ~1 };
}
