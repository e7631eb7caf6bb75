/** Shapes with smooth edges, blended over what is on the screen. Colours are words of `rgbx`; alpha is 0 to 1. */
import { intersect, type Rectangle, rectangle } from '#rdp/graphics/rectangle.ts';
import type { Screen } from '#rdp/graphics/screen.ts';

/** A colour between two: `amount` 0 gives `from`, 1 gives `to`. */
export function mix(from: number, to: number, amount: number): number {
  const channel = (shift: number) => {
    const low = (from >>> shift) & 0xff;
    return Math.round(low + (((to >>> shift) & 0xff) - low) * amount) << shift;
  };
  return (0xff000000 | channel(16) | channel(8) | channel(0)) >>> 0;
}

/** Fills with a gradient from top to bottom. */
export function fillGradient(screen: Screen, top: number, bottom: number): void {
  for (let y = 0; y < screen.height; y++)
    screen.words.fill(mix(top, bottom, y / screen.height), y * screen.width, (y + 1) * screen.width);
}

/** Fills a rectangle with round corners. */
export function fillRounded(screen: Screen, area: Rectangle, radius: number, color: number, alpha = 1): void {
  const { left, top, right, bottom } = area;
  // the distance to a rectangle that is smaller by the radius all around
  blend(screen, area, color, alpha, (x, y) => {
    const dx = Math.max(left + radius - x, x - (right - radius), 0);
    const dy = Math.max(top + radius - y, y - (bottom - radius), 0);
    return radius - Math.hypot(dx, dy);
  });
}

/** Fills a circle. */
export function fillDisc(screen: Screen, x: number, y: number, radius: number, color: number, alpha = 1): void {
  blend(screen, around(x, y, radius), color, alpha, (px, py) => radius - Math.hypot(px - x, py - y));
}

/** Draws a circle as a line of the given width. */
export function drawRing(screen: Screen, x: number, y: number, radius: number, width: number, color: number): void {
  blend(screen, around(x, y, radius + width), color, 1, (px, py) => {
    return width / 2 - Math.abs(Math.hypot(px - x, py - y) - radius);
  });
}

function around(x: number, y: number, radius: number): Rectangle {
  const size = 2 * Math.ceil(radius) + 2;
  return rectangle(Math.floor(x - radius) - 1, Math.floor(y - radius) - 1, size, size);
}

/** Blends a colour over an area; `inside` gives how many pixels a point lies within the shape's edge. */
function blend(
  screen: Screen,
  area: Rectangle,
  color: number,
  alpha: number,
  inside: (x: number, y: number) => number,
): void {
  const clipped = intersect(area, screen.bounds);
  if (!clipped) return;
  const { words, width } = screen;
  for (let y = clipped.top; y < clipped.bottom; y++)
    for (let x = clipped.left; x < clipped.right; x++) {
      const coverage = alpha * Math.min(1, Math.max(0, inside(x + 0.5, y + 0.5) + 0.5));
      if (coverage > 0) words[y * width + x] = mix(words[y * width + x], color, coverage);
    }
}
