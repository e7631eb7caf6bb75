/** Straight lines, one pixel wide. */
import { OPAQUE } from '../codec/pixel.ts';
import { combine, type RasterOperation } from './raster-operation.ts';
import { intersect, type Rectangle } from './rectangle.ts';
import type { Screen } from './screen.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Pixels that a line has, clipped or not. */
export function lineLength(from: Point, to: Point): number {
  return Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
}

/**
 * Draws from a point up to another, which is left out ([MS-RDPEGDI] 2.2.2.2.1.1.2.11), by Bresenham's algorithm.
 *
 * @param clip within the screen
 * @param pen RGBX: the operation's pattern
 * @returns the rectangle that holds the line, or null when none of that may be painted
 */
export function drawLine(
  screen: Screen,
  from: Point,
  to: Point,
  clip: Rectangle,
  operation: RasterOperation,
  pen: number,
): Rectangle | null {
  const box = {
    left: Math.min(from.x, to.x),
    top: Math.min(from.y, to.y),
    right: Math.max(from.x, to.x) + 1,
    bottom: Math.max(from.y, to.y) + 1,
  };
  const area = intersect(box, clip);
  if (area === null) return null;
  const [dx, dy] = [Math.abs(to.x - from.x), Math.abs(to.y - from.y)];
  const [stepX, stepY] = [Math.sign(to.x - from.x), Math.sign(to.y - from.y)];
  const { words, width } = screen;
  let { x, y } = from;
  for (let error = dx - dy, left = Math.max(dx, dy); left > 0; left--) {
    if (x >= area.left && x < area.right && y >= area.top && y < area.bottom) {
      const at = y * width + x;
      words[at] = OPAQUE | combine(operation, words[at], 0, pen);
    }
    const twice = 2 * error;
    if (twice > -dy) {
      error -= dy;
      x += stepX;
    }
    if (twice < dx) {
      error += dx;
      y += stepY;
    }
  }
  return area;
}
