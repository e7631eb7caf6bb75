/** All that secondary orders fill and primary orders paint from ([MS-RDPEGDI] 3.1.1.1). */
import { DecodeError } from '../bytes.ts';
import { BitmapDecoder } from '../codec/bitmap-decoder.ts';
import { type CacheBitmap, readCacheBitmapRev1, readCacheBitmapRev2 } from '../order/cache-bitmap.ts';
import { readCacheBitmapRev3 } from '../order/cache-bitmap-rev3.ts';
import { type BrushPattern, readCacheBrush } from '../order/cache-brush.ts';
import { readCacheColorTable } from '../order/cache-color-table.ts';
import { readCacheGlyph } from '../order/cache-glyph.ts';
import type { OrderSupport } from '../order/order-support.ts';
import { type SecondaryOrder, SecondaryOrderType } from '../order/secondary-order.ts';
import { BitmapCache } from './bitmap-cache.ts';
import { GlyphCache } from './glyph-cache.ts';

/** Entries of the brush cache for monochrome brushes, and of that for coloured ones. */
export const BRUSHES = 64;
/** codecID of bitmaps that no codec has encoded. */
const NO_CODEC = 0;

export class OrderCaches {
  readonly bitmaps: BitmapCache;
  readonly glyphs: GlyphCache;
  /** Monochrome brushes by their entry, coloured ones by theirs and BRUSHES more. */
  readonly brushes = new Map<number, BrushPattern>();
  /** RGBX words by the table's index. */
  readonly colorTables = new Map<number, Uint32Array>();
  readonly #support: OrderSupport;

  constructor(support: OrderSupport) {
    this.#support = support;
    this.bitmaps = new BitmapCache(support.bitmapCaches, new BitmapDecoder());
    this.glyphs = new GlyphCache(support.glyphCaches, support.fragmentCache);
  }

  /**
   * Applies a secondary order.
   * @param depth bits per pixel of the session
   * @returns how many pixels had to be decoded for it
   * @throws DecodeError when it is malformed, was not announced, or does not fit its cache
   */
  apply(order: SecondaryOrder, depth: number): number {
    switch (order.type) {
      case SecondaryOrderType.cacheBitmapUncompressed:
      case SecondaryOrderType.cacheBitmapCompressed:
        return this.bitmaps.store(readCacheBitmapRev1(order));
      case SecondaryOrderType.cacheBitmapUncompressedRev2:
      case SecondaryOrderType.cacheBitmapCompressedRev2:
        return this.bitmaps.store(readCacheBitmapRev2(order, depth));
      case SecondaryOrderType.cacheBitmapCompressedRev3:
        return this.bitmaps.store(this.#readRev3(order));
      case SecondaryOrderType.cacheGlyph: {
        const { cacheId, glyphs } = readCacheGlyph(order);
        for (const { cacheIndex, glyph } of glyphs) this.glyphs.store(cacheId, cacheIndex, glyph);
        return 0;
      }
      case SecondaryOrderType.cacheBrush: {
        const { cacheEntry, pattern } = readCacheBrush(order, depth);
        this.storeBrush(cacheEntry, pattern);
        return 0;
      }
      case SecondaryOrderType.cacheColorTable: {
        const { cacheIndex, colors } = readCacheColorTable(order);
        this.storeColorTable(cacheIndex, colors);
        return 0;
      }
      default:
        throw new DecodeError('orderType', `secondary order ${order.type} was not announced`, 0);
    }
  }

  #readRev3(order: SecondaryOrder): CacheBitmap {
    if (!this.#support.bitmapCacheRev3) throw new DecodeError('orderType', 'revision 3 was not announced', 0);
    const { codecId, ...bitmap } = readCacheBitmapRev3(order);
    if (codecId !== NO_CODEC) throw new DecodeError('codecID', `${codecId} is none that was announced`, 0);
    return { ...bitmap, compressed: false };
  }

  /** @throws DecodeError when there is no such entry */
  storeBrush(entry: number, pattern: BrushPattern): void {
    if (!this.#support.brushCache || entry >= BRUSHES) {
      throw new DecodeError('cacheEntry', `the brush cache has no entry ${entry}`, 0);
    }
    const { bitsPerPixel, data } = pattern;
    this.brushes.set(brushKey(entry, bitsPerPixel === 1), { bitsPerPixel, data: data.slice() });
  }

  /** @throws DecodeError when there is none */
  getBrush(entry: number, isMonochrome: boolean): BrushPattern {
    const brush = this.brushes.get(brushKey(entry, isMonochrome));
    if (brush === undefined) throw new DecodeError('brushHatch', `entry ${entry} of the brush cache is empty`, 0);
    return brush;
  }

  /** @throws DecodeError when there is no such entry */
  storeColorTable(index: number, colors: Uint32Array): void {
    if (index >= this.#support.colorTables) {
      throw new DecodeError('cacheIndex', `the colour table cache has no entry ${index}`, 0);
    }
    this.colorTables.set(index, colors);
  }
}

const brushKey = (entry: number, isMonochrome: boolean) => (isMonochrome ? entry : entry + BRUSHES);
