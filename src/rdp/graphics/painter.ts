/** Paints on a screen: for desktops of our own and for what the gateway says in words. Colours are words of `rgbx`. */
import { FONT_HEIGHT, FONT_WIDTH, glyphOf } from './font.ts';
import { intersect, type Rectangle, rectangle } from './rectangle.ts';
import type { Screen } from './screen.ts';

/** Each function returns what it painted, clipped to the screen, or null when that is nothing. */
export type Painted = Rectangle | null;

/** Fills a rectangle. */
export function fill(screen: Screen, area: Rectangle, color: number): Painted {
  const clipped = intersect(area, screen.bounds);
  if (clipped === null) return null;
  for (let y = clipped.top; y < clipped.bottom; y++) {
    screen.words.fill(color, y * screen.width + clipped.left, y * screen.width + clipped.right);
  }
  return clipped;
}

/** Draws the outline of a rectangle, `thickness` pixels wide, on its inside. */
export function frame(screen: Screen, area: Rectangle, color: number, thickness = 1): Painted {
  const { left, top, right, bottom } = area;
  fill(screen, { left, top, right, bottom: top + thickness }, color);
  fill(screen, { left, top: bottom - thickness, right, bottom }, color);
  fill(screen, { left, top, right: left + thickness, bottom }, color);
  fill(screen, { left: right - thickness, top, right, bottom }, color);
  return intersect(area, screen.bounds);
}

/** Pixels from the top left corner that a line of text takes. */
export function measureText(text: string, scale = 1): { width: number; height: number } {
  return { width: text.length * FONT_WIDTH * scale, height: FONT_HEIGHT * scale };
}

/**
 * Writes one line of text; its background stays.
 *
 * @param left of the first character's cell
 * @param top of the cells
 * @param text Latin-1; other characters show as question marks
 * @param scale size of a font pixel in screen pixels, a whole number
 */
export function drawText(screen: Screen, left: number, top: number, text: string, color: number, scale = 1): Painted {
  for (let i = 0; i < text.length; i++) {
    const glyph = glyphOf(text.charCodeAt(i));
    const x = left + i * FONT_WIDTH * scale;
    for (let row = 0; row < FONT_HEIGHT; row++) {
      for (let bits = glyph[row], column = 0; bits !== 0; bits = (bits << 1) & 0xff, column++) {
        if (bits & 0x80) fill(screen, rectangle(x + column * scale, top + row * scale, scale, scale), color);
      }
    }
  }
  const { width, height } = measureText(text, scale);
  return intersect(rectangle(left, top, width, height), screen.bounds);
}

/** Breaks text into lines of at most `columns` characters, at spaces where it can, and at each line feed. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (let word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > columns) {
        lines.push(line);
        line = '';
      }
      for (; word.length > columns; word = word.slice(columns)) lines.push(word.slice(0, columns));
      line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}
