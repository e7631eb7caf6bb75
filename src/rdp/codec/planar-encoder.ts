/** Encodes bitmaps as RDP 6.0 planar, run-length encoded RGB: the counterpart of planar.ts, for desktops of our own. */
import { Writer } from '../bytes.ts';
import { PlanarFormat } from './planar.ts';

const MIN_RUN = 3;
const MAX_RAW = 15;

/**
 * Encodes a bitmap as an RDP6_BITMAP_STREAM ([MS-RDPEGDI] 2.2.2.5.1).
 *
 * @param pixels 32-bit wire pixels (see pack-pixels.ts), whole rows in the order of the wire
 * @param width pixels in a row
 * @param options.alpha whether to write an alpha plane too (all 0xFF), as some servers do
 */
export function encodePlanar(pixels: Uint32Array, width: number, options: { alpha?: boolean } = {}): Uint8Array {
  const writer = new Writer(64 + pixels.length);
  writer.u8(PlanarFormat.runLength | (options.alpha ? 0 : PlanarFormat.noAlpha));
  if (options.alpha) writePlane(writer, new Uint32Array(pixels.length).fill(0xff), width, 0);
  for (const shift of [16, 8, 0]) writePlane(writer, pixels, width, shift);
  return writer.finish();
}

function writePlane(writer: Writer, pixels: Uint32Array, width: number, shift: number): void {
  const line = new Uint8Array(width);
  for (let start = 0; start < pixels.length; start += width) {
    for (let x = 0; x < width; x++) {
      const value = (pixels[start + x] >> shift) & 0xff;
      if (start === 0) line[x] = value;
      else {
        const delta = ((value - ((pixels[start + x - width] >> shift) & 0xff)) << 24) >> 24;
        line[x] = delta < 0 ? -delta * 2 - 1 : delta * 2;
      }
    }
    writeLine(writer, line);
  }
}

/** RDP6_RLE_SEGMENTs of one scanline: raw bytes, then a run of the byte before it (zero at the start of the line). */
function writeLine(writer: Writer, line: Uint8Array): void {
  let at = 0;
  while (at < line.length) {
    const rawFrom = at;
    let run = runAfter(line, at);
    while (run < MIN_RUN && at < line.length && at - rawFrom < MAX_RAW) run = runAfter(line, ++at);
    if (run < MIN_RUN) run = 0;
    const raw = at - rawFrom;
    const joined = raw > 0 || run < 16 ? Math.min(run, 15) : 0;
    if (raw + joined > 0) writer.u8((raw << 4) | joined).raw(line.subarray(rawFrom, at));
    at += joined;
    for (let left = run - joined; left >= 16; left = run - (at - rawFrom - raw)) {
      const length = Math.min(left, 47);
      writer.u8(length < 32 ? ((length - 16) << 4) | 1 : ((length - 32) << 4) | 2);
      at += length;
    }
  }
}

/** How many bytes from `at` on equal the byte before it. */
function runAfter(line: Uint8Array, at: number): number {
  const value = at === 0 ? 0 : line[at - 1];
  let end = at;
  while (end < line.length && line[end] === value) end++;
  return end - at;
}
