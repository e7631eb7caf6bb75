/** The bitmap caches that MemBlt and Mem3Blt take their source from ([MS-RDPEGDI] 3.1.1.1.1). */
import { DecodeError } from '../bytes.ts';
import type { BitmapDecoder, EncodedBitmap } from '../codec/bitmap-decoder.ts';
import { type CacheBitmap, WAITING_LIST } from '../order/cache-bitmap.ts';
import type { CellCache } from '../order/order-support.ts';

/**
 * A cached bitmap, as it came and as pixels. The first is what the decoder's state holds: a fraction of the pixels, and
 * the same bytes from keyframe to keyframe.
 */
export interface CachedBitmap extends EncodedBitmap {
  /**
   * Rows from the top: RGBX, or palette indices at 8 bits a pixel, where MemBlt chooses the colours. Null until they are
   * wanted.
   */
  words: Uint32Array | null;
}

/** Words of a cached bitmap of 8 bits a pixel are its indices. */
const INDICES = Uint32Array.from({ length: 256 }, (_, i) => i);
/** Encoded, a pixel takes five bytes at the very most, and a stream some more. */
const MAX_BYTES_PER_PIXEL = 5;
const MAX_EXTRA_BYTES = 64;

export class BitmapCache {
  readonly #layout: readonly CellCache[];
  readonly #decoder: BitmapDecoder;
  readonly #caches: Map<number, CachedBitmap>[];

  constructor(layout: readonly CellCache[], decoder: BitmapDecoder) {
    this.#layout = layout;
    this.#decoder = decoder;
    this.#caches = layout.map(() => new Map());
  }

  /**
   * Decodes a bitmap and puts it into its place.
   * @returns the pixels that were decoded
   * @throws DecodeError when there is no such place, the bitmap is too large for it, or cannot be decoded
   */
  store(bitmap: CacheBitmap): number {
    this.restore(bitmap);
    return this.get(bitmap.cacheId, bitmap.cacheIndex).words.length;
  }

  /**
   * Puts a bitmap into its place, to be decoded when it is wanted.
   * @throws DecodeError when there is no such place, or the bitmap is too large for it
   */
  restore({ cacheId, cacheIndex, ...bitmap }: CacheBitmap): void {
    const { entries, size } = this.#layout[cacheId] ?? { entries: 0, size: 0 };
    if (cacheIndex >= entries && (cacheIndex !== WAITING_LIST || entries === 0)) {
      throw new DecodeError('cacheIndex', `bitmap cache ${cacheId} has no entry ${cacheIndex}`, 0);
    }
    const { width, height, data } = bitmap;
    if (width * height > size || data.length > size * MAX_BYTES_PER_PIXEL + MAX_EXTRA_BYTES) {
      throw new DecodeError('bitmap', `${width} x ${height} exceed ${size} pixels`, 0);
    }
    this.#caches[cacheId].set(cacheIndex, { ...bitmap, data: data.slice(), words: null });
  }

  /** @throws DecodeError when there is none at that place, or it cannot be decoded */
  get(cacheId: number, cacheIndex: number): CachedBitmap & { words: Uint32Array } {
    const bitmap = this.#caches[cacheId]?.get(cacheIndex);
    if (bitmap === undefined) {
      throw new DecodeError('cacheIndex', `entry ${cacheIndex} of bitmap cache ${cacheId} is empty`, 0);
    }
    bitmap.words ??= this.#decode(bitmap);
    return bitmap as CachedBitmap & { words: Uint32Array };
  }

  /** All bitmaps with their places. */
  *entries(): Generator<CacheBitmap> {
    for (const [cacheId, cache] of this.#caches.entries()) {
      for (const [cacheIndex, { words: _, ...bitmap }] of cache) yield { cacheId, cacheIndex, ...bitmap };
    }
  }

  #decode(bitmap: EncodedBitmap): Uint32Array {
    const { width, height } = bitmap;
    const bottomUp = this.#decoder.decode(bitmap, INDICES);
    const words = new Uint32Array(width * height);
    for (let y = 0; y < height; y++) {
      words.set(bottomUp.subarray((height - 1 - y) * width, (height - y) * width), y * width);
    }
    return words;
  }
}
