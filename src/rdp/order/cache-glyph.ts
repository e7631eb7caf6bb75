/** Cache Glyph orders, revisions 1 and 2 ([MS-RDPEGDI] 2.2.2.2.1.2.5 and .6). */
import { Reader, Writer } from '../bytes.ts';
import { type SecondaryOrder, SecondaryOrderType } from './secondary-order.ts';
import { readTwoByteSigned, readTwoByteUnsigned, writeTwoByteSigned, writeTwoByteUnsigned } from './variable-fields.ts';

/** A character's picture: one bit a pixel. */
export interface Glyph {
  /** Where its top left pixel lies from the character's position. */
  x: number;
  y: number;
  /** Pixels. */
  width: number;
  height: number;
  /** Rows from the top, each padded to bytes, highest bit first; all of them padded to four bytes. */
  bits: Uint8Array;
}

export interface CacheGlyph {
  cacheId: number;
  glyphs: { cacheIndex: number; glyph: Glyph }[];
}

/** In extraFlags: tells the revisions apart. */
const REVISION_2 = 0x0020;

/** Bytes of a glyph's picture. */
export function glyphBytes(width: number, height: number): number {
  return (((width + 7) >> 3) * height + 3) & ~3;
}

/**
 * Reads either revision. Characters that follow the glyphs are for clients that substitute fonts, and are left.
 * @throws DecodeError when the order is cut short
 */
export function readCacheGlyph({ extraFlags, body }: SecondaryOrder): CacheGlyph {
  const reader = new Reader(body);
  const isRevision2 = (extraFlags & REVISION_2) !== 0;
  const cacheId = isRevision2 ? extraFlags & 0xf : reader.u8('cacheId');
  const count = isRevision2 ? extraFlags >> 8 : reader.u8('cGlyphs');
  const glyphs = Array.from({ length: count }, () => (isRevision2 ? readGlyphRev2(reader) : readGlyph(reader)));
  return { cacheId, glyphs };
}

function readGlyph(reader: Reader): CacheGlyph['glyphs'][number] {
  const cacheIndex = reader.u16('cacheIndex');
  const x = reader.i16('x');
  const y = reader.i16('y');
  const width = reader.u16('cx');
  const height = reader.u16('cy');
  return { cacheIndex, glyph: { x, y, width, height, bits: reader.take(glyphBytes(width, height), 'aj') } };
}

function readGlyphRev2(reader: Reader): CacheGlyph['glyphs'][number] {
  const cacheIndex = reader.u8('cacheIndex');
  const x = readTwoByteSigned(reader, 'x');
  const y = readTwoByteSigned(reader, 'y');
  const width = readTwoByteUnsigned(reader, 'cx');
  const height = readTwoByteUnsigned(reader, 'cy');
  return { cacheIndex, glyph: { x, y, width, height, bits: reader.take(glyphBytes(width, height), 'aj') } };
}

/** @throws RangeError when a value does not fit */
export function writeCacheGlyphRev1({ cacheId, glyphs }: CacheGlyph): SecondaryOrder {
  const writer = new Writer().u8(cacheId).u8(glyphs.length);
  for (const { cacheIndex, glyph } of glyphs) {
    const { x, y, width, height, bits } = glyph;
    writer.u16(cacheIndex).i16(x).i16(y).u16(width).u16(height).raw(bits);
  }
  return { type: SecondaryOrderType.cacheGlyph, extraFlags: 0, body: writer.finish() };
}

/** @throws RangeError when a value does not fit */
export function writeCacheGlyphRev2({ cacheId, glyphs }: CacheGlyph): SecondaryOrder {
  const writer = new Writer();
  for (const { cacheIndex, glyph } of glyphs) {
    writer.u8(cacheIndex);
    writeTwoByteSigned(writer, glyph.x);
    writeTwoByteSigned(writer, glyph.y);
    writeTwoByteUnsigned(writer, glyph.width);
    writeTwoByteUnsigned(writer, glyph.height);
    writer.raw(glyph.bits);
  }
  const extraFlags = cacheId | REVISION_2 | (glyphs.length << 8);
  return { type: SecondaryOrderType.cacheGlyph, extraFlags, body: writer.finish() };
}
