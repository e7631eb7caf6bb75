/** Cache Brush order ([MS-RDPEGDI] 2.2.2.2.1.2.7): an 8 × 8 pattern to paint with. */
import { Reader, Writer } from '../bytes.ts';
import { type BitsPerPixel, bytesPerPixel } from '../codec/pixel.ts';
import { depthOf, idOfDepth } from './cache-bitmap.ts';
import { type SecondaryOrder, SecondaryOrderType } from './secondary-order.ts';

export interface CacheBrush {
  cacheEntry: number;
  pattern: BrushPattern;
}

export interface BrushPattern {
  /** 1 for a pattern of fore and back colour, else the session's. */
  bitsPerPixel: number;
  /** Bottom row first; one byte a row, highest bit leftmost, or eight wire pixels a row. */
  data: Uint8Array;
}

const SIDE = 8;
const MONOCHROME = 1;
/** Bytes that a pattern of four colours begins with: two bits a pixel. */
const COMPRESSED_BITS = 16;
const COMPRESSED_COLORS = 4;

/**
 * @param sessionDepth bits per pixel of the session
 * @throws DecodeError when the order is cut short, or the brush not 8 × 8 or of no known form
 */
export function readCacheBrush({ body }: SecondaryOrder, sessionDepth: number): CacheBrush {
  const reader = new Reader(body);
  const cacheEntry = reader.u8('cacheEntry');
  const format = reader.u8('iBitmapFormat');
  const [width, height] = [reader.u8('cx'), reader.u8('cy')];
  if (width !== SIDE || height !== SIDE) throw reader.error('cx, cy', `are ${width} x ${height}, wanted 8 x 8`);
  reader.skip(1, 'Style');
  const length = reader.u8('iBytes');
  const bitsPerPixel = format === MONOCHROME ? 1 : depthOf(format, sessionDepth);
  const size = bitsPerPixel === 1 ? 1 / SIDE : bytesPerPixel(bitsPerPixel as BitsPerPixel);
  const whole = SIDE * SIDE * size;
  if (bitsPerPixel > 1 && length === COMPRESSED_BITS + COMPRESSED_COLORS * size) {
    const data = expand(reader.take(length, 'brushData'), size);
    return { cacheEntry, pattern: { bitsPerPixel, data } };
  }
  // iBytes is a byte, and 8 × 8 pixels of 32 bits are 256
  if (length !== (whole & 0xff)) throw reader.error('iBytes', `is ${length}, wanted ${whole & 0xff}`);
  return { cacheEntry, pattern: { bitsPerPixel, data: reader.take(whole, 'brushData') } };
}

/** A compressed brush (2.2.2.2.1.2.7.1): an index of two bits a pixel, highest bits leftmost, then four colours. */
function expand(data: Uint8Array, size: number): Uint8Array {
  const pixels = new Uint8Array(SIDE * SIDE * size);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const index = (data[i >> 2] >> (6 - 2 * (i & 3))) & 3;
    const from = COMPRESSED_BITS + index * size;
    pixels.set(data.subarray(from, from + size), i * size);
  }
  return pixels;
}

/** Writes a brush as it is, not compressed. */
export function writeCacheBrush({ cacheEntry, pattern }: CacheBrush): SecondaryOrder {
  const { bitsPerPixel, data } = pattern;
  const format = bitsPerPixel === 1 ? MONOCHROME : idOfDepth(bitsPerPixel);
  const writer = new Writer(6 + data.length)
    .u8(cacheEntry)
    .u8(format)
    .u8(SIDE)
    .u8(SIDE)
    .u8(0)
    .u8(data.length & 0xff);
  return { type: SecondaryOrderType.cacheBrush, extraFlags: 0, body: writer.raw(data).finish() };
}
