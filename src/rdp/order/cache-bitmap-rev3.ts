/** Cache Bitmap order, revision 3 ([MS-RDPEGDI] 2.2.2.2.1.2.8): a bitmap in a codec's form. Little-endian. */
import { Reader, Writer } from '../bytes.ts';
import { idOfDepth, WAITING_LIST } from './cache-bitmap.ts';
import { type SecondaryOrder, SecondaryOrderType } from './secondary-order.ts';

/** A bitmap on its way into a cache, encoded by one of the codecs that were negotiated. */
export interface CacheBitmapRev3 {
  cacheId: number;
  /** WAITING_LIST for a bitmap that is to be kept until the next one only. */
  cacheIndex: number;
  width: number;
  height: number;
  bitsPerPixel: number;
  /** As the client chose it in the Bitmap Codecs capability set; 0 for none. */
  codecId: number;
  /** A view. */
  data: Uint8Array;
}

const DO_NOT_CACHE = 0x0800;

/** @throws DecodeError when the order is cut short */
export function readCacheBitmapRev3({ extraFlags, body }: SecondaryOrder): CacheBitmapRev3 {
  const reader = new Reader(body);
  const index = reader.u16('cacheIndex');
  reader.skip(8, 'key1, key2');
  // bitsPerPixelId of extraFlags is 0 from some servers: TS_BITMAP_DATA_EX says the depth as well
  const bitsPerPixel = reader.u8('bpp');
  reader.skip(2, 'reserved');
  const codecId = reader.u8('codecID');
  const width = reader.u16('width');
  const height = reader.u16('height');
  const data = reader.take(reader.u32('bitmapDataLength'), 'bitmapData');
  const cacheIndex = extraFlags & DO_NOT_CACHE ? WAITING_LIST : index;
  return { cacheId: extraFlags & 7, cacheIndex, width, height, bitsPerPixel, codecId, data };
}

/** @throws RangeError when a value does not fit */
export function writeCacheBitmapRev3(bitmap: CacheBitmapRev3): SecondaryOrder {
  const { cacheId, cacheIndex, width, height, bitsPerPixel, codecId, data } = bitmap;
  const writer = new Writer(22 + data.length).u16(cacheIndex).zeros(8).u8(bitsPerPixel).zeros(2).u8(codecId);
  return {
    type: SecondaryOrderType.cacheBitmapCompressedRev3,
    extraFlags: cacheId | (idOfDepth(bitsPerPixel) << 3) | (cacheIndex === WAITING_LIST ? DO_NOT_CACHE : 0),
    body: writer.u16(width).u16(height).u32(data.length).raw(data).finish(),
  };
}
