/**
 * RDP 6.0 planar bitmaps, 32 bits per pixel: [MS-RDPEGDI] 2.2.2.5.1 (RDP6_BITMAP_STREAM), 3.1.9.
 *
 * Colour planes are either R, G, B or, with colour loss, Y, Co, Cg (the chroma ones perhaps at half size); each is raw
 * or run-length encoded by scanline. The alpha plane says nothing about the screen and is skipped.
 */
import { DecodeError } from '../bytes.ts';
import { OPAQUE } from './pixel.ts';

/** Fields of the FormatHeader byte. */
export const PlanarFormat = {
  colorLossLevel: 0x07,
  chromaSubsampling: 0x08,
  runLength: 0x10,
  noAlpha: 0x20,
} as const;

/**
 * Decodes a whole bitmap.
 *
 * @param data the RDP6_BITMAP_STREAM; bytes after the last plane are ignored
 * @param out receives `width * height` RGBX words, rows in the order of the wire (bottom row first in bitmap updates)
 * @throws DecodeError when a plane ends early or a run leaves its scanline, or for subsampled RGB
 */
export function decodePlanar(data: Uint8Array, width: number, height: number, out: Uint32Array): void {
  const count = width * height;
  if (out.length < count) throw new RangeError(`out holds ${out.length} pixels, ${count} are wanted`);
  if (data.length === 0) throw new DecodeError('formatHeader', 'is missing', 0);
  const header = data[0];
  const loss = header & PlanarFormat.colorLossLevel;
  const subsampled = (header & PlanarFormat.chromaSubsampling) !== 0;
  const encoded = (header & PlanarFormat.runLength) !== 0;
  const alpha = (header & PlanarFormat.noAlpha) === 0;
  if (subsampled && loss === 0) throw new DecodeError('formatHeader', 'subsamples RGB: only YCoCg can be', 0);

  const bytes = new Uint8Array(out.buffer, out.byteOffset, count * 4);
  const readPlane = encoded ? readEncodedPlane : readRawPlane;
  out.fill(OPAQUE, 0, count);
  let from = 1;
  if (alpha) from = encoded ? skipEncodedPlane(data, from, width, height) : from + count;
  if (!subsampled) {
    if (encoded) readEncodedColors(data, from, bytes, width, height);
    else readRawColors(data, from, out, count);
  } else {
    const halfWidth = (width + 1) >> 1;
    const halfHeight = (height + 1) >> 1;
    const chroma = new Uint8Array(halfWidth * halfHeight);
    from = readPlane(data, from, bytes, 4, width, height);
    for (let channel = 1; channel < 3; channel++) {
      from = readPlane(data, from, chroma, 1, halfWidth, halfHeight);
      for (let y = 0, i = channel; y < height; y++) {
        const row = (y >> 1) * halfWidth;
        for (let x = 0; x < width; x++, i += 4) bytes[i] = chroma[row + (x >> 1)];
      }
    }
  }
  if (loss !== 0) convertYCoCg(out, count, loss, alpha);
}

function readRawColors(data: Uint8Array, from: number, out: Uint32Array, count: number): void {
  const green = from + count;
  const blue = green + count;
  if (blue + count > data.length) throw new DecodeError('colorPlanes', `need ${count * 3} bytes`, from);
  for (let i = 0; i < count; i++) {
    out[i] = OPAQUE | (data[blue + i] << 16) | (data[green + i] << 8) | data[from + i];
  }
}

/** Reads a plane into every `step`-th byte of `out`; returns the offset after it. */
function readRawPlane(
  data: Uint8Array,
  from: number,
  out: Uint8Array,
  step: number,
  width: number,
  height: number,
): number {
  const end = from + width * height;
  if (end > data.length) throw new DecodeError('colorPlane', `needs ${end - from} bytes`, from);
  for (let i = from, at = 0; i < end; i++, at += step) out[at] = data[i];
  return end;
}

/** As readRawPlane, for a plane in RDP6_RLE_SEGMENTS. */
function readEncodedPlane(
  data: Uint8Array,
  start: number,
  out: Uint8Array,
  step: number,
  width: number,
  height: number,
): number {
  const pitch = width * step;
  let from = readFirstLine(data, start, out, 0, step, pitch);
  for (let y = 1, line = pitch; y < height; y++, line += pitch) {
    out.copyWithin(line, line - pitch, line);
    from = addLine(data, from, out, line, step, line + pitch);
  }
  return from;
}

