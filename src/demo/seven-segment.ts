/** Digits of seven segments, for the clock. */
import { rectangle } from '#rdp/graphics/rectangle.ts';
import type { Screen } from '#rdp/graphics/screen.ts';
import { fillDisc, fillRounded } from './shapes.ts';

/** Segments of each digit: bit 0 top, then clockwise, bit 6 middle. */
const segments = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];

export interface DigitStyle {
  /** Pixels of one digit. */
  width: number;
  height: number;
  /** Width of a segment. */
  stroke: number;
  lit: number;
  unlit: number;
}

const gapOf = (style: DigitStyle) => Math.round(style.width * 0.35);
const colonWidthOf = (style: DigitStyle) => style.stroke + gapOf(style);

/** Pixels that a text takes. */
export function measureSegments(text: string, style: DigitStyle): number {
  const widths = Array.from(text, (c) => (c === ':' ? colonWidthOf(style) : style.width + gapOf(style)));
  return widths.reduce((sum, width) => sum + width, 0) - gapOf(style);
}

/** Draws digits and colons; other characters leave a gap. */
export function drawSegments(screen: Screen, left: number, top: number, text: string, style: DigitStyle): void {
  let x = left;
  for (const character of text) {
    if (character === ':') {
      const centre = x + style.stroke / 2;
      fillDisc(screen, centre, top + style.height * 0.32, style.stroke * 0.55, style.lit);
      fillDisc(screen, centre, top + style.height * 0.68, style.stroke * 0.55, style.lit);
      x += colonWidthOf(style);
    } else {
      drawDigit(screen, x, top, segments[Number(character)] ?? 0, style);
      x += style.width + gapOf(style);
    }
  }
}

function drawDigit(screen: Screen, left: number, top: number, bits: number, style: DigitStyle): void {
  const { width, height, stroke } = style;
  const half = Math.round((height - stroke) / 2);
  const inset = Math.round(stroke / 2) + 1;
  const horizontal = (y: number) => rectangle(left + inset, top + y, width - 2 * inset, stroke);
  const vertical = (x: number, y: number) => rectangle(left + x, top + y + inset, stroke, half - inset + stroke / 2);
  const areas = [
    horizontal(0),
    vertical(width - stroke, 0),
    vertical(width - stroke, half),
    horizontal(height - stroke),
    vertical(0, half),
    vertical(0, 0),
    horizontal(half),
  ];
  areas.forEach((area, i) => {
    fillRounded(screen, area, stroke / 2, (bits >> i) & 1 ? style.lit : style.unlit);
  });
}
