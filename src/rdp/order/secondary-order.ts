/**
 * The header of secondary drawing orders ([MS-RDPEGDI] 2.2.2.2.1.2.1.1): those that fill the client's caches. They say
 * their length, so one that is not understood does not hide what follows.
 */
import { type Reader, Writer } from '../bytes.ts';
import { ControlFlag } from './control-flags.ts';

/** orderType. */
export const SecondaryOrderType = {
  cacheBitmapUncompressed: 0x00,
  cacheColorTable: 0x01,
  cacheBitmapCompressed: 0x02,
  cacheGlyph: 0x03,
  cacheBitmapUncompressedRev2: 0x04,
  cacheBitmapCompressedRev2: 0x05,
  cacheBrush: 0x07,
  cacheBitmapCompressedRev3: 0x08,
} as const;

export interface SecondaryOrder {
  /** A value of SecondaryOrderType, or one that this list does not know. */
  type: number;
  extraFlags: number;
  /** What follows the header, as a view. */
  body: Uint8Array;
}

/** orderLength counts 13 bytes less than the order has, the header of six included, "for historical reasons". */
const LENGTH_BIAS = 7;

/**
 * @param reader stands after controlFlags
 * @throws DecodeError when the length is negative or beyond the bytes
 */
export function readSecondaryOrder(reader: Reader): SecondaryOrder {
  const length = reader.i16('orderLength') + LENGTH_BIAS;
  const extraFlags = reader.u16('extraFlags');
  const type = reader.u8('orderType');
  if (length < 0) throw reader.error('orderLength', `is ${length - LENGTH_BIAS}, wanted -7 or more`);
  return { type, extraFlags, body: reader.take(length, 'secondaryOrder') };
}

/** @throws RangeError when the body is longer than the header can say */
export function writeSecondaryOrder({ type, extraFlags, body }: SecondaryOrder): Uint8Array {
  return new Writer(6 + body.length)
    .u8(ControlFlag.standard | ControlFlag.secondary)
    .i16(body.length - LENGTH_BIAS)
    .u16(extraFlags)
    .u8(type)
    .raw(body)
    .finish();
}
