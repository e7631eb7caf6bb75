/**
 * NSCodec bitmaps: [MS-RDPNSC] 2.2.2 (NSCODEC_BITMAP_STREAM), 3.1.8. Four planes (luma, orange chroma, green chroma, alpha),
 * each raw or run-length encoded, chroma perhaps at half size and without its lowest bits. Little-endian. A bitmap depends
 * on none before it.
 */
import { DecodeError, Reader } from '../bytes.ts';
import { clampChannel, OPAQUE } from './pixel.ts';

/** Greatest ColorLossLevel; the least is 1, no loss. */
export const MAX_COLOR_LOSS = 7;
/** Bytes at a plane's end that are never in runs. */
export const PLANE_TAIL = 4;

/** Sizes of the luma and the chroma planes in samples: subsampled ones are padded to whole 8 × 2 blocks. */
export function planeLayout(width: number, height: number, isSubsampled: boolean) {
  if (!isSubsampled) return { stride: width, chromaStride: width, luma: width * height, chroma: width * height };
  const stride = (width + 7) & ~7;
  const chromaStride = stride >> 1;
  return { stride, chromaStride, luma: stride * height, chroma: chromaStride * ((height + 1) >> 1) };
}

export class NsCodecDecoder {
  #words = new Uint32Array(0);
  #planes = new Uint8Array(0);

  /**
   * Decodes a bitmap.
   *
   * @param data the NSCODEC_BITMAP_STREAM; bytes after the last plane are ignored
   * @returns RGBX words, rows in the order of the wire; valid until the next call
   * @throws DecodeError when a plane ends early or has too much, or the colour loss is out of range
   */
  decode(data: Uint8Array, width: number, height: number): Uint32Array {
    const reader = new Reader(data);
    const lumaSize = reader.u32('LumaPlaneByteCount');
    const orangeSize = reader.u32('OrangeChromaPlaneByteCount');
    const greenSize = reader.u32('GreenChromaPlaneByteCount');
    reader.skip(4, 'AlphaPlaneByteCount');
    const loss = reader.u8('ColorLossLevel');
    if (loss < 1 || loss > MAX_COLOR_LOSS) throw reader.error('ColorLossLevel', `is ${loss}, wanted 1 to 7`);
    const isSubsampled = reader.u8('ChromaSubsamplingLevel') !== 0;
    reader.skip(2, 'Reserved');

    const layout = planeLayout(width, height, isSubsampled);
    const total = layout.luma + 2 * layout.chroma;
    if (this.#planes.length < total) this.#planes = new Uint8Array(total);
    if (this.#words.length < width * height) this.#words = new Uint32Array(width * height);
    const luma = this.#planes.subarray(0, layout.luma);
    const orange = this.#planes.subarray(layout.luma, layout.luma + layout.chroma);
    const green = this.#planes.subarray(layout.luma + layout.chroma, total);
    readPlane(reader.take(lumaSize, 'LumaPlane'), luma);
    readPlane(reader.take(orangeSize, 'OrangeChromaPlane'), orange);
    readPlane(reader.take(greenSize, 'GreenChromaPlane'), green);

    const words = this.#words.subarray(0, width * height);
    const half = isSubsampled ? 1 : 0;
    // Half of the chroma's weight is in the shift
    const shift = 23 + loss;
    for (let y = 0, at = 0; y < height; y++) {
      const lumaAt = y * layout.stride;
      const chromaAt = (y >> half) * layout.chromaStride;
      for (let x = 0; x < width; x++, at++) {
        const from = chromaAt + (x >> half);
        words[at] = toRgbx(luma[lumaAt + x], (orange[from] << shift) >> 24, (green[from] << shift) >> 24);
      }
    }
    return words;
  }
}

function toRgbx(luma: number, orange: number, green: number): number {
  const rest = luma - green;
  return OPAQUE | (clampChannel(rest - orange) << 16) | (clampChannel(luma + green) << 8) | clampChannel(rest + orange);
}

/**
 * Fills a plane: none is all 0xFF, one of full size is raw, a smaller one is run-length encoded ([MS-RDPNSC] 2.2.2.1). There
 * a value that comes twice is followed by how often more: a byte, or 0xFF and the whole length as u32.
 */
function readPlane(data: Uint8Array, out: Uint8Array): void {
  if (data.length === 0) {
    out.fill(0xff);
    return;
  }
  if (data.length >= out.length) {
    out.set(data.subarray(0, out.length));
    return;
  }
  const end = out.length - PLANE_TAIL;
  let from = 0;
  let at = 0;
  while (at < end) {
    const value = data[from++];
    if (at === end - 1 || value !== data[from]) {
      out[at++] = value;
    } else {
      let run = data[++from] + 2;
      from++;
      if (run === 0xff + 2) {
        run = (data[from] | (data[from + 1] << 8) | (data[from + 2] << 16) | (data[from + 3] << 24)) >>> 0;
        from += 4;
      }
      if (run > end - at) throw new DecodeError('plane', `a run of ${run} passes its end`, from);
      out.fill(value, at, at + run);
      at += run;
    }
    if (from > data.length) throw new DecodeError('plane', 'the data ends within it', data.length);
  }
  if (from + PLANE_TAIL > data.length) throw new DecodeError('plane', 'the data ends before its last four bytes', from);
  out.set(data.subarray(from, from + PLANE_TAIL), end);
}
