/** One field of a primary drawing order ([MS-RDPEGDI] 2.2.2.2.1.1.1). Little-endian. */
import type { Reader, Writer } from '../bytes.ts';
import type { OrderField } from './primary-layouts.ts';

/** A field's value: bytes for those of fixed and variable length, else a number. */
export type FieldValue = number | Uint8Array;

/** An order's values by their names. */
export type FieldValues = Record<string, FieldValue>;

/**
 * @param delta for a coord that comes as an i8: the value to add it to; else null
 * @returns bytes as a copy; coordinates wrap within 16 bits
 * @throws DecodeError when the field is cut short
 */
export function readField(reader: Reader, name: string, field: OrderField, delta: number | null): FieldValue {
  switch (field) {
    case 'coord':
      return delta === null ? reader.i16(name) : toI16(delta + reader.i8(name));
    case 'color':
      return reader.u8(name) | (reader.u8(name) << 8) | (reader.u8(name) << 16);
    case 'variable':
      return reader.take(reader.u8(name), name).slice();
    case 'u8':
    case 'u16':
    case 'i16':
      return reader[field](name);
    default:
      return reader.take(field, name).slice();
  }
}

/**
 * @param delta for a coord that goes as an i8: the value that it is added to; else null
 * @throws RangeError when the value does not fit
 */
export function writeField(writer: Writer, field: OrderField, value: FieldValue, delta: number | null): void {
  if (value instanceof Uint8Array) {
    if (field === 'variable') writer.u8(value.length);
    else if (value.length !== field) throw new RangeError(`field of ${value.length} bytes, wanted ${field}`);
    writer.raw(value);
  } else if (field === 'coord') {
    if (delta === null) writer.i16(value);
    else writer.i8(value - delta);
  } else if (field === 'color') {
    writer.u8(value & 0xff).u16(value >>> 8);
  } else {
    writer[field as 'u8' | 'u16' | 'i16'](value);
  }
}

/** A sum of two coordinates, as 16 bits hold it. */
export const toI16 = (value: number): number => (value << 16) >> 16;
