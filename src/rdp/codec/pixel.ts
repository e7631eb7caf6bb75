/**
 * Pixels as this project keeps them, and as RDP's bitmaps carry them.
 *
 * Ours are RGBX: four bytes R, G, B, 0xFF. Decoders write them as 32-bit words, which on little-endian machines (all
 * that run Node.js or Chromium) are `0xFF << 24 | B << 16 | G << 8 | R`. Narrow channels widen by bit replication.
 */

/** Colour depths that a TS_BITMAP_DATA may have ([MS-RDPBCGR] 2.2.9.1.1.3.1.2.2). */
export type BitsPerPixel = 8 | 15 | 16 | 24 | 32;

/** The X of RGBX: set in every pixel that is shown. */
export const OPAQUE = 0xff000000;

/** Whether `value` is a depth that bitmaps may have. */
export function isBitsPerPixel(value: number): value is BitsPerPixel {
  return value === 8 || value === 15 || value === 16 || value === 24 || value === 32;
}

/** Bytes that one pixel of this depth takes on the wire. */
export function bytesPerPixel(depth: BitsPerPixel): number {
  return (depth + 7) >> 3;
}

/** A pixel word from channels of 0 to 255. */
export function rgbx(red: number, green: number, blue: number): number {
  return (OPAQUE | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The channel value nearest to a number. */
export function clampChannel(value: number): number {
  return value < 0 ? 0 : Math.min(value, 255);
}

const widen5 = (v: number) => (v << 3) | (v >> 2);
const widen6 = (v: number) => (v << 2) | (v >> 4);

/** RGBX of a 5-6-5 pixel (red in the high bits). */
export function fromRgb565(value: number): number {
  return rgbx(widen5((value >> 11) & 31), widen6((value >> 5) & 63), widen5(value & 31));
}

/** RGBX of a 5-5-5 pixel (red in the high bits; the top bit is ignored). */
export function fromRgb555(value: number): number {
  return rgbx(widen5((value >> 10) & 31), widen5((value >> 5) & 31), widen5(value & 31));
}

/** The 5-6-5 pixel nearest below: its low bits are dropped, so `fromRgb565(toRgb565(p))` is `p` quantised. */
export function toRgb565(word: number): number {
  return ((word & 0xf8) << 8) | ((word & 0xfc00) >> 5) | ((word & 0xf80000) >> 19);
}

/** The 5-5-5 pixel nearest below. */
export function toRgb555(word: number): number {
  return ((word & 0xf8) << 7) | ((word & 0xf800) >> 6) | ((word & 0xf80000) >> 19);
}

/** A wire pixel of 24 or 32 bits (blue lowest) from RGBX, or the other way round: red and blue change places. */
export function swapRedBlue(word: number): number {
  return ((word & 0xff) << 16) | (word & 0xff00) | ((word >> 16) & 0xff);
}

const tables = new Map<(value: number) => number, Uint32Array>();

function table(convert: (value: number) => number): Uint32Array {
  let words = tables.get(convert);
  if (words === undefined) {
    words = Uint32Array.from({ length: 0x10000 }, (_, value) => convert(value));
    tables.set(convert, words);
  }
  return words;
}

/** RGBX for each 16-bit pixel value of depth 15 or 16: made at first use, 256 KiB, shared. */
export function wideningTable(depth: 15 | 16): Uint32Array {
  return table(depth === 16 ? fromRgb565 : fromRgb555);
}
