/**
 * PNG (W3C PNG, third edition), as much of it as screens need: writes 8-bit RGB; reads 8-bit RGB and RGBA that is not
 * interlaced, and refuses everything else.
 *
 * zlib comes from outside: pass Node's deflateSync and inflateSync, or, where only asynchronous ones exist (browsers'
 * CompressionStream), call the two halves: `pngScanlines` and `assemblePng`, `openPng` and `pngPixels`.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { crc32 } from './crc32.ts';
import { isScreenSize } from './screen.ts';

/** Pixels to write, or that were read. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** R, G, B, 0xFF each, rows from the top. */
  readonly pixels: Uint8Array;
}

/** What a PNG file holds, its image data still compressed. */
export interface OpenedPng {
  readonly width: number;
  readonly height: number;
  /** 3: RGB, 4: RGBA. */
  readonly channels: 3 | 4;
  /** A zlib stream. */
  readonly compressed: Uint8Array;
  /** Bytes that the zlib stream must give: let the inflater stop there. */
  readonly scanlineBytes: number;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const HEADER_LENGTH = 13;
const Filter = { none: 0, sub: 1, up: 2, average: 3, paeth: 4 } as const;
const COLOR_TYPES: Readonly<Record<number, string>> = {
  0: 'grey',
  2: 'RGB',
  3: 'palette',
  4: 'grey and alpha',
  6: 'RGBA',
};

/** Writes a PNG. @param deflate to zlib format */
export function writePng(picture: Picture, deflate: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  return assemblePng(picture.width, picture.height, deflate(pngScanlines(picture)));
}

/**
 * Filtered scanlines of a picture, to be compressed. Each row gets the filter, sub or up, that leaves fewer pixels
 * other than zero: on screens within 10 % of the best choice, and no disaster on photographs.
 */
export function pngScanlines(picture: Picture): Uint8Array {
  const { width, height, pixels } = picture;
  const words = wordsOf(pixels);
  const lines = new Uint8Array((width * 3 + 1) * height);
  for (let y = 0, at = 0; y < height; y++) {
    const start = y * width;
    let changes = 0;
    for (let i = start + 1; i < start + width; i++) {
      if (words[i] !== words[i - 1]) changes++;
      if (y === 0 || words[i] !== words[i - width]) changes--;
    }
    const isUp = changes >= 0 && y > 0;
    lines[at++] = isUp ? Filter.up : Filter.sub;
    const distance = isUp ? width : 1;
    for (let i = start; i < start + width; i++, at += 3) {
      const word = words[i];
      const base = i === start && !isUp ? 0 : words[i - distance];
      lines[at] = word - base;
      lines[at + 1] = (word >> 8) - (base >> 8);
      lines[at + 2] = (word >> 16) - (base >> 16);
    }
  }
  return lines;
}

/** Pixels as words: a view where alignment allows it. */
function wordsOf(pixels: Uint8Array): Uint32Array {
  const { buffer, byteOffset } = pixels.byteOffset % 4 === 0 ? pixels : pixels.slice();
  return new Uint32Array(buffer, byteOffset, pixels.length >> 2);
}

/** The file around a picture's compressed scanlines. */
export function assemblePng(width: number, height: number, compressed: Uint8Array): Uint8Array {
  const header = new Writer(HEADER_LENGTH).u32be(width).u32be(height).u8(8).u8(2).u8(0).u8(0).u8(0);
  const writer = new Writer(SIGNATURE.length + 3 * 12 + HEADER_LENGTH + compressed.length).raw(SIGNATURE);
  writeChunk(writer, 'IHDR', header.finish());
  writeChunk(writer, 'IDAT', compressed);
  writeChunk(writer, 'IEND', new Uint8Array(0));
  return writer.finish();
}

function writeChunk(writer: Writer, type: string, body: Uint8Array): void {
  const name = Uint8Array.from(type, (character) => character.charCodeAt(0));
  writer
    .u32be(body.length)
    .raw(name)
    .raw(body)
    .u32be(crc32(body, crc32(name)));
}

/**
 * Reads a PNG.
 * @param inflate from zlib format, to at most `limit` bytes; may throw anything on bad data
 * @throws DecodeError when the file is damaged or of a kind that this reader refuses
 */
export function readPng(file: Uint8Array, inflate: (bytes: Uint8Array, limit: number) => Uint8Array): Picture {
  const opened = openPng(file);
  let lines: Uint8Array;
  try {
    lines = inflate(opened.compressed, opened.scanlineBytes);
  } catch (error) {
    throw new DecodeError('IDAT', `cannot be inflated: ${error instanceof Error ? error.message : error}`, 0);
  }
  return pngPixels(opened, lines);
}

/** Reads a PNG's chunks. @throws DecodeError as readPng */
export function openPng(file: Uint8Array): OpenedPng {
  const reader = new Reader(file);
  const signature = reader.take(SIGNATURE.length, 'signature');
  if (!SIGNATURE.every((byte, i) => signature[i] === byte)) throw new DecodeError('signature', 'is not that of PNG', 0);
  let header: Pick<OpenedPng, 'width' | 'height' | 'channels'> | null = null;
  const parts: Uint8Array[] = [];
  for (;;) {
    const { type, body } = readChunk(reader);
    if (type === 'IEND') break;
    if (type === 'IHDR') header = readHeader(new Reader(body));
    else if (type === 'IDAT') parts.push(body);
    // A lower-case first letter says that a decoder may skip the chunk; a palette only advises in RGB files.
    else if (type[0] < 'a' && type !== 'PLTE') throw reader.error(type, 'is a chunk that this reader does not know');
  }
  if (header === null) throw reader.error('IHDR', 'is missing');
  const compressed = new Writer(parts.reduce((sum, part) => sum + part.length, 0));
  for (const part of parts) compressed.raw(part);
  const scanlineBytes = (header.width * header.channels + 1) * header.height;
  return { ...header, compressed: compressed.finish(), scanlineBytes };
}

function readChunk(reader: Reader): { type: string; body: Uint8Array } {
  const length = reader.u32be('chunk length');
  const name = reader.take(4, 'chunk type');
  const body = reader.take(length, 'chunk data');
  const type = String.fromCharCode(...name);
  if (reader.u32be('chunk CRC') !== crc32(body, crc32(name))) throw reader.error(type, 'has a wrong CRC: damaged');
  return { type, body };
}

function readHeader(reader: Reader): Pick<OpenedPng, 'width' | 'height' | 'channels'> {
  const width = reader.u32be('width');
  const height = reader.u32be('height');
  if (!isScreenSize(width, height)) throw reader.error('size', `${width} x ${height}: at most 8192 a side, 8K in all`);
  const depth = reader.u8('bit depth');
  const colorType = reader.u8('colour type');
  reader.skip(2, 'compression and filter method');
  const interlaced = reader.u8('interlace method') !== 0;
  if (depth !== 8 || (colorType !== 2 && colorType !== 6) || interlaced) {
    const found = `${depth}-bit ${COLOR_TYPES[colorType] ?? `colour type ${colorType}`}${interlaced ? ', interlaced' : ''}`;
    throw reader.error('picture', `is ${found}: only 8-bit RGB and RGBA, not interlaced, are read`);
  }
  return { width, height, channels: colorType === 6 ? 4 : 3 };
}

/**
 * Pixels of decompressed scanlines. Alpha is left out: a screen has none.
 * @throws DecodeError when the scanlines are short, or filtered in an unknown way
 */
export function pngPixels(opened: OpenedPng, lines: Uint8Array): Picture {
  const { width, height, channels } = opened;
  if (lines.length !== opened.scanlineBytes) {
    throw new DecodeError('IDAT', `holds ${lines.length} bytes of pixels, ${opened.scanlineBytes} are wanted`, 0);
  }
  const pixels = new Uint8Array(width * height * 4).fill(0xff);
  const pitch = width * channels;
  let row = new Uint8Array(pitch);
  let above = new Uint8Array(pitch);
  for (let y = 0, to = 0; y < height; y++) {
    const from = y * (pitch + 1);
    unfilter(lines[from], lines.subarray(from + 1, from + 1 + pitch), row, above, channels);
    for (let i = 0; i < pitch; i += channels, to += 4) {
      pixels[to] = row[i];
      pixels[to + 1] = row[i + 1];
      pixels[to + 2] = row[i + 2];
    }
    [row, above] = [above, row];
  }
  return { width, height, pixels };
}

function unfilter(filter: number, line: Uint8Array, row: Uint8Array, above: Uint8Array, channels: number): void {
  switch (filter) {
    case Filter.none:
      row.set(line);
      break;
    case Filter.sub:
      for (let i = 0; i < line.length; i++) row[i] = line[i] + (i < channels ? 0 : row[i - channels]);
      break;
    case Filter.up:
      for (let i = 0; i < line.length; i++) row[i] = line[i] + above[i];
      break;
    case Filter.average:
      for (let i = 0; i < line.length; i++) {
        row[i] = line[i] + (((i < channels ? 0 : row[i - channels]) + above[i]) >> 1);
      }
      break;
    case Filter.paeth:
      for (let i = 0; i < line.length; i++) {
        const isFirst = i < channels;
        row[i] = line[i] + paeth(isFirst ? 0 : row[i - channels], above[i], isFirst ? 0 : above[i - channels]);
      }
      break;
    default:
      throw new DecodeError('filter type', `${filter} is unknown`, 0);
  }
}

/** Of left, above and above left, the one nearest to left + above - above left. */
function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
