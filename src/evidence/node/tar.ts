/** tar archives (POSIX ustar), as far as bundles need them: regular files with short names. */
import { FormatError } from '#evidence/format-error.ts';
import { quote } from '#evidence/text.ts';

/** Headers and file contents are padded to this. */
export const TAR_BLOCK_BYTES = 512;
const CHECKSUM_AT = 148;

/** A member of an archive. */
export interface TarHeader {
  readonly path: string;
  /** Bytes of content. */
  readonly size: number;
  readonly kind: 'file' | 'folder' | 'extension';
}

/**
 * The header of a regular file, mode 0644, of nobody, without a time: the same bundle gives the same archive.
 * @throws RangeError when the path has more than 100 bytes or the size more than 11 octal digits
 */
export function formatTarHeader(path: string, size: number): Buffer {
  if (Buffer.byteLength(path) > 100 || size >= 8 ** 11) throw new RangeError(`tar: ${path} of ${size} bytes`);
  const header = Buffer.alloc(TAR_BLOCK_BYTES);
  header.write(path, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write(`${'0'.repeat(11)}\0`, 136);
  header.write('        ', CHECKSUM_AT);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, CHECKSUM_AT);
  return header;
}

/**
 * Reads a header block.
 * @returns null at the block of zeros that ends an archive
 * @throws FormatError when the block is no header, or of a kind that no bundle has (links, devices, sparse files)
 */
export function parseTarHeader(block: Uint8Array): TarHeader | null {
  if (block.every((byte) => byte === 0)) return null;
  const header = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  if (Number.parseInt(header.toString('latin1', CHECKSUM_AT, CHECKSUM_AT + 8).trim(), 8) !== checksum(header)) {
    throw new FormatError('tar.checksum', 'wrong: this is no tar archive, or a damaged one');
  }
  const name = string(header, 0, 100);
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? string(header, 345, 155) : '';
  const path = prefix === '' ? name : `${prefix}/${name}`;
  const type = String.fromCharCode(header[156]);
  const kind =
    type === '0' || type === '\0' ? 'file' : type === '5' ? 'folder' : /[xg]/.test(type) ? 'extension' : null;
  if (kind === null)
    throw new FormatError('tar.type', `${quote(path)} is of type ${quote(type)}, wanted a regular file`);
  return { path, size: octal(header, 124, 12, 'size'), kind };
}

/** Bytes that follow content of `size` bytes up to the next block. */
export function tarPadding(size: number): number {
  return (TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

function string(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

function octal(header: Buffer, at: number, length: number, field: string): number {
  const digits = string(header, at, length).trim();
  if (!/^[0-7]{1,11}$/.test(digits)) throw new FormatError(`tar.${field}`, `${quote(digits)}, wanted octal digits`);
  return Number.parseInt(digits, 8);
}

/** Sum of the header's bytes, its own field taken as spaces. */
function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < TAR_BLOCK_BYTES; i++) if (i < CHECKSUM_AT || i >= CHECKSUM_AT + 8) sum += header[i];
  return sum;
}
