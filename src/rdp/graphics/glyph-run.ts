/** Lines of text: which glyphs stand where, and their pixels ([MS-RDPEGDI] 2.2.2.2.1.1.2.13, 3.2.5.1.1.1.13). */
import { DecodeError } from '../bytes.ts';
import type { Glyph } from '../order/cache-glyph.ts';
import type { PrimaryFields } from '../order/primary-layouts.ts';
import type { GlyphCache } from './glyph-cache.ts';
import { intersect, type Rectangle, rectangle } from './rectangle.ts';
import type { Screen } from './screen.ts';

export interface PlacedGlyph {
  readonly glyph: Glyph;
  /** Its top left pixel. */
  readonly left: number;
  readonly top: number;
}

/** flAccel. */
const VERTICAL = 0x04;
const ADVANCE_IS_GLYPH_SIZE = 0x20;

const USE_FRAGMENT = 0xfe;
const ADD_FRAGMENT = 0xff;
/** The first byte of an advance whose two bytes follow. */
const LONG_ADVANCE = 0x80;

/**
 * Where the glyphs of an order stand. Fragments that the order adds are put into the cache on the way.
 * @throws DecodeError when a glyph or a fragment is not cached, or the order cut short
 */
export function* placeGlyphs(
  order: Pick<PrimaryFields<'glyphIndex'>, 'cacheId' | 'flAccel' | 'ulCharInc' | 'x' | 'y' | 'variableBytes'>,
  cache: GlyphCache,
): Generator<PlacedGlyph, void, void> {
  yield* new GlyphRun(order, cache).place(order.variableBytes);
}

class GlyphRun {
  readonly #order: Parameters<typeof placeGlyphs>[0];
  readonly #cache: GlyphCache;
  readonly #isVertical: boolean;
  /** Whether each glyph's index is followed by its distance from the glyph before. */
  readonly #hasAdvances: boolean;
  #x: number;
  #y: number;

  constructor(order: Parameters<typeof placeGlyphs>[0], cache: GlyphCache) {
    this.#order = order;
    this.#cache = cache;
    this.#isVertical = (order.flAccel & VERTICAL) !== 0;
    this.#hasAdvances = order.ulCharInc === 0 && (order.flAccel & ADVANCE_IS_GLYPH_SIZE) === 0;
    this.#x = order.x;
    this.#y = order.y;
  }

  *place(bytes: Uint8Array): Generator<PlacedGlyph, void, void> {
    for (let at = 0; at < bytes.length; ) {
      const index = bytes[at++];
      if (index === ADD_FRAGMENT) {
        const size = this.#byte(bytes, at + 1);
        const end = at - 1;
        if (size > end) throw new DecodeError('fragment', `of ${size} bytes after ${end}`, at);
        this.#cache.storeFragment(this.#byte(bytes, at), bytes.subarray(end - size, end));
        at += 2;
      } else if (index === USE_FRAGMENT) {
        const fragment = this.#cache.getFragment(this.#byte(bytes, at++));
        // The fragment's own first advance is from a glyph of another time.
        if (this.#hasAdvances && at < bytes.length) at = this.#advance(bytes, at);
        yield* this.#placeFragment(fragment);
      } else {
        if (this.#hasAdvances) at = this.#advance(bytes, at);
        yield this.#glyph(index);
      }
    }
  }

  *#placeFragment(fragment: Uint8Array): Generator<PlacedGlyph, void, void> {
    for (let at = 0; at < fragment.length; ) {
      const isFirst = at === 0;
      const index = fragment[at++];
      if (this.#hasAdvances) at = isFirst ? this.#skipAdvance(fragment, at) : this.#advance(fragment, at);
      yield this.#glyph(index);
    }
  }

  #glyph(index: number): PlacedGlyph {
    const { cacheId, ulCharInc } = this.#order;
    const glyph = this.#cache.get(cacheId, index);
    const placed = { glyph, left: this.#x + glyph.x, top: this.#y + glyph.y };
    if (!this.#hasAdvances) {
      const size = this.#isVertical ? glyph.height : glyph.width;
      this.#move(this.#order.flAccel & ADVANCE_IS_GLYPH_SIZE ? size : ulCharInc);
    }
    return placed;
  }

  /** @returns the offset after the advance */
  #advance(bytes: Uint8Array, at: number): number {
    const first = this.#byte(bytes, at);
    this.#move(first & LONG_ADVANCE ? this.#byte(bytes, at + 1) | (this.#byte(bytes, at + 2) << 8) : first);
    return this.#skipAdvance(bytes, at);
  }

  #skipAdvance(bytes: Uint8Array, at: number): number {
    return at + (this.#byte(bytes, at) & LONG_ADVANCE ? 3 : 1);
  }

  #move(distance: number): void {
    if (this.#isVertical) this.#y += distance;
    else this.#x += distance;
  }

  #byte(bytes: Uint8Array, at: number): number {
    if (at >= bytes.length) throw new DecodeError('variableBytes', 'ends within a glyph', at);
    return bytes[at];
  }
}

/**
 * Paints a glyph's set pixels; the others stay.
 * @param clip within the screen
 * @returns the rectangle that holds what was painted, or null when nothing was
 */
export function drawGlyph(
  screen: Screen,
  { glyph, left, top }: PlacedGlyph,
  clip: Rectangle,
  color: number,
): Rectangle | null {
  const area = intersect(rectangle(left, top, glyph.width, glyph.height), clip);
  if (area === null) return null;
  const pitch = (glyph.width + 7) >> 3;
  for (let y = area.top; y < area.bottom; y++) {
    const row = (y - top) * pitch;
    for (let x = area.left; x < area.right; x++) {
      const column = x - left;
      if (glyph.bits[row + (column >> 3)] & (0x80 >> (column & 7))) screen.words[y * screen.width + x] = color;
    }
  }
  return area;
}
