/** What the gateway says in words: painted, since RDP's error codes carry none. */
import { encodeBitmap } from '#rdp/codec/bitmap-encoder.ts';
import { RGB332_PALETTE } from '#rdp/codec/pack-pixels.ts';
import { type BitsPerPixel, rgbx } from '#rdp/codec/pixel.ts';
import { drawText, fill, measureText, wrapText } from '#rdp/graphics/painter.ts';
import { Screen } from '#rdp/graphics/screen.ts';
import { BitmapFlag, writeBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import { writePaletteUpdate } from '#rdp/pdu/palette-update.ts';

export interface Notice {
  title: string;
  text: string;
  /** The last line; how to close the notice unless given, none where it is empty. */
  hint?: string;
}

const BACKGROUND = rgbx(0x1f, 0x2a, 0x36);
const TITLE = rgbx(0xff, 0xff, 0xff);
const TEXT = rgbx(0xc9, 0xd3, 0xdd);
const HINT = rgbx(0x8a, 0x99, 0xa8);
const HINT_TEXT = 'Press a key or click to close.';
/** Characters in a line, where the screen has room. */
const MAX_COLUMNS = 64;
/** Side of the squares that the picture is cut into: uncompressed at 32 bits, one still nearly fills an MCS PDU. */
const TILE = 64;

/** Paints a title, text and how to go on, centred on a calm background. */
export function paintNotice(width: number, height: number, notice: Notice): Screen {
  const screen = new Screen(width, height);
  fill(screen, screen.bounds, BACKGROUND);
  const scale = width >= 960 ? 2 : 1;
  const cell = measureText(' ', scale);
  const columns = Math.max(8, Math.min(MAX_COLUMNS, Math.floor(width / cell.width) - 4));
  const lines = [
    ...wrapText(notice.title, columns).map((text) => ({ text, color: TITLE })),
    { text: '', color: TEXT },
    ...wrapText(notice.text, columns).map((text) => ({ text, color: TEXT })),
    { text: '', color: TEXT },
    { text: notice.hint ?? HINT_TEXT, color: HINT },
  ];
  const pitch = Math.round(cell.height * 1.5);
  let top = Math.max(0, Math.floor((height - lines.length * pitch) / 2));
  for (const { text, color } of lines) {
    const left = Math.max(0, Math.floor((width - measureText(text, scale).width) / 2));
    drawText(screen, left, top, text, color, scale);
    top += pitch;
  }
  return screen;
}

/**
 * Cuts a picture into slow-path updates, one rectangle each: some clients lose all but the first.
 *
 * @param depth bits per pixel of the share
 * @returns bodies of share data PDUs of type update, each small enough for one MCS PDU
 */
export function toUpdates(screen: Screen, depth: BitsPerPixel): Uint8Array[] {
  const { words, width, height } = screen;
  const updates: Uint8Array[] = [];
  if (depth === 8) updates.push(writePaletteUpdate(paletteBytes(RGB332_PALETTE)));
  const flags = BitmapFlag.compressed | BitmapFlag.noCompressionHeader;
  /** Squares of background by their size: nearly all are, and each size is encoded once. */
  const blank = new Map<string, Uint8Array>();
  for (let top = 0; top < height; top += TILE) {
    for (let column = 0; column < width; column += TILE) {
      const right = Math.min(column + TILE, width);
      const bottom = Math.min(top + TILE, height);
      // Compressed rows are a multiple of four pixels long: the last column begins a little earlier.
      const left = Math.max(0, column - ((4 - ((right - column) % 4)) % 4));
      const size = { width: right - left, height: bottom - top };
      const encode = () => encodeBitmap(words, width, left, top, size.width, size.height, depth);
      let data: Uint8Array;
      if (isBlank(screen, left, top, right, bottom)) {
        const key = `${size.width}x${size.height}`;
        data = blank.get(key) ?? encode();
        blank.set(key, data);
      } else {
        data = encode();
      }
      const area = { left, top, right: right - 1, bottom: bottom - 1 };
      updates.push(writeBitmapUpdate([{ ...area, ...size, bitsPerPixel: depth, flags, data }]));
    }
  }
  return updates;
}

function isBlank({ words, width }: Screen, left: number, top: number, right: number, bottom: number): boolean {
  for (let y = top; y < bottom; y++) {
    for (let at = y * width + left; at < y * width + right; at++) if (words[at] !== BACKGROUND) return false;
  }
  return true;
}

function paletteBytes(words: Uint32Array): Uint8Array {
  return Uint8Array.from([...words].flatMap((word) => [word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff]));
}
