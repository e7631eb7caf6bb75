/** Cache Color Table order ([MS-RDPEGDI] 2.2.2.2.1.2.4): the colours of cached bitmaps in sessions of 8 bits a pixel. */
import { Reader, Writer } from '../bytes.ts';
import { OPAQUE } from '../codec/pixel.ts';
import { type SecondaryOrder, SecondaryOrderType } from './secondary-order.ts';

export interface CacheColorTable {
  cacheIndex: number;
  /** 256 RGBX words. */
  colors: Uint32Array;
}

const COLORS = 256;

/** @throws DecodeError when the order is cut short or of another number of colours */
export function readCacheColorTable({ body }: SecondaryOrder): CacheColorTable {
  const reader = new Reader(body);
  const cacheIndex = reader.u8('cacheIndex');
  const count = reader.u16('numberColors');
  if (count !== COLORS) throw reader.error('numberColors', `is ${count}, wanted ${COLORS}`);
  // TS_COLOR_QUAD: blue, green, red, a byte of padding
  const colors = Uint32Array.from({ length: COLORS }, () => {
    const [blue, green, red] = reader.take(4, 'colorTable');
    return OPAQUE | (blue << 16) | (green << 8) | red;
  });
  return { cacheIndex, colors };
}

/** Writes a table. */
export function writeCacheColorTable({ cacheIndex, colors }: CacheColorTable): SecondaryOrder {
  const writer = new Writer(3 + 4 * COLORS).u8(cacheIndex).u16(COLORS);
  for (const word of colors)
    writer
      .u8((word >> 16) & 0xff)
      .u8((word >> 8) & 0xff)
      .u8(word & 0xff)
      .u8(0);
  return { type: SecondaryOrderType.cacheColorTable, extraFlags: 0, body: writer.finish() };
}
