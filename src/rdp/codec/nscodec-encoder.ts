/** Encodes pixels with NSCodec ([MS-RDPNSC] 3.1.8.1): for the demo desktop, tests and benchmarks. Little-endian. */
import { Writer } from '../bytes.ts';
import { PLANE_TAIL, planeLayout } from './nscodec.ts';

export interface NsCodecOptions {
  /** 1 (none) to 7: low bits that chroma loses, and one more for its half weight. */
  readonly colorLossLevel: number;
  /** Whether four pixels share their chroma. */
  readonly isSubsampled: boolean;
}

/** Greatest run that is told in one byte. */
const SHORT_RUN = 255;

/**
 * @param words RGBX, `width` to a row, in the order of the wire: bottom row first for surface commands
 * @returns the NSCODEC_BITMAP_STREAM, without an alpha plane
 */
export function encodeNsCodec(words: Uint32Array, width: number, height: number, options: NsCodecOptions): Uint8Array {
  const { colorLossLevel, isSubsampled } = options;
  const layout = planeLayout(width, height, isSubsampled);
  const luma = new Uint8Array(layout.luma);
  const orange = new Uint8Array(layout.chroma);
  const green = new Uint8Array(layout.chroma);
  const half = isSubsampled ? 1 : 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const word = words[y * width + x];
      const [red, middle, blue] = [word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff];
      const chromaAt = (y >> half) * layout.chromaStride + (x >> half);
      luma[y * layout.stride + x] = (red >> 2) + (middle >> 1) + (blue >> 2);
      orange[chromaAt] = (red - blue) >> colorLossLevel;
      green[chromaAt] = (middle - (red >> 1) - (blue >> 1)) >> colorLossLevel;
    }
  }
  const planes = [luma, orange, green].map(compressPlane);
  const writer = new Writer(20 + planes.reduce((sum, plane) => sum + plane.length, 0));
  for (const plane of planes) writer.u32(plane.length);
  writer
    .u32(0)
    .u8(colorLossLevel)
    .u8(isSubsampled ? 1 : 0)
    .u16(0);
  for (const plane of planes) writer.raw(plane);
  return writer.finish();
}

/** The plane run-length encoded, or as it is when that is no longer. */
function compressPlane(plane: Uint8Array): Uint8Array {
  const writer = new Writer(plane.length);
  const end = plane.length - PLANE_TAIL;
  for (let at = 0; at < end && writer.length + PLANE_TAIL < plane.length; ) {
    const value = plane[at];
    let run = 1;
    while (at + run < end && plane[at + run] === value) run++;
    at += run;
    writer.u8(value);
    if (run === 1) continue;
    writer.u8(value);
    if (run <= SHORT_RUN) writer.u8(run - 2);
    else writer.u8(0xff).u32(run);
  }
  writer.raw(plane.subarray(Math.max(end, 0)));
  return writer.length < plane.length ? writer.finish() : plane;
}
