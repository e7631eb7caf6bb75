/** The glyph caches, and the fragment cache of runs of glyphs ([MS-RDPEGDI] 3.1.1.1.2). */
import { DecodeError } from '../bytes.ts';
import type { Glyph } from '../order/cache-glyph.ts';
import type { CellCache } from '../order/order-support.ts';

export class GlyphCache {
  readonly #layout: readonly CellCache[];
  readonly #fragmentLayout: CellCache;
  readonly #caches: Map<number, Glyph>[];
  readonly #fragments = new Map<number, Uint8Array>();

  constructor(layout: readonly CellCache[], fragmentLayout: CellCache) {
    this.#layout = layout;
    this.#fragmentLayout = fragmentLayout;
    this.#caches = layout.map(() => new Map());
  }

  /** @throws DecodeError when there is no such place, or the glyph is too large for it */
  store(cacheId: number, cacheIndex: number, glyph: Glyph): void {
    const { entries, size } = this.#layout[cacheId] ?? { entries: 0, size: 0 };
    if (cacheIndex >= entries) {
      throw new DecodeError('cacheIndex', `glyph cache ${cacheId} has no entry ${cacheIndex}`, 0);
    }
    if (glyph.bits.length > size) throw new DecodeError('glyph', `has ${glyph.bits.length} bytes, at most ${size}`, 0);
    this.#caches[cacheId].set(cacheIndex, { ...glyph, bits: glyph.bits.slice() });
  }

  /** @throws DecodeError when there is none at that place */
  get(cacheId: number, cacheIndex: number): Glyph {
    const glyph = this.#caches[cacheId]?.get(cacheIndex);
    if (glyph === undefined) {
      throw new DecodeError('cacheIndex', `entry ${cacheIndex} of glyph cache ${cacheId} is empty`, 0);
    }
    return glyph;
  }

  /**
   * @param fragment indices and advances, as in a GlyphIndex order
   * @throws DecodeError when there is no such place, or the fragment is too long for it
   */
  storeFragment(index: number, fragment: Uint8Array): void {
    const { entries, size } = this.#fragmentLayout;
    if (index >= entries || fragment.length > size) {
      throw new DecodeError('fragment', `${fragment.length} bytes at ${index}: ${entries} of ${size} bytes`, 0);
    }
    this.#fragments.set(index, fragment.slice());
  }

  /** @throws DecodeError when there is none at that place */
  getFragment(index: number): Uint8Array {
    const fragment = this.#fragments.get(index);
    if (fragment === undefined) throw new DecodeError('fragment', `entry ${index} is empty`, 0);
    return fragment;
  }

  /** All glyphs with their places. */
  *glyphs(): Generator<{ cacheId: number; cacheIndex: number; glyph: Glyph }> {
    for (const [cacheId, cache] of this.#caches.entries()) {
      for (const [cacheIndex, glyph] of cache) yield { cacheId, cacheIndex, glyph };
    }
  }

  /** All fragments with their places. */
  fragments(): Iterable<[number, Uint8Array]> {
    return this.#fragments.entries();
  }
}
