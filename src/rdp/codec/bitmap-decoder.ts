/** Decodes any TS_BITMAP_DATA of the bitmap profile, with memory of its own that is reused. */
import { DecodeError } from '../bytes.ts';
import { decodeInterleavedRle } from './interleaved-rle.ts';
import { isBitsPerPixel } from './pixel.ts';
import { decodePlanar } from './planar.ts';
import { decodeUncompressed } from './uncompressed.ts';

/** Most pixels of one bitmap: a whole screen of 8K. */
const MAX_PIXELS = 7680 * 4320;

/** What a decoder needs of a TS_BITMAP_DATA. */
export interface EncodedBitmap {
  /** Pixels in a row of the data: padding columns included. */
  readonly width: number;
  readonly height: number;
  readonly bitsPerPixel: number;
  readonly compressed: boolean;
  readonly data: Uint8Array;
}

export class BitmapDecoder {
  #words = new Uint32Array(64 * 64);

  /**
   * Decodes a bitmap ([MS-RDPBCGR] 2.2.9.1.1.3.1.2.2).
   *
   * @param palette 256 RGBX words for bitmaps of 8 bits per pixel
   * @returns RGBX words, `width` to a row, bottom row first; valid until the next call
   * @throws DecodeError when the bitmap cannot be decoded
   */
  decode(bitmap: EncodedBitmap, palette: Uint32Array): Uint32Array {
    const { width, height, bitsPerPixel, data } = bitmap;
    const count = width * height;
    if (count > MAX_PIXELS) throw new DecodeError('bitmap', `${width} x ${height}: at most ${MAX_PIXELS} pixels`, 0);
    if (!isBitsPerPixel(bitsPerPixel)) throw new DecodeError('bitsPerPixel', `${bitsPerPixel} is none of RDP's`, 0);
    if (this.#words.length < count) this.#words = new Uint32Array(count);
    if (!bitmap.compressed) decodeUncompressed(data, width, height, bitsPerPixel, palette, this.#words);
    else if (bitsPerPixel === 32) decodePlanar(data, width, height, this.#words);
    else decodeInterleavedRle(data, width, height, bitsPerPixel, palette, this.#words);
    return this.#words.subarray(0, count);
  }
}
