/** Reads text off a screen that was written with our own font: what a person would see, without knowing what was sent. */
import { FONT_HEIGHT, FONT_WIDTH, glyphOf } from '#rdp/graphics/font.ts';
import type { Screen } from '#rdp/graphics/screen.ts';
import { inkColor } from './scene.ts';
import { layOut, type TextGrid } from './scene-layout.ts';

const characters = new Map<string, string>();
for (const code of [...Array(0xff - 0x1f).keys()].map((i) => 0xff - i)) {
  if (code >= 0x7f && code <= 0x9f) continue;
  characters.set(glyphOf(code).join(), String.fromCharCode(code));
}
// the no-break space looks like a space
characters.set(glyphOf(0x20).join(), ' ');

/** Greatest difference of a channel to the text's colour: what 5-6-5 takes away, and a little more. */
const tolerance = 12;

/** The lines of a grid of cells, without trailing spaces; a cell that holds no character of ours reads as U+FFFD. */
export function readText(screen: Screen, grid: TextGrid, color: number): string[] {
  const lines = Array.from({ length: grid.rows }, (_, row) => readLine(screen, grid, row, color).trimEnd());
  while (lines.length > 0 && lines[lines.length - 1] === '') lines.pop();
  return lines;
}

/** What the text pad of the demo desktop shows, its lines joined by line feeds. */
export function readPad(screen: Screen): string {
  return readText(screen, layOut(screen.width, screen.height).padText, inkColor).join('\n');
}

function readLine(screen: Screen, grid: TextGrid, row: number, color: number): string {
  const cells = Array.from({ length: grid.columns }, (_, column) => readCell(screen, grid, row, column, color));
  return cells.join('');
}

function readCell(screen: Screen, grid: TextGrid, row: number, column: number, color: number): string {
  const { left, top, scale, lineHeight } = grid;
  const glyph = new Uint8Array(FONT_HEIGHT);
  for (let y = 0; y < FONT_HEIGHT; y++)
    for (let x = 0; x < FONT_WIDTH; x++) {
      const atX = left + (column * FONT_WIDTH + x) * scale;
      const atY = top + row * lineHeight + y * scale;
      if (isNear(screen.words[atY * screen.width + atX], color)) glyph[y] |= 0x80 >> x;
    }
  return characters.get(glyph.join()) ?? '\ufffd';
}

function isNear(word: number, color: number): boolean {
  return [0, 8, 16].every((shift) => Math.abs(((word >>> shift) & 0xff) - ((color >>> shift) & 0xff)) <= tolerance);
}
