/** Paints what primary drawing orders say ([MS-RDPEGDI] 3.2.5.1.1.1). */
import { DecodeError } from '../bytes.ts';
import { OPAQUE, wideningTable } from '../codec/pixel.ts';
import type { BrushFields, DestinationFields, PrimaryFields } from '../order/primary-layouts.ts';
import type { OrderBounds, PrimaryOrder } from '../order/primary-order.ts';
import { type BltSource, bitBlt } from './blt.ts';
import { drawGlyph, placeGlyphs } from './glyph-run.ts';
import { drawLine, lineLength } from './line.ts';
import type { OrderCaches } from './order-caches.ts';
import { BrushStyle, type Pattern, patternOf } from './pattern.ts';
import { binary, RasterCode, ternary } from './raster-operation.ts';
import { intersect, type Rectangle, rectangle, union } from './rectangle.ts';
import { MAX_SCREEN_PIXELS, type Screen } from './screen.ts';

/**
 * Most pixels that the orders of one update may paint and decode: an order of a byte may ask for a whole screen, and an
 * update holds 65,535 of them.
 */
const MAX_PIXELS_AN_UPDATE = 8 * MAX_SCREEN_PIXELS;

/** What finding and placing a glyph costs besides its pixels, in pixels: an order of a byte may ask for thousands. */
const GLYPH_COST = 64;

const SOLID_PEN = 0;
const NO_PEN = 5;
const NOWHERE: Rectangle = { left: 0, top: 0, right: 0, bottom: 0 };

export class OrderPainter {
  readonly #screen: Screen;
  readonly #caches: OrderCaches;
  readonly #palette: Uint32Array;
  #depth = 32;
  #pixelsLeft = 0;

  /** @param palette RGBX words for sessions of 8 bits a pixel: read when something is painted */
  constructor(screen: Screen, caches: OrderCaches, palette: Uint32Array) {
    this.#screen = screen;
    this.#caches = caches;
    this.#palette = palette;
  }

  /**
   * Begins an update.
   * @param depth bits per pixel of the session: colours in orders are of it
   */
  begin(depth: number): void {
    this.#depth = depth;
    this.#pixelsLeft = MAX_PIXELS_AN_UPDATE;
  }

  /** Accounts for work. @throws DecodeError when the update has had its share */
  spend(pixels: number): void {
    this.#pixelsLeft -= pixels;
    if (this.#pixelsLeft < 0) throw new DecodeError('orders', `paint more than ${MAX_PIXELS_AN_UPDATE} pixels`, 0);
  }

  /**
   * Paints an order.
   * @returns a rectangle that holds all that changed, or null when nothing did
   * @throws DecodeError when it refers to what is not cached, or to an operation that it cannot have
   */
  paint(order: PrimaryOrder): Rectangle | null {
    const clip = clipOf(order.bounds, this.#screen);
    switch (order.kind) {
      case 'dstBlt':
      case 'patBlt':
        return this.#blt(order.fields, clip, null, order.kind === 'patBlt' ? order.fields : null);
      case 'scrBlt':
        return this.#blt(order.fields, clip, this.#screenFrom(order.fields), null);
      case 'memBlt':
        return this.#blt(order.fields, clip, this.#cached(order.fields), null);
      case 'mem3Blt':
        return this.#blt(order.fields, clip, this.#cached(order.fields), order.fields);
      case 'opaqueRect': {
        const { redOrPaletteIndex, green, blue } = order.fields;
        return this.#fill(targetOf(order.fields), clip, this.#word(redOrPaletteIndex | (green << 8) | (blue << 16)));
      }
      case 'lineTo':
        return this.#line(order.fields, clip);
      case 'glyphIndex':
        return this.#text(order.fields, clip);
    }
  }

  /** @throws DecodeError when the operation needs a source or a brush and the order has none */
  #blt(
    fields: PrimaryFields<'dstBlt'>,
    clip: Rectangle,
    source: BltSource | null,
    brush: BrushFields | null,
  ): Rectangle | null {
    const operation = ternary(fields.bRop);
    const { usesSource, usesPattern, code } = operation;
    if (usesSource && source === null) throw new DecodeError('bRop', `${code} needs a source`, 0);
    if (usesPattern && brush === null) throw new DecodeError('bRop', `${code} needs a brush`, 0);
    const target = targetOf(fields);
    this.#spendOn(target, clip);
    const pattern = usesPattern && brush !== null ? this.#pattern(brush) : 0;
    return bitBlt(this.#screen, target, clip, operation, source, pattern);
  }

  #fill(target: Rectangle, clip: Rectangle, color: number): Rectangle | null {
    this.#spendOn(target, clip);
    return bitBlt(this.#screen, target, clip, ternary(RasterCode.pattern), null, color);
  }

  #spendOn(target: Rectangle, clip: Rectangle): void {
    const area = intersect(target, clip);
    if (area !== null) this.spend((area.right - area.left) * (area.bottom - area.top));
  }

  #pattern(brush: BrushFields): Pattern {
    const cached = (entry: number, isMonochrome: boolean) => this.#caches.getBrush(entry, isMonochrome);
    return patternOf(brush, (color) => this.#word(color), this.#palette, cached);
  }

  #screenFrom({ nXSrc, nYSrc }: PrimaryFields<'scrBlt'>): BltSource {
    const { words, width, height } = this.#screen;
    return { words, width, height, left: nXSrc, top: nYSrc };
  }

