/** What brushes paint with. */
import { DecodeError } from '../bytes.ts';
import type { BitsPerPixel } from '../codec/pixel.ts';
import { decodeUncompressed } from '../codec/uncompressed.ts';
import type { BrushPattern } from '../order/cache-brush.ts';
import type { BrushFields } from '../order/primary-layouts.ts';

/** 8 × 8 pixels that repeat from an origin. */
export interface Tile {
  /** 64 RGBX words, rows from the top. */
  readonly words: Uint32Array;
  /** A pixel of the screen where the pattern's top left one lies. */
  readonly originX: number;
  readonly originY: number;
}

/** One colour (an RGBX word), or a tile. */
export type Pattern = number | Tile;

/** brushStyle; with `cached`, the low bits are a bitmap format and brushHatch is a cache entry. */
export const BrushStyle = { solid: 0, null: 1, hatched: 2, pattern: 3, cached: 0x80 } as const;

/** HS_HORIZONTAL to HS_DIAGCROSS ([MS-RDPEGDI] 2.2.2.2.1.1.2.3): where a bit is set, the back colour shows. */
const HATCHES = [
  [0xff, 0xff, 0xff, 0x00, 0xff, 0xff, 0xff, 0xff],
  [0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7],
  [0xfe, 0xfd, 0xfb, 0xf7, 0xef, 0xdf, 0xbf, 0x7f],
  [0x7f, 0xbf, 0xdf, 0xef, 0xf7, 0xfb, 0xfd, 0xfe],
  [0xf7, 0xf7, 0xf7, 0x00, 0xf7, 0xf7, 0xf7, 0xf7],
  [0x7e, 0xbd, 0xdb, 0xe7, 0xe7, 0xdb, 0xbd, 0x7e],
];
const SIDE = 8;

/**
 * The pattern that an order's brush fields describe.
 *
 * @param toWord RGBX of an order's colour
 * @param palette RGBX words of coloured brushes of 8 bits a pixel
 * @param cached looks a brush up in the cache; throws DecodeError when it is not there
 * @throws DecodeError when the style is unknown, or of a brush that paints nothing
 */
export function patternOf(
  fields: BrushFields,
  toWord: (color: number) => number,
  palette: Uint32Array,
  cached: (entry: number, isMonochrome: boolean) => BrushPattern,
): Pattern {
  const { brushStyle: style, brushHatch: hatch, brushOrgX: originX, brushOrgY: originY } = fields;
  if (style === BrushStyle.solid) return toWord(fields.foreColor);
  const [fore, back] = [toWord(fields.foreColor), toWord(fields.backColor)];
  const monochrome = (bottomUp: readonly number[] | Uint8Array): Tile => ({
    words: Uint32Array.from({ length: SIDE * SIDE }, (_, i) =>
      bottomUp[SIDE - 1 - (i >> 3)] & (0x80 >> (i & 7)) ? back : fore,
    ),
    originX,
    originY,
  });
  if (style & BrushStyle.cached) {
    const { bitsPerPixel, data } = cached(hatch, (style & 0x7f) === 1);
    if (bitsPerPixel === 1) return monochrome(data);
    const bottomUp = new Uint32Array(SIDE * SIDE);
    decodeUncompressed(data, SIDE, SIDE, bitsPerPixel as BitsPerPixel, palette, bottomUp);
    const words = new Uint32Array(SIDE * SIDE);
    for (let y = 0; y < SIDE; y++) words.set(bottomUp.subarray(y * SIDE, (y + 1) * SIDE), (SIDE - 1 - y) * SIDE);
    return { words, originX, originY };
  }
  // The bottom row stands in brushHatch, the seven above it in brushExtra.
  if (style === BrushStyle.pattern) return monochrome([hatch, ...fields.brushExtra]);
  if (style === BrushStyle.hatched && hatch < HATCHES.length) return monochrome(HATCHES[hatch].toReversed());
  throw new DecodeError('brushStyle', `${style} with hatch ${hatch} is no brush to paint with`, 0);
}
