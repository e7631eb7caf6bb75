import type { Picture } from './pixels.ts';

const Z_PIXMAP = 2;
const TRUE_COLOR = 4;
/** Header fields, each 32 bits big-endian: see X11/XWDFile.h. */
const FIELDS = [
  'headerSize version format depth width height xOffset byteOrder bitmapUnit bitmapBitOrder bitmapPad bitsPerPixel',
  'bytesPerLine visualClass redMask greenMask blueMask bitsPerRgb colormapEntries colors',
].flatMap((line) => line.split(' '));
const COLOR_BYTES = 12;

/** Reads what `xwd -root` writes, of true-colour screens with 16 or 32 bits a pixel: exact pixels, no pointer. */
export function readXwd(file: Uint8Array): Picture {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const header = Object.fromEntries(FIELDS.map((name, i) => [name, view.getUint32(i * 4)]));
  const { width, height, bitsPerPixel, bytesPerLine } = header;
  if (header.format !== Z_PIXMAP || header.visualClass !== TRUE_COLOR || ![16, 32].includes(bitsPerPixel)) {
    throw new Error(`xwd: wanted a true-colour picture of 16 or 32 bits a pixel, found ${JSON.stringify(header)}`);
  }
  const data = header.headerSize + header.colors * COLOR_BYTES;
  const littleEndian = header.byteOrder === 0;
  const masks = [header.redMask, header.greenMask, header.blueMask].map(channel);
  const pixels = new Uint8Array(width * height * 4);
  for (let y = 0, out = 0; y < height; y++) {
    for (let x = 0; x < width; x++, out += 4) {
      const at = data + y * bytesPerLine + (x * bitsPerPixel) / 8;
      const value = bitsPerPixel === 32 ? view.getUint32(at, littleEndian) : view.getUint16(at, littleEndian);
      for (let i = 0; i < 3; i++) pixels[out + i] = masks[i](value);
      pixels[out + 3] = 0xff;
    }
  }
  return { width, height, pixels };
}

/** How to take one channel from a pixel as 8 bits; narrow ones are widened by repeating their high bits. */
function channel(mask: number): (value: number) => number {
  const shift = 31 - Math.clz32(mask & -mask);
  const bits = 32 - Math.clz32(mask >>> shift);
  return (value) => {
    const wide = ((value & mask) >>> shift) << (8 - bits);
    return wide | (wide >> bits);
  };
}
