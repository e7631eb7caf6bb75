/** Pictures of the mouse pointer: read from RDP's masks, drawn by whoever shows a pointer. */
import { DecodeError } from '../bytes.ts';
import { fromRgb565, OPAQUE } from '../codec/pixel.ts';
import type { PointerShape } from '../pdu/pointer-update.ts';

/** A pointer to draw with its hot spot on the position. */
export interface PointerImage {
  readonly width: number;
  readonly height: number;
  /** The pixel that points, from the top left. */
  readonly hotX: number;
  readonly hotY: number;
  /**
   * R, G, B, alpha as words like the screen's, rows from the top. Where alpha is 0, the colour is XORed on the screen:
   * 0 leaves it, white inverts it.
   */
  readonly words: Uint32Array;
}

const WHITE = 0xffffff;

/**
 * Reads a pointer from its masks ([MS-RDPBCGR] 2.2.9.1.1.4.4 and .5).
 *
 * @param palette RGBX words for shapes of 4 and 8 bits per pixel
 * @throws DecodeError when a mask is short or the depth unknown
 */
export function readPointerImage(shape: PointerShape, palette: Uint32Array): PointerImage {
  const { width, height, hotX, hotY, bitsPerPixel, xorMask, andMask } = shape;
  if (![1, 4, 8, 16, 24, 32].includes(bitsPerPixel)) {
    throw new DecodeError('xorBpp', `is ${bitsPerPixel}, wanted 1, 4, 8, 16, 24 or 32`, 0);
  }
  const xorPitch = ((width * bitsPerPixel + 15) >> 4) * 2;
  const andPitch = ((width + 15) >> 4) * 2;
  if (xorMask.length < xorPitch * height) throw short('xorMaskData', xorMask, xorPitch * height);
  // Some senders leave the AND mask of 32-bit pointers out.
  if (andMask.length > 0 && andMask.length < andPitch * height) throw short('andMaskData', andMask, andPitch * height);
  const hasAlpha = bitsPerPixel === 32 && someAlpha(xorMask, width * height);
  const words = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) {
    // Monochrome shapes come top row first, unlike all others.
    const row = bitsPerPixel === 1 ? y : height - 1 - y;
    for (let x = 0; x < width; x++) {
      const masked = andMask.length > 0 && ((andMask[row * andPitch + (x >> 3)] << (x & 7)) & 0x80) !== 0;
      const color = colorAt(xorMask, row * xorPitch, x, bitsPerPixel, palette);
      let word = masked ? color & WHITE : color | OPAQUE;
      if (hasAlpha) word = color >>> 24 === 0 ? 0 : color;
      words[y * width + x] = word;
    }
  }
  return { width, height, hotX, hotY, words };
}

function short(field: string, mask: Uint8Array, wanted: number): DecodeError {
  return new DecodeError(field, `has ${mask.length} bytes, ${wanted} are wanted`, mask.length);
}

function someAlpha(xorMask: Uint8Array, pixels: number): boolean {
  for (let i = 0; i < pixels; i++) if (xorMask[4 * i + 3] !== 0) return true;
  return false;
}

function colorAt(mask: Uint8Array, rowAt: number, x: number, bitsPerPixel: number, palette: Uint32Array): number {
  switch (bitsPerPixel) {
    case 1:
      return (mask[rowAt + (x >> 3)] << (x & 7)) & 0x80 ? WHITE : 0;
    case 4:
      return palette[(mask[rowAt + (x >> 1)] >> (x & 1 ? 0 : 4)) & 15];
    case 8:
      return palette[mask[rowAt + x]];
    case 16:
      return fromRgb565(mask[rowAt + 2 * x] | (mask[rowAt + 2 * x + 1] << 8));
    default: {
      const size = bitsPerPixel >> 3;
      const at = rowAt + size * x;
      const alpha = size === 4 ? mask[at + 3] << 24 : 0;
      return alpha | (mask[at] << 16) | (mask[at + 1] << 8) | mask[at + 2];
    }
  }
}

/**
 * Draws a pointer on RGBX words: for those who show one, on a copy of the screen.
 *
 * @param stride words in a row; `height` rows
 * @param x position of the hot spot
 */
export function drawPointer(
  target: Uint32Array,
  stride: number,
  height: number,
  image: PointerImage,
  x: number,
  y: number,
): void {
  const left = x - image.hotX;
  const top = y - image.hotY;
  for (let row = Math.max(0, -top); row < image.height && top + row < height; row++) {
    for (let column = Math.max(0, -left); column < image.width && left + column < stride; column++) {
      const at = (top + row) * stride + left + column;
      target[at] = blend(target[at], image.words[row * image.width + column]);
    }
  }
}

function blend(under: number, over: number): number {
  const alpha = over >>> 24;
  if (alpha === 0) return (under ^ over) >>> 0;
  if (alpha === 255) return over;
  let word = OPAQUE;
  for (let shift = 0; shift < 24; shift += 8) {
    const mixed = ((over >> shift) & 0xff) * alpha + ((under >> shift) & 0xff) * (255 - alpha);
    word |= Math.round(mixed / 255) << shift;
  }
  return word >>> 0;
}

const ARROW = [
  'x           ',
  'xx          ',
  'x.x         ',
  'x..x        ',
  'x...x       ',
  'x....x      ',
  'x.....x     ',
  'x......x    ',
  'x.......x   ',
  'x........x  ',
  'x.........x ',
  'x......xxxxx',
  'x...x..x    ',
  'x..x x..x   ',
  'x.x  x..x   ',
  'xx    x..x  ',
  'x     x..x  ',
  '       xx   ',
];

/** What "the system's default pointer" looks like here: a white arrow with a black edge. */
export const DEFAULT_POINTER: PointerImage = {
  width: ARROW[0].length,
  height: ARROW.length,
  hotX: 0,
  hotY: 0,
  words: Uint32Array.from([...ARROW.join('')], (dot) => (dot === ' ' ? 0 : dot === 'x' ? OPAQUE : OPAQUE | WHITE)),
};
