/** Uncompressed bitmaps: rows of pixels, each padded to four bytes ([MS-RDPBCGR] 2.2.9.1.1.3.1.2.2). */
import { DecodeError } from '../bytes.ts';
import { type BitsPerPixel, bytesPerPixel, OPAQUE, wideningTable } from './pixel.ts';

/** Bytes of one row on the wire, padding included. */
export function rowBytes(width: number, depth: BitsPerPixel): number {
  return (width * bytesPerPixel(depth) + 3) & ~3;
}

/**
 * Decodes a whole bitmap.
 *
 * @param data at least `height` padded rows
 * @param depth bits per wire pixel; at 8, `palette` gives the colours
 * @param out receives `width * height` RGBX words, rows in the order of the wire (bottom row first)
 * @throws DecodeError when the data is short
 */
export function decodeUncompressed(
  data: Uint8Array,
  width: number,
  height: number,
  depth: BitsPerPixel,
  palette: Uint32Array,
  out: Uint32Array,
): void {
  if (out.length < width * height) throw new RangeError(`out holds ${out.length} pixels, ${width * height} are wanted`);
  const pitch = rowBytes(width, depth);
  if (data.length < pitch * height) {
    throw new DecodeError('bitmapDataStream', `has ${data.length} bytes, ${pitch * height} are wanted`, data.length);
  }
  const widening = depth === 15 || depth === 16 ? wideningTable(depth) : palette;
  const size = bytesPerPixel(depth);
  for (let y = 0, at = 0; y < height; y++) {
    let from = y * pitch;
    const end = at + width;
    if (size === 1) for (; at < end; at++) out[at] = palette[data[from++]];
    else if (size === 2) for (; at < end; at++, from += 2) out[at] = widening[data[from] | (data[from + 1] << 8)];
    else {
      for (; at < end; at++, from += size) {
        out[at] = OPAQUE | (data[from] << 16) | (data[from + 1] << 8) | data[from + 2];
      }
    }
  }
}

/**
 * Encodes wire pixels as uncompressed rows.
 *
 * @param pixels `width * height` wire pixels (see pack-pixels.ts), rows in the order of the wire
 */
export function encodeUncompressed(
  pixels: Uint32Array,
  width: number,
  height: number,
  depth: BitsPerPixel,
): Uint8Array {
  const pitch = rowBytes(width, depth);
  const size = bytesPerPixel(depth);
  const data = new Uint8Array(pitch * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = pixels[y * width + x];
      for (let i = 0; i < size; i++) data[y * pitch + x * size + i] = pixel >>> (8 * i);
    }
  }
  return data;
}