  /** The bitmap that a MemBlt or Mem3Blt takes its pixels from. */
  #cached({ cacheId, cacheIndex, nXSrc, nYSrc }: PrimaryFields<'memBlt'> | PrimaryFields<'mem3Blt'>): BltSource {
    const { width, height, bitsPerPixel, words } = this.#caches.bitmaps.get(cacheId & 0xff, cacheIndex);
    const colors = this.#caches.colorTables.get(cacheId >> 8) ?? this.#palette;
    if (bitsPerPixel === 8) this.spend(words.length);
    const rgbx = bitsPerPixel === 8 ? words.map((index) => colors[index]) : words;
    return { words: rgbx, width, height, left: nXSrc, top: nYSrc };
  }

  #line(fields: PrimaryFields<'lineTo'>, clip: Rectangle): Rectangle | null {
    const { nXStart, nYStart, nXEnd, nYEnd, bRop2, penStyle, penColor } = fields;
    const operation = binary(bRop2);
    if (operation === null) throw new DecodeError('bRop2', `is ${bRop2}, wanted 1 to 16`, 0);
    if (penStyle === NO_PEN) return null;
    if (penStyle !== SOLID_PEN) throw new DecodeError('penStyle', `is ${penStyle}, wanted 0 (solid)`, 0);
    const [from, to] = [
      { x: nXStart, y: nYStart },
      { x: nXEnd, y: nYEnd },
    ];
    this.spend(lineLength(from, to));
    return drawLine(this.#screen, from, to, clip, operation, this.#word(penColor));
  }

  /** "Back" is the colour of the text in these orders, "fore" that of the rectangle behind it. */
  #text(fields: PrimaryFields<'glyphIndex'>, clip: Rectangle): Rectangle | null {
    const { opLeft, opTop, opRight, opBottom, bkLeft, bkTop, bkRight, bkBottom } = fields;
    if (fields.brushStyle !== BrushStyle.solid) {
      throw new DecodeError('brushStyle', `is ${fields.brushStyle}: text is painted in one colour`, 0);
    }
    let area: Rectangle | null = null;
    const extend = (more: Rectangle | null) => {
      if (more !== null) area = area === null ? more : union(area, more);
    };
    const opaque = { left: opLeft, top: opTop, right: opRight, bottom: opBottom };
    const background = { left: bkLeft, top: bkTop, right: bkRight, bottom: bkBottom };
    // A rectangle that is the text's own background is not sent a second time.
    const behind = opLeft < opRight && opTop < opBottom ? opaque : fields.fOpRedundant ? background : NOWHERE;
    extend(this.#fill(behind, clip, this.#word(fields.foreColor)));
    const color = this.#word(fields.backColor);
    for (const placed of placeGlyphs(fields, this.#caches.glyphs)) {
      this.spend(GLYPH_COST + placed.glyph.width * placed.glyph.height);
      extend(drawGlyph(this.#screen, placed, clip, color));
    }
    return area;
  }

  /** RGBX of an order's colour. */
  #word(color: number): number {
    if (this.#depth === 8) return this.#palette[color & 0xff];
    if (this.#depth === 15 || this.#depth === 16) return wideningTable(this.#depth)[color & 0xffff];
    return OPAQUE | color;
  }
}

function clipOf(bounds: OrderBounds | null, screen: Screen): Rectangle {
  if (bounds === null) return screen.bounds;
  const { left, top, right, bottom } = bounds;
  return intersect({ left, top, right: right + 1, bottom: bottom + 1 }, screen.bounds) ?? NOWHERE;
}

const targetOf = ({ nLeftRect, nTopRect, nWidth, nHeight }: DestinationFields) =>
  rectangle(nLeftRect, nTopRect, nWidth, nHeight);
