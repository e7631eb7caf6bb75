/**
 * Basic encoding rules (X.690), the subset that MCS Connect PDUs need: definite lengths below 65536, INTEGER up to 32
 * bits, BOOLEAN, ENUMERATED, OCTET STRING, SEQUENCE, and two-byte application tags. Everything else is refused.
 */
import type { Reader, Writer } from '../bytes.ts';

export const BerTag = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
} as const;

/** The first byte of a constructed application tag of 31 or more; the number follows in one byte. */
const APPLICATION_TAG = 0x7f;

/** Reads tag and length of a universal type; the content follows. @throws DecodeError when it is another type */
export function readBerHeader(reader: Reader, tag: number, field: string): number {
  const found = reader.u8(field);
  if (found !== tag) throw reader.error(field, `has BER tag 0x${found.toString(16)}, wanted 0x${tag.toString(16)}`);
  return readBerLength(reader, field);
}

/** Reads an application tag and its length; the content follows. @throws DecodeError when it is another type */
export function readBerApplication(reader: Reader, tag: number, field: string): number {
  const first = reader.u8(field);
  const found = reader.u8(field);
  if (first !== APPLICATION_TAG || found !== tag) {
    const hex = ((first << 8) | found).toString(16);
    throw reader.error(field, `has BER tag 0x${hex}, wanted 0x7f${tag.toString(16)}`);
  }
  return readBerLength(reader, field);
}

function readBerLength(reader: Reader, field: string): number {
  const first = reader.u8(field);
  let length = first;
  if (first === 0x81) length = reader.u8(field);
  else if (first === 0x82) length = reader.u16be(field);
  else if (first >= 0x80) throw reader.error(field, `has BER length form 0x${first.toString(16)}, not supported`);
  if (length > reader.remaining) {
    throw reader.error(field, `has a BER length of ${length}, ${reader.remaining} bytes left`);
  }
  return length;
}

/** An INTEGER or ENUMERATED, taken as unsigned: clients disagree on the sign byte of 65535. */
export function readBerInteger(reader: Reader, field: string, tag: number = BerTag.integer): number {
  const length = readBerHeader(reader, tag, field);
  if (length < 1 || length > 5) throw reader.error(field, `has ${length} bytes, wanted 1 to 5`);
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + reader.u8(field);
  if (value > 0xffffffff) throw reader.error(field, `is ${value}, wanted 32 bits`);
  return value;
}

export function readBerBoolean(reader: Reader, field: string): boolean {
  const length = readBerHeader(reader, BerTag.boolean, field);
  if (length !== 1) throw reader.error(field, `has ${length} bytes, wanted 1`);
  return reader.u8(field) !== 0;
}

export function readBerOctets(reader: Reader, field: string): Uint8Array {
  return reader.take(readBerHeader(reader, BerTag.octetString, field), field);
}

export function writeBerHeader(writer: Writer, tag: number, length: number): void {
  writeBerLength(writer.u8(tag), length);
}

export function writeBerApplication(writer: Writer, tag: number, length: number): void {
  writeBerLength(writer.u8(APPLICATION_TAG).u8(tag), length);
}

function writeBerLength(writer: Writer, length: number): void {
  if (length < 0x80) writer.u8(length);
  else if (length <= 0xff) writer.u8(0x81).u8(length);
  else writer.u8(0x82).u16be(length);
}

/** An INTEGER from 0 to 2³¹-1, with a leading zero byte where the top bit would read as a sign. */
export function writeBerInteger(writer: Writer, value: number, tag: number = BerTag.integer): void {
  let length = 1;
  while (length < 4 && value >= 2 ** (8 * length - 1)) length++;
  writeBerHeader(writer, tag, length);
  for (let i = length - 1; i >= 0; i--) writer.u8((value >>> (8 * i)) & 0xff);
}

export function writeBerBoolean(writer: Writer, value: boolean): void {
  writeBerHeader(writer, BerTag.boolean, 1);
  writer.u8(value ? 0xff : 0);
}

export function writeBerOctets(writer: Writer, octets: Uint8Array): void {
  writeBerHeader(writer, BerTag.octetString, octets.length);
  writer.raw(octets);
}
