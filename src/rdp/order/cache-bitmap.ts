/** Cache Bitmap orders, revisions 1 and 2 ([MS-RDPEGDI] 2.2.2.2.1.2.2 and .3). Revision 3 is in cache-bitmap-rev3.ts. */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import type { BitsPerPixel } from '../codec/pixel.ts';
import { type SecondaryOrder, SecondaryOrderType } from './secondary-order.ts';
import {
  readFourByteUnsigned,
  readTwoByteUnsigned,
  writeFourByteUnsigned,
  writeTwoByteUnsigned,
} from './variable-fields.ts';

/** A bitmap on its way into a cache. */
export interface CacheBitmap {
  cacheId: number;
  /** WAITING_LIST for a bitmap that is to be kept until the next one only. */
  cacheIndex: number;
  /** Pixels, padding columns included. */
  width: number;
  height: number;
  bitsPerPixel: number;
  compressed: boolean;
  /** As the data of a TS_BITMAP_DATA, without a compression header: bottom row first. A view. */
  data: Uint8Array;
}

/** cacheIndex of the entry that every cache has besides its numbered ones ([MS-RDPEGDI] 3.2.5.1.1.1.9). */
export const WAITING_LIST = 0x7fff;

const COMPRESSION_HEADER_SIZE = 8;
const NO_COMPRESSION_HEADER_REV1 = 0x0400;

/** flags of revision 2, as they stand in extraFlags. */
const Rev2Flag = {
  heightSameAsWidth: 0x0080,
  persistentKeyPresent: 0x0100,
  noCompressionHeader: 0x0400,
  doNotCache: 0x0800,
} as const;

/** bitsPerPixelId of revisions 2 and 3. */
const depthOfId: Readonly<Record<number, BitsPerPixel>> = { 3: 8, 4: 16, 5: 24, 6: 32 };

/**
 * The depth that a bitsPerPixelId means.
 * @param sessionDepth that of the session: the id for 16 bits stands for 15 there, too
 * @throws DecodeError when the id is none
 */
export function depthOf(bitsPerPixelId: number, sessionDepth: number): number {
  const depth = depthOfId[bitsPerPixelId];
  if (depth === undefined) throw new DecodeError('bitsPerPixelId', `is ${bitsPerPixelId}, wanted 3 to 6`, 0);
  return depth === 16 && sessionDepth === 15 ? 15 : depth;
}

/** The bitsPerPixelId of a depth. */
export const idOfDepth = (depth: number): number => ((depth + 7) >> 3) + 2;

/** @throws DecodeError when the order is cut short or its lengths do not agree */
export function readCacheBitmapRev1({ type, extraFlags, body }: SecondaryOrder): CacheBitmap {
  const reader = new Reader(body);
  const compressed = type === SecondaryOrderType.cacheBitmapCompressed;
  const cacheId = reader.u8('cacheId');
  reader.skip(1, 'pad1Octet');
  const width = reader.u8('bitmapWidth');
  const height = reader.u8('bitmapHeight');
  const bitsPerPixel = reader.u8('bitmapBitsPerPel');
  const length = reader.u16('bitmapLength');
  const cacheIndex = reader.u16('cacheIndex');
  if (!compressed || extraFlags & NO_COMPRESSION_HEADER_REV1) {
    return { cacheId, cacheIndex, width, height, bitsPerPixel, compressed, data: reader.take(length, 'bitmapData') };
  }
  // xrdp leaves the header's own eight bytes out of bitmapLength: cbCompMainBodySize is what everybody gets right
  reader.skip(2, 'cbCompFirstRowSize');
  const size = reader.u16('cbCompMainBodySize');
  reader.skip(COMPRESSION_HEADER_SIZE - 4, 'bitmapComprHdr');
  return { cacheId, cacheIndex, width, height, bitsPerPixel, compressed, data: reader.take(size, 'bitmapData') };
}

/**
 * @param sessionDepth bits per pixel of the session
 * @throws DecodeError when the order is cut short or of no known depth
 */
export function readCacheBitmapRev2({ type, extraFlags, body }: SecondaryOrder, sessionDepth: number): CacheBitmap {
  const reader = new Reader(body);
  const compressed = type === SecondaryOrderType.cacheBitmapCompressedRev2;
  const bitsPerPixel = depthOf((extraFlags >> 3) & 0xf, sessionDepth);
  if (extraFlags & Rev2Flag.persistentKeyPresent) reader.skip(8, 'key1, key2');
  const width = readTwoByteUnsigned(reader, 'bitmapWidth');
  const height = extraFlags & Rev2Flag.heightSameAsWidth ? width : readTwoByteUnsigned(reader, 'bitmapHeight');
  // xrdp writes two bytes with bit 14 set, which this encoding reads as the same number
  let length = readFourByteUnsigned(reader, 'bitmapLength');
  const index = readTwoByteUnsigned(reader, 'cacheIndex');
  if (compressed && !(extraFlags & Rev2Flag.noCompressionHeader)) {
    reader.skip(2, 'cbCompFirstRowSize');
    length = reader.u16('cbCompMainBodySize');
    reader.skip(COMPRESSION_HEADER_SIZE - 4, 'bitmapComprHdr');
  }
  // ... of which 64 x 64 uncompressed pixels of 32 bits become 0: those are all that is left of the order
  if (!compressed && length === 0) length = reader.remaining;
  const data = reader.take(length, 'bitmapData');
  const cacheIndex = extraFlags & Rev2Flag.doNotCache ? WAITING_LIST : index;
  return { cacheId: extraFlags & 7, cacheIndex, width, height, bitsPerPixel, compressed, data };
}

/** Revision 1, without a compression header. @throws RangeError when a value does not fit */
export function writeCacheBitmapRev1(bitmap: CacheBitmap): SecondaryOrder {
  const { cacheId, cacheIndex, width, height, bitsPerPixel, compressed, data } = bitmap;
  const writer = new Writer(9 + data.length).u8(cacheId).u8(0).u8(width).u8(height).u8(bitsPerPixel);
  return {
    type: compressed ? SecondaryOrderType.cacheBitmapCompressed : SecondaryOrderType.cacheBitmapUncompressed,
    extraFlags: compressed ? NO_COMPRESSION_HEADER_REV1 : 0,
    body: writer.u16(data.length).u16(cacheIndex).raw(data).finish(),
  };
}

/** Revision 2, without a key or a compression header. @throws RangeError when a value does not fit */
export function writeCacheBitmapRev2(bitmap: CacheBitmap): SecondaryOrder {
  const { cacheId, cacheIndex, width, height, bitsPerPixel, compressed, data } = bitmap;
  const writer = new Writer(12 + data.length);
  writeTwoByteUnsigned(writer, width);
  if (height !== width) writeTwoByteUnsigned(writer, height);
  writeFourByteUnsigned(writer, data.length);
  writeTwoByteUnsigned(writer, cacheIndex);
  const flags =
    (height === width ? Rev2Flag.heightSameAsWidth : 0) |
    (compressed ? Rev2Flag.noCompressionHeader : 0) |
    (cacheIndex === WAITING_LIST ? Rev2Flag.doNotCache : 0);
  return {
    type: compressed ? SecondaryOrderType.cacheBitmapCompressedRev2 : SecondaryOrderType.cacheBitmapUncompressedRev2,
    extraFlags: cacheId | (idOfDepth(bitsPerPixel) << 3) | flags,
    body: writer.raw(data).finish(),
  };
}
