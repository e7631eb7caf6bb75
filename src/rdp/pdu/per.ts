/**
 * Packed encoding rules (X.691, ALIGNED variant), the subset that T.124 and T.125 need in RDP: lengths below 16384; all
 * else is fixed bits. Fragmented lengths are refused.
 */
import type { Reader, Writer } from '../bytes.ts';

/** The largest length that a two-byte length determinant holds. */
const PER_MAX_LENGTH = 0x3fff;

/** A length determinant: one byte below 128, else two with the top bits 10. @throws DecodeError on fragmented lengths */
export function readPerLength(reader: Reader, field: string): number {
  const first = reader.u8(field);
  if ((first & 0x80) === 0) return first;
  if ((first & 0x40) !== 0) throw reader.error(field, 'fragmented PER lengths are not supported');
  return ((first & 0x3f) << 8) | reader.u8(field);
}

/** @throws RangeError above 16383 */
export function writePerLength(writer: Writer, length: number): void {
  if (length < 0x80) writer.u8(length);
  else writePerLongLength(writer, length);
}

/** A length always in two bytes, as xrdp expects in GCC user data. @throws RangeError above 16383 */
export function writePerLongLength(writer: Writer, length: number): void {
  if (length > PER_MAX_LENGTH) throw new RangeError(`PER length: ${length}, at most ${PER_MAX_LENGTH} fit`);
  writer.u16be(0x8000 | length);
}

/** How many bytes `writePerLength` uses. */
export function perLengthSize(length: number): number {
  return length < 0x80 ? 1 : 2;
}
