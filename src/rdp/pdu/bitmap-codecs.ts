/** Bitmap Codecs Capability Set (MS-RDPBCGR 2.2.7.2.10): which codecs surface bits may use. Little-endian. */
import { Reader, Writer } from '../bytes.ts';

/** TS_BITMAPCODEC. */
export interface BitmapCodec {
  /** 16 bytes as on the wire: the first three groups of the string form are byte-swapped. */
  codecGuid: Uint8Array;
  /** The client's choice: the number that surface bits name the codec by. */
  codecId: number;
  properties: Uint8Array;
}

/**
 * @param body the capability set after type and length
 * @returns the codecs and what follows them
 * @throws DecodeError when the list is cut short
 */
export function readBitmapCodecs(body: Uint8Array): { codecs: BitmapCodec[]; rest: Uint8Array } {
  const reader = new Reader(body);
  const codecs = Array.from({ length: reader.u8('bitmapCodecCount') }, () => ({
    codecGuid: reader.take(16, 'codecGUID'),
    codecId: reader.u8('codecID'),
    properties: reader.take(reader.u16('codecPropertiesLength'), 'codecProperties'),
  }));
  return { codecs, rest: reader.rest() };
}

/** @returns the capability set after type and length */
export function writeBitmapCodecs(codecs: readonly BitmapCodec[], rest: Uint8Array): Uint8Array {
  const writer = new Writer().u8(codecs.length);
  for (const { codecGuid, codecId, properties } of codecs)
    writer.raw(codecGuid).u8(codecId).u16(properties.length).raw(properties);
  return writer.raw(rest).finish();
}
