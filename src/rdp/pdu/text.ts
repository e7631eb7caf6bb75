/** Text as RDP carries it: UTF-16LE, and single bytes. Portable: no TextDecoder, which browsers and Node type apart. */

/** Units joined at once: far below the argument limit of any engine. */
const SLICE = 4096;

/** Text of single bytes, each taken as the character of the same number (so any byte survives a round trip). */
export function asciiText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += SLICE) text += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  return text;
}

/** The inverse of `asciiText`. @throws RangeError on a character above U+00FF */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) throw new RangeError(`text: character U+${unit.toString(16)} does not fit into one byte`);
    bytes[i] = unit;
  }
  return bytes;
}

/** UTF-16LE to text, whole units only, up to but without the first NUL. Lone surrogates survive. */
export function utf16Text(bytes: Uint8Array): string {
  const units: number[] = [];
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const unit = bytes[at] | (bytes[at + 1] << 8);
    if (unit === 0) break;
    units.push(unit);
  }
  let text = '';
  for (let at = 0; at < units.length; at += SLICE) text += String.fromCharCode(...units.slice(at, at + SLICE));
  return text;
}

/** Text to UTF-16LE, without a terminator. */
export function utf16Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[2 * i] = unit & 0xff;
    bytes[2 * i + 1] = unit >> 8;
  }
  return bytes;
}

/** Text up to the first NUL of a fixed field of single bytes. */
export function asciiField(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return asciiText(end < 0 ? bytes : bytes.subarray(0, end));
}

/**
 * Text as a fixed field, padded with zeros and always ended by at least one NUL unit; longer text is cut.
 * @param length the field's bytes
 * @param encode `asciiBytes` or `utf16Bytes`
 */
export function fixedField(text: string, length: number, encode: (text: string) => Uint8Array): Uint8Array {
  const field = new Uint8Array(length);
  const unit = encode === utf16Bytes ? 2 : 1;
  field.set(encode(text).subarray(0, length - unit));
  return field;
}