/**
 * Reads three encoded planes line by line into the first three of every four bytes. Where a line differs from the one
 * above in nothing, as most of a screen does, copying that once is all the work.
 */
function readEncodedColors(data: Uint8Array, start: number, out: Uint8Array, width: number, height: number): void {
  const pitch = width * 4;
  let red = start;
  let green = skipEncodedPlane(data, red, width, height);
  let blue = skipEncodedPlane(data, green, width, height);
  for (let y = 0, line = 0; y < height; y++, line += pitch) {
    if (y > 0) out.copyWithin(line, line - pitch, line);
    const readLine = y === 0 ? readFirstLine : addLine;
    red = readLine(data, red, out, line, 4, line + pitch);
    green = readLine(data, green, out, line + 1, 4, line + pitch);
    blue = readLine(data, blue, out, line + 2, 4, line + pitch);
  }
}

/** Reads the first line of a plane, whose bytes are values; returns the offset after its segments. */
function readFirstLine(
  data: Uint8Array,
  start: number,
  out: Uint8Array,
  lineAt: number,
  step: number,
  lineEnd: number,
): number {
  let from = start;
  let at = lineAt;
  let value = 0;
  while (at < lineEnd) {
    const control = data[from++];
    let raw = control >> 4;
    let run = control & 15;
    if (run === 1 || run === 2) {
      run = run * 16 + raw;
      raw = 0;
    }
    const rawEnd = at + raw * step;
    const runEnd = rawEnd + run * step;
    if (from + raw > data.length || runEnd - step >= lineEnd) throw badSegment(data, from, raw);
    for (; at < rawEnd; at += step) out[at] = value = data[from++];
    for (; at < runEnd; at += step) out[at] = value;
  }
  return from;
}

/** Adds the differences of a line of a plane to what it holds, the line above; returns the offset after its segments. */
function addLine(
  data: Uint8Array,
  start: number,
  out: Uint8Array,
  lineAt: number,
  step: number,
  lineEnd: number,
): number {
  let from = start;
  let at = lineAt;
  let difference = 0;
  while (at < lineEnd) {
    const control = data[from++];
    let raw = control >> 4;
    let run = control & 15;
    if (run === 1 || run === 2) {
      run = run * 16 + raw;
      raw = 0;
    }
    const rawEnd = at + raw * step;
    const runEnd = rawEnd + run * step;
    if (from + raw > data.length || runEnd - step >= lineEnd) throw badSegment(data, from, raw);
    for (; at < rawEnd; at += step) {
      const coded = data[from++];
      difference = (coded >> 1) ^ -(coded & 1);
      out[at] += difference;
    }
    if (difference === 0) at = runEnd;
    else for (; at < runEnd; at += step) out[at] += difference;
  }
  return from;
}

function badSegment(data: Uint8Array, from: number, raw: number): DecodeError {
  return new DecodeError(
    'rleSegment',
    from + raw > data.length ? 'the data ends within it' : 'leaves its line',
    from - 1,
  );
}

/** The offset after an encoded plane. */
function skipEncodedPlane(data: Uint8Array, start: number, width: number, height: number): number {
  let from = start;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; ) {
      if (from >= data.length) throw new DecodeError('alphaPlane', `line ${y} of ${height} ends early`, from);
      const control = data[from++];
      const raw = control >> 4;
      const run = control & 15;
      if (run === 1 || run === 2) x += run * 16 + raw;
      else {
        from += raw;
        x += raw + run;
      }
      if (x > width) throw new DecodeError('alphaPlane', `runs past line ${y}`, from);
    }
  }
  return from;
}

/**
 * Y, Co, Cg in the three colour bytes become R, G, B ([MS-RDPEGDI] 3.1.9.1.2). Chroma lost `loss` low bits; half of
 * the formula's weights is in the shift.
 */
function convertYCoCg(out: Uint32Array, count: number, loss: number, alpha: boolean): void {
  const shift = 23 + loss;
  const clamp = (v: number) => Math.min(Math.max(v, 0), 255);
  for (let i = 0; i < count; i++) {
    const word = out[i];
    const luma = word & 0xff;
    const orange = (((word >> 8) & 0xff) << shift) >> 24;
    const green = (((word >> 16) & 0xff) << shift) >> 24;
    const rest = luma - green;
    // Without an alpha plane the encoder had red and blue exchanged.
    const red = clamp(alpha ? rest + orange : rest - orange);
    const blue = clamp(alpha ? rest - orange : rest + orange);
    out[i] = OPAQUE | (blue << 16) | (clamp(luma + green) << 8) | red;
  }
}
