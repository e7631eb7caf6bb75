/**
 * Bitmap update (MS-RDPBCGR 2.2.9.1.1.3.1.2, TS_UPDATE_BITMAP_DATA): the same bytes on slow and fast path.
 * Little-endian.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { UpdateType } from './update.ts';

/** flags of TS_BITMAP_DATA. */
export const BitmapFlag = { compressed: 0x0001, noCompressionHeader: 0x0400 } as const;

/** TS_BITMAP_DATA: one rectangle of pixels. */
export interface BitmapData {
  left: number;
  top: number;
  /** Inclusive. */
  right: number;
  /** Inclusive. */
  bottom: number;
  /** Pixels from one row of the data to the next: may exceed right - left + 1, since some servers pad it. */
  width: number;
  height: number;
  bitsPerPixel: number;
  /** Bits of BitmapFlag. */
  flags: number;
  /** Pixel data without a compression header, as a view: RLE or planar when flags has compressed, else raw rows. */
  data: Uint8Array;
}

const rectangleHeaderSize = 18;
const compressionHeaderSize = 8;

/**
 * Reads the rectangles of one bitmap update, one after the other, without copying.
 * @param body the update from its updateType on
 * @throws DecodeError, while iterating, where the bytes do not follow the specification
 */
export function* readBitmapUpdate(body: Uint8Array): Generator<BitmapData, void, void> {
  const reader = new Reader(body);
  const type = reader.u16('updateType');
  if (type !== UpdateType.bitmap) throw new DecodeError('updateType', `is ${type}, wanted ${UpdateType.bitmap}`, 0);
  const count = reader.u16('numberRectangles');
  for (let i = 0; i < count; i++) yield readBitmapData(reader);
}

function readBitmapData(reader: Reader): BitmapData {
  const left = reader.u16('destLeft');
  const top = reader.u16('destTop');
  const right = reader.u16('destRight');
  const bottom = reader.u16('destBottom');
  const width = reader.u16('width');
  const height = reader.u16('height');
  const bitsPerPixel = reader.u16('bitsPerPixel');
  const flags = reader.u16('flags');
  let data = reader.take(reader.u16('bitmapLength'), 'bitmapDataStream');
  if ((flags & BitmapFlag.compressed) !== 0 && (flags & BitmapFlag.noCompressionHeader) === 0) {
    // TS_CD_HEADER repeats what the pixels say; its lengths are not needed to decode them
    if (data.length < compressionHeaderSize)
      throw reader.error('bitmapComprHdr', `needs ${compressionHeaderSize} bytes, ${data.length} left`);
    data = data.subarray(compressionHeaderSize);
  }
  return { left, top, right, bottom, width, height, bitsPerPixel, flags, data };
}

/** Size in bytes of a rectangle as writeBitmapUpdate writes it. */
export function bitmapDataSize(bitmap: BitmapData): number {
  const header = hasCompressionHeader(bitmap) ? compressionHeaderSize : 0;
  return rectangleHeaderSize + header + bitmap.data.length;
}

function hasCompressionHeader(bitmap: BitmapData): boolean {
  return (bitmap.flags & BitmapFlag.compressed) !== 0 && (bitmap.flags & BitmapFlag.noCompressionHeader) === 0;
}

/**
 * Writes an update of these rectangles, with a compression header where their flags ask for one.
 * @returns the update from its updateType on
 * @throws RangeError when a rectangle's data exceeds 65535 bytes
 */
export function writeBitmapUpdate(rectangles: readonly BitmapData[]): Uint8Array {
  const size = rectangles.reduce((sum, bitmap) => sum + bitmapDataSize(bitmap), 4);
  const writer = new Writer(size).u16(UpdateType.bitmap).u16(rectangles.length);
  for (const bitmap of rectangles) writeBitmapData(writer, bitmap);
  return writer.finish();
}

function writeBitmapData(writer: Writer, bitmap: BitmapData): void {
  writer.u16(bitmap.left).u16(bitmap.top).u16(bitmap.right).u16(bitmap.bottom);
  writer.u16(bitmap.width).u16(bitmap.height).u16(bitmap.bitsPerPixel).u16(bitmap.flags);
  if (hasCompressionHeader(bitmap)) {
    const rowBytes = bitmap.width * Math.ceil(bitmap.bitsPerPixel / 8);
    writer.u16(bitmap.data.length + compressionHeaderSize);
    writer.u16(0); // cbCompFirstRowSize: must be 0
    writer.u16(bitmap.data.length); // cbCompMainBodySize
    writer.u16(rowBytes & 0xffff); // cbScanWidth: must be a multiple of 4, says the specification; nobody checks
    writer.u16((rowBytes * bitmap.height) & 0xffff); // cbUncompressedSize
  } else {
    writer.u16(bitmap.data.length);
  }
  writer.raw(bitmap.data);
}
