/** Bech32 (BIP 173) as age uses it: any length, so no guarantee to find every error, but no silent reading either. */
import { FormatError } from './format-error.ts';
import { quote } from './text.ts';

const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const MAX_LENGTH = 1024;

/**
 * Encodes `bytes`.
 * @param prefix human-readable part in lower case
 * @returns lower case
 */
export function bech32Encode(prefix: string, bytes: Uint8Array): string {
  const groups = regroup(bytes, 8, 5);
  const checksum = polymod([...expand(prefix), ...groups, 0, 0, 0, 0, 0, 0]) ^ 1;
  for (let i = 0; i < 6; i++) groups.push((checksum >> (5 * (5 - i))) & 31);
  return `${prefix}1${groups.map((group) => CHARSET[group]).join('')}`;
}

/**
 * Decodes `text`, which must be all lower or all upper case.
 * @returns the human-readable part in lower case, and the bytes
 * @throws FormatError that does not repeat `text`, which may be secret
 */
export function bech32Decode(text: string): { prefix: string; bytes: Uint8Array<ArrayBuffer> } {
  const lower = text.toLowerCase();
  if (text.length > MAX_LENGTH) throw new FormatError('bech32', `${text.length} characters, at most ${MAX_LENGTH}`);
  if (text !== lower && text !== text.toUpperCase()) throw new FormatError('bech32', 'mixes upper and lower case');
  const separator = lower.lastIndexOf('1');
  const prefix = lower.slice(0, separator);
  if (separator < 1 || separator + 7 > lower.length) throw new FormatError('bech32', 'no prefix or no checksum');
  if (!/^[\x21-\x7e]+$/.test(prefix)) throw new FormatError('bech32', `prefix ${quote(prefix)}`);
  const groups = Array.from(lower.slice(separator + 1), (character) => CHARSET.indexOf(character));
  if (groups.includes(-1)) throw new FormatError('bech32', 'holds a character that Bech32 does not use');
  if (polymod([...expand(prefix), ...groups]) !== 1) throw new FormatError('bech32', 'wrong checksum');
  const data = groups.slice(0, -6);
  const bytes = Uint8Array.from(regroup(data, 5, 8));
  if (regroup(bytes, 8, 5).some((group, i) => group !== data[i]) || Math.ceil((bytes.length * 8) / 5) !== data.length) {
    throw new FormatError('bech32', 'padding is not zero');
  }
  return { prefix, bytes };
}

/** Packs bits anew: from 8 to 5 the last group is padded with zeros, from 5 to 8 bits that fill no byte are left out. */
function regroup(values: Iterable<number>, from: number, to: number): number[] {
  const groups: number[] = [];
  let [bits, count] = [0, 0];
  for (const value of values) {
    bits = (bits << from) | value;
    count += from;
    for (; count >= to; count -= to) groups.push((bits >> (count - to)) & ((1 << to) - 1));
    bits &= (1 << count) - 1;
  }
  if (count > 0 && to < from) groups.push(bits << (to - count));
  return groups;
}

function expand(prefix: string): number[] {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

function polymod(values: Iterable<number>): number {
  let checksum = 1;
  for (const value of values) {
    const top = checksum >>> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ value;
    for (let i = 0; i < 5; i++) if ((top >> i) & 1) checksum ^= GENERATOR[i];
  }
  return checksum;
}
