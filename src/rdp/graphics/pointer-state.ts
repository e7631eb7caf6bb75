/** What the server last said about the mouse pointer: shape, cache, place. */
import { DecodeError } from '../bytes.ts';
import type { PointerUpdate } from '../pdu/pointer-update.ts';
import { DEFAULT_POINTER, type PointerImage, readPointerImage } from './pointer-image.ts';

/** Slots of the cache, and most pixels in all of them together: clients announce far fewer. */
const MAX_SLOTS = 256;
const MAX_CACHED_PIXELS = 4 * 1024 * 1024;

/** What the pointer shows: nothing, the system's own, or the shape in a slot of the cache. */
export type PointerShown = 'hidden' | 'default' | number;

export class PointerState {
  #shown: PointerShown = 'default';
  #cachedPixels = 0;
  readonly #cache = new Map<number, PointerImage>();
  #position: { readonly x: number; readonly y: number } | null = null;

  get shown(): PointerShown {
    return this.#shown;
  }

  /** Where the server put the pointer last, or null when it never did: clients move it themselves. */
  get position(): { readonly x: number; readonly y: number } | null {
    return this.#position;
  }

  /** The picture to draw, or null when the pointer is hidden. */
  get image(): PointerImage | null {
    if (this.#shown === 'hidden') return null;
    return this.#shown === 'default' ? DEFAULT_POINTER : (this.#cache.get(this.#shown) ?? DEFAULT_POINTER);
  }

  /** The cache's slots in use. */
  entries(): Iterable<[number, PointerImage]> {
    return this.#cache.entries();
  }

  /**
   * Applies an update.
   * @param palette RGBX words for shapes that need it
   * @throws DecodeError when a shape cannot be read, or the cache cannot hold what the server wants of it
   */
  apply(update: PointerUpdate, palette: Uint32Array): void {
    switch (update.kind) {
      case 'hidden':
      case 'default':
        this.#shown = update.kind;
        break;
      case 'position':
        this.#position = { x: update.x, y: update.y };
        break;
      case 'cached':
        if (!this.#cache.has(update.cacheIndex)) {
          throw new DecodeError('cacheIndex', `slot ${update.cacheIndex} is empty`, 0);
        }
        this.#shown = update.cacheIndex;
        break;
      case 'shape':
        this.store(update.cacheIndex, readPointerImage(update, palette));
        this.#shown = update.cacheIndex;
        break;
    }
  }

  /**
   * Puts a shape into a slot.
   * @throws DecodeError when the slot is out of range or the cache full
   */
  store(slot: number, image: PointerImage): void {
    if (slot >= MAX_SLOTS) throw new DecodeError('cacheIndex', `is ${slot}, at most ${MAX_SLOTS - 1}`, 0);
    const freed = this.#cache.get(slot)?.words.length ?? 0;
    const pixels = this.#cachedPixels - freed + image.words.length;
    if (pixels > MAX_CACHED_PIXELS) throw new DecodeError('pointer cache', `would hold ${pixels} pixels`, 0);
    this.#cachedPixels = pixels;
    this.#cache.set(slot, image);
  }

  /** Takes over what `screen-state.ts` read back. */
  restore(shown: PointerShown, position: { x: number; y: number } | null): void {
    this.#shown = shown;
    this.#position = position;
  }
}
