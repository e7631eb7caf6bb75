/** The pointers of the demo desktop: a beam over the text pad, a hand over the shape. */
import { Screen } from '#rdp/graphics/screen.ts';
import type { PointerShape } from '#rdp/pdu/pointer-update.ts';
import { fillDisc, fillRounded } from './shapes.ts';

const size = 32;
const white = 0xffffffff;
const black = 0xff000000;

export const beamPointer = shape(0, (screen, grow, color) => {
  const bar = (left: number, top: number, right: number, bottom: number) =>
    fillRounded(screen, { left: left - grow, top: top - grow, right: right + grow, bottom: bottom + grow }, 1, color);
  bar(12, 6, 20, 8);
  bar(15, 6, 17, 26);
  bar(12, 24, 20, 26);
});

export const grabPointer = shape(1, (screen, grow, color) => {
  for (const [x, y] of [
    [16, 6],
    [26, 16],
    [16, 26],
    [6, 16],
  ])
    fillDisc(screen, x, y, 3 + grow, color);
  fillRounded(screen, { left: 15 - grow, top: 6 - grow, right: 17 + grow, bottom: 26 + grow }, 1, color);
  fillRounded(screen, { left: 6 - grow, top: 15 - grow, right: 26 + grow, bottom: 17 + grow }, 1, color);
});

/** A black picture with a white rim, as a 32-bit pointer: bottom-up rows, alpha in the highest byte. */
function shape(cacheIndex: number, paint: (screen: Screen, grow: number, color: number) => void): PointerShape {
  const background = 0xff00ff00;
  const screen = new Screen(size, size);
  screen.words.fill(background);
  paint(screen, 1, white);
  const rim = screen.words.map((word) => (word === background ? 0 : 1));
  paint(screen, 0, black);
  const xorMask = new Uint8Array(size * size * 4);
  const pixels = new DataView(xorMask.buffer);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const at = y * size + x;
      // grey on both sides: red and blue need not change places
      const grey = screen.words[at] & 0xff;
      const word = rim[at] ? (0xff000000 | (grey << 16) | (grey << 8) | grey) >>> 0 : 0;
      pixels.setUint32(((size - 1 - y) * size + x) * 4, word, true);
    }
  const andMask = new Uint8Array((size / 8) * size);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      if (!rim[y * size + x]) andMask[(size - 1 - y) * (size / 8) + (x >> 3)] |= 0x80 >> (x & 7);
  return {
    kind: 'shape',
    cacheIndex,
    hotX: 16,
    hotY: 16,
    width: size,
    height: size,
    bitsPerPixel: 32,
    xorMask,
    andMask,
    large: false,
  };
}
