/** Numbers whose size depends on their value ([MS-RDPEGDI] 2.2.2.2.1.2.1.2 to .4): big-endian, unlike all else here. */
import type { Reader, Writer } from '../bytes.ts';

/** Two-byte unsigned encoding: 0 to 0x7FFF. */
export function readTwoByteUnsigned(reader: Reader, field: string): number {
  const first = reader.u8(field);
  return first & 0x80 ? ((first & 0x7f) << 8) | reader.u8(field) : first;
}

/** Two-byte signed encoding: sign and magnitude, -0x3FFF to 0x3FFF. */
export function readTwoByteSigned(reader: Reader, field: string): number {
  const first = reader.u8(field);
  const magnitude = first & 0x80 ? ((first & 0x3f) << 8) | reader.u8(field) : first & 0x3f;
  return first & 0x40 ? -magnitude : magnitude;
}

/** Four-byte unsigned encoding: 0 to 0x3FFFFFFF. */
export function readFourByteUnsigned(reader: Reader, field: string): number {
  const first = reader.u8(field);
  let value = first & 0x3f;
  for (let more = first >> 6; more > 0; more--) value = (value << 8) | reader.u8(field);
  return value;
}

/** @throws RangeError when the value does not fit */
export function writeTwoByteUnsigned(writer: Writer, value: number): void {
  if (value < 0x80) writer.u8(value);
  else if (value < 0x8000) writer.u16be(0x8000 | value);
  else throw new RangeError(`two-byte unsigned: ${value}`);
}

/** @throws RangeError when the value does not fit */
export function writeTwoByteSigned(writer: Writer, value: number): void {
  const magnitude = Math.abs(value);
  const sign = value < 0 ? 0x40 : 0;
  if (magnitude < 0x40) writer.u8(sign | magnitude);
  else if (magnitude < 0x4000) writer.u16be(((0x80 | sign) << 8) | magnitude);
  else throw new RangeError(`two-byte signed: ${value}`);
}

/** @throws RangeError when the value does not fit */
export function writeFourByteUnsigned(writer: Writer, value: number): void {
  if (value < 0 || value > 0x3fffffff) throw new RangeError(`four-byte unsigned: ${value}`);
  const more = value < 0x40 ? 0 : value < 0x4000 ? 1 : value < 0x400000 ? 2 : 3;
  writer.u8((more << 6) | (value >> (8 * more)));
  for (let left = more - 1; left >= 0; left--) writer.u8((value >> (8 * left)) & 0xff);
}
