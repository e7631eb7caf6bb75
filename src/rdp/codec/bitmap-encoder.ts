/** Encodes rectangles of RGBX pixels as a server sends them. */
import { encodeInterleavedRle } from './interleaved-rle-encoder.ts';
import { packPixels } from './pack-pixels.ts';
import type { BitsPerPixel } from './pixel.ts';
import { encodePlanar } from './planar-encoder.ts';

/**
 * Encodes a rectangle as the compressed data of a TS_BITMAP_DATA: interleaved RLE, or planar at 32 bits per pixel.
 *
 * @param source RGBX words, `stride` to a row
 * @param depth bits per pixel of the session; at 8, the client must hold RGB332_PALETTE
 * @returns the data, to be sent with the flags "compressed" and "no compression header"
 */
export function encodeBitmap(
  source: Uint32Array,
  stride: number,
  left: number,
  top: number,
  width: number,
  height: number,
  depth: BitsPerPixel,
): Uint8Array {
  const pixels = packPixels(source, stride, left, top, width, height, depth);
  // With an alpha plane: clients that do not announce that they can do without cannot.
  return depth === 32 ? encodePlanar(pixels, width, { alpha: true }) : encodeInterleavedRle(pixels, width, depth);
}
