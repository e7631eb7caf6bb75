/** Bit-block transfers: rectangles of the screen painted by a raster operation. */
import { OPAQUE } from '../codec/pixel.ts';
import type { Pattern } from './pattern.ts';
import { combine, RasterCode, type RasterOperation } from './raster-operation.ts';
import { intersect, type Rectangle, rectangle } from './rectangle.ts';
import type { Screen } from './screen.ts';

/** Where a transfer takes its source from. */
export interface BltSource {
  /** RGBX, `width` to a row, rows from the top. */
  readonly words: Uint32Array;
  readonly width: number;
  readonly height: number;
  /** The pixel that goes to the destination's top left corner. */
  readonly left: number;
  readonly top: number;
}

/** Pixels from which on a row is copied by the engine. */
const LONG_ROW = 200;

/**
 * Paints a rectangle.
 *
 * @param target may lie anywhere; of no extent when right or bottom do not exceed left or top
 * @param clip within the screen
 * @param source needed when the operation uses it; where it has no pixels, nothing is painted
 * @param pattern needed when the operation uses it; else of no consequence
 * @returns what was painted, or null when nothing was
 */
export function bitBlt(
  screen: Screen,
  target: Rectangle,
  clip: Rectangle,
  operation: RasterOperation,
  source: BltSource | null,
  pattern: Pattern,
): Rectangle | null {
  let area = intersect(target, clip);
  if (area !== null && operation.usesSource && source !== null) {
    const { left, top, width, height } = source;
    area = intersect(area, rectangle(target.left - left, target.top - top, width, height));
  }
  if (area === null || operation.code === RasterCode.destination) return area;
  const from = operation.usesSource ? source : null;
  const brush = operation.usesPattern ? pattern : 0;
  if (operation.code === RasterCode.source && from !== null) copy(screen, area, target, from);
  else if (!operation.usesDestination && from === null && typeof brush !== 'object') {
    fill(screen, area, OPAQUE | combine(operation, 0, 0, brush));
  } else mix(screen, area, target, operation, from, brush);
  return area;
}

function fill(screen: Screen, area: Rectangle, word: number): void {
  const { words, width } = screen;
  for (let y = area.top; y < area.bottom; y++) words.fill(word, y * width + area.left, y * width + area.right);
}

function copy(screen: Screen, area: Rectangle, target: Rectangle, source: BltSource): void {
  const { words, width } = screen;
  const columns = area.right - area.left;
  const rows = area.bottom - area.top;
  const fromLeft = area.left - target.left + source.left;
  const fromTop = area.top - target.top + source.top;
  const isScreen = source.words === words;
  // Upwards or downwards, so that rows of the screen itself are read before they are painted.
  const isUpwards = isScreen && fromTop < area.top;
  for (let i = 0; i < rows; i++) {
    const row = isUpwards ? rows - 1 - i : i;
    const from = (fromTop + row) * source.width + fromLeft;
    const to = (area.top + row) * width + area.left;
    if (isScreen) words.copyWithin(to, from, from + columns);
    // A view costs more than copying a short row by hand.
    else if (columns < LONG_ROW) for (let x = 0; x < columns; x++) words[to + x] = source.words[from + x];
    else words.set(source.words.subarray(from, from + columns), to);
  }
}

function mix(
  screen: Screen,
  area: Rectangle,
  target: Rectangle,
  operation: RasterOperation,
  source: BltSource | null,
  pattern: Pattern,
): void {
  const { words, width } = screen;
  const from = source?.words === words ? snapshot(source, area, target) : source;
  const tile = typeof pattern === 'object' ? pattern : null;
  let brush = typeof pattern === 'number' ? pattern : 0;
  const [one, d, s, sd, p, pd, ps, psd] = operation.terms;
  for (let y = area.top; y < area.bottom; y++) {
    let fromAt = from === null ? 0 : (y - target.top + from.top) * from.width + area.left - target.left + from.left;
    const tileRow = tile === null ? 0 : ((y - tile.originY) & 7) << 3;
    for (let x = area.left, at = y * width + area.left; x < area.right; x++, at++) {
      const destination = words[at];
      const color = from === null ? 0 : from.words[fromAt++];
      if (tile !== null) brush = tile.words[tileRow | ((x - tile.originX) & 7)];
      words[at] =
        OPAQUE |
        (one ^
          (d & destination) ^
          (s & color) ^
          (sd & color & destination) ^
          (p & brush) ^
          (pd & brush & destination) ^
          (ps & brush & color) ^
          (psd & brush & color & destination));
    }
  }
}

/** The part of the screen that is read, as it is before it is painted. */
function snapshot(source: BltSource, area: Rectangle, target: Rectangle): BltSource {
  const width = area.right - area.left;
  const height = area.bottom - area.top;
  const left = area.left - target.left;
  const top = area.top - target.top;
  const words = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = (source.top + top + y) * source.width + source.left + left;
    words.set(source.words.subarray(from, from + width), y * width);
  }
  return { words, width, height, left: -left, top: -top };
}
