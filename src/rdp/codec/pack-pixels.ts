/** From RGBX to the pixels that encoders take. */
import { type BitsPerPixel, rgbx, swapRedBlue, toRgb555, toRgb565 } from './pixel.ts';

/** The palette of 8-bit pixels that `packPixels` makes: three bits of red, three of green, two of blue. */
export const RGB332_PALETTE: Uint32Array = Uint32Array.from({ length: 256 }, (_, i) =>
  rgbx(Math.round(((i >> 5) * 255) / 7), Math.round((((i >> 2) & 7) * 255) / 7), (i & 3) * 85),
);

function packer(depth: BitsPerPixel): (word: number) => number {
  if (depth === 8) return (word) => (word & 0xe0) | ((word & 0xe000) >> 11) | ((word & 0xc00000) >> 22);
  if (depth === 15) return toRgb555;
  if (depth === 16) return toRgb565;
  return swapRedBlue;
}

/**
 * Cuts a rectangle out of RGBX pixels, as wire pixels with the bottom row first.
 *
 * @param source RGBX words, `stride` to a row
 * @param depth at 8, the client must hold RGB332_PALETTE
 * @returns `width * height` words whose low `depth` bits are the pixels
 */
export function packPixels(
  source: Uint32Array,
  stride: number,
  left: number,
  top: number,
  width: number,
  height: number,
  depth: BitsPerPixel,
): Uint32Array {
  const pack = packer(depth);
  const pixels = new Uint32Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    let from = (top + height - 1 - y) * stride + left;
    for (let x = 0; x < width; x++) pixels[at++] = pack(source[from++]);
  }
  return pixels;
}
