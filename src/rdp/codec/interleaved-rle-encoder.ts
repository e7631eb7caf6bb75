/** Encodes bitmaps as interleaved RLE: the counterpart of interleaved-rle.ts, in one pass, for desktops of our own. */
import { Writer } from '../bytes.ts';
import { type BitsPerPixel, bytesPerPixel } from './pixel.ts';

/** Greatest length of a MEGA order. */
const MAX_LENGTH = 0xffff;
/** A run shorter than this is cheaper inside an image. */
const MIN_RUN = 4;
/** A run of this length is cheaper by itself than inside a foreground/background image. */
const WORTH_A_RUN = 24;
/** Pixels that one foreground/background image may cover. */
const MAX_MASKED = 255;

/** Regular headers: kind << 5 with 5 bits of length, or one byte of length - 32; above that MEGA headers. */
function writeHeader(writer: Writer, regular: number, mega: number, length: number): void {
  if (length < 32) writer.u8(regular | length);
  else if (length < 32 + 256) writer.u8(regular).u8(length - 32);
  else writer.u8(mega).u16(length);
}

/** Lite headers: 4 bits of length, or one byte of length - 16. */
function writeLiteHeader(writer: Writer, lite: number, mega: number, length: number): void {
  if (length < 16) writer.u8(lite | length);
  else if (length < 16 + 256) writer.u8(lite).u8(length - 16);
  else writer.u8(mega).u16(length);
}

class Encoder {
  readonly #pixels: Uint32Array;
  readonly #width: number;
  readonly #size: number;
  readonly #writer: Writer;
  #foreground: number;

  constructor(pixels: Uint32Array, width: number, depth: BitsPerPixel) {
    this.#pixels = pixels;
    this.#width = width;
    this.#size = bytesPerPixel(depth);
    this.#foreground = depth === 8 ? 0xff : depth === 15 ? 0x7fff : depth === 16 ? 0xffff : 0xffffff;
    this.#writer = new Writer(64 + (pixels.length >> 1));
  }

  /** What must be XORed on the pixel above (black above the first line) to give pixel `i`. */
  #difference(i: number): number {
    return i < this.#width ? this.#pixels[i] : this.#pixels[i] ^ this.#pixels[i - this.#width];
  }

  #writePixel(pixel: number): void {
    for (let i = 0; i < this.#size; i++) this.#writer.u8((pixel >>> (8 * i)) & 0xff);
  }

  /** Pixels from `i` on, up to `stop`, whose difference is `value`. */
  #runOfDifference(i: number, stop: number, value: number): number {
    let at = i;
    while (at < stop && this.#difference(at) === value) at++;
    return at - i;
  }

  #runOfColor(i: number, stop: number): number {
    let at = i + 1;
    while (at < stop && this.#pixels[at] === this.#pixels[i]) at++;
    return at - i;
  }

  /** Pixels from `i` on that are either as above or `ink` away from it; ends before a run that is worth its own order. */
  #maskable(i: number, stop: number, ink: number): number {
    let at = i;
    let same = 0;
    let last = -1;
    while (at < stop) {
      const difference = this.#difference(at);
      if (difference !== 0 && difference !== ink) break;
      same = difference === last ? same + 1 : 1;
      last = difference;
      at++;
      if (same === WORTH_A_RUN) return at - i - same;
    }
    return at - i;
  }

  #flushImage(from: number, to: number): void {
    for (let i = from; i < to; ) {
      const length = Math.min(to - i, MAX_LENGTH);
      writeHeader(this.#writer, 0x80, 0xf4, length);
      for (const stop = i + length; i < stop; i++) this.#writePixel(this.#pixels[i]);
    }
  }

  #writeMasked(i: number, length: number, ink: number): void {
    const isNew = ink !== this.#foreground;
    const eighth = length >> 3;
    if ((length & 7) === 0 && eighth < (isNew ? 16 : 32)) this.#writer.u8((isNew ? 0xd0 : 0x40) | eighth);
    else this.#writer.u8(isNew ? 0xd0 : 0x40).u8(length - 1);
    if (isNew) this.#writePixel(ink);
    this.#foreground = ink;
    for (let at = i; at < i + length; at += 8) {
      let mask = 0;
      for (let bit = 0; bit < 8 && at + bit < i + length; bit++) if (this.#difference(at + bit) !== 0) mask |= 1 << bit;
      this.#writer.u8(mask);
    }
  }

  #writeForegroundRun(length: number, ink: number): void {
    if (ink === this.#foreground) writeHeader(this.#writer, 0x20, 0xf1, length);
    else {
      writeLiteHeader(this.#writer, 0xc0, 0xf6, length);
      this.#writePixel(ink);
      this.#foreground = ink;
    }
  }

  encode(): Uint8Array {
    const pixels = this.#pixels;
    const end = pixels.length;
    let imageFrom = 0;
    let afterBackground = false;
    let i = 0;
    while (i < end) {
      // Orders that look at the line above must not begin on the first line and end on a later one.
      const lineStop = i < this.#width ? Math.min(this.#width, end) : end;
      const stop = Math.min(lineStop, i + MAX_LENGTH);
      const ink = this.#difference(i);
      const canBackground = ink === 0 && !(afterBackground && imageFrom === i && i !== this.#width);
      const differing = ink === 0 && !canBackground ? 0 : this.#runOfDifference(i, stop, ink);
      const colored = this.#runOfColor(i, Math.min(end, i + MAX_LENGTH));

      if (differing >= MIN_RUN && differing >= colored) {
        this.#flushImage(imageFrom, i);
        if (ink === 0) writeHeader(this.#writer, 0x00, 0xf0, differing);
        else this.#writeForegroundRun(differing, ink);
        afterBackground = ink === 0;
        imageFrom = i += differing;
        continue;
      }
      if (colored >= MIN_RUN) {
        this.#flushImage(imageFrom, i);
        writeHeader(this.#writer, 0x60, 0xf3, colored);
        this.#writePixel(pixels[i]);
        afterBackground = false;
        imageFrom = i += colored;
        continue;
      }
      const mixed = ink === 0 ? this.#foreground : ink;
      const masked = this.#maskable(i, Math.min(lineStop, i + MAX_MASKED), mixed);
      if (masked >= 8) {
        this.#flushImage(imageFrom, i);
        this.#writeMasked(i, masked, mixed);
        afterBackground = false;
        imageFrom = i += masked;
        continue;
      }
      if (imageFrom === i) afterBackground = false;
      i++;
    }
    this.#flushImage(imageFrom, end);
    return this.#writer.finish();
  }
}

/**
 * Encodes a bitmap as an RLE_BITMAP_STREAM ([MS-RDPBCGR] 2.2.9.1.1.3.1.2.4), without TS_CD_HEADER.
 *
 * @param pixels wire pixels (see pack-pixels.ts), whole rows in the order of the wire
 * @param width pixels in a row
 */
export function encodeInterleavedRle(pixels: Uint32Array, width: number, depth: Exclude<BitsPerPixel, 32>): Uint8Array {
  return new Encoder(pixels, width, depth).encode();
}
