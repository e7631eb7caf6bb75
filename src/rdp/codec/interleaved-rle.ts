/**
 * Interleaved run-length encoding of bitmaps at 8, 15, 16 and 24 bits per pixel: [MS-RDPBCGR] 2.2.9.1.1.3.1.2.4
 * (RLE_BITMAP_STREAM), pseudo-code in 3.1.9.
 *
 * Orders work on wire pixels by copying and XOR. Widening by bit replication is linear under XOR, so the decoder works
 * on RGBX words at once; only palette indices are mapped at the end.
 */
import { DecodeError } from '../bytes.ts';
import { type BitsPerPixel, OPAQUE, wideningTable } from './pixel.ts';

/** Order kinds; the values 0 to 4 are the three high bits of a regular order and the low bits of a MEGA one. */
const BACKGROUND_RUN = 0;
const FOREGROUND_RUN = 1;
const FG_BG_IMAGE = 2;
const COLOR_RUN = 3;
const COLOR_IMAGE = 4;
const DITHERED_RUN = 5;
const INVALID = 6;
const SPECIAL_FG_BG = 7;
const SPECIAL_COLOR = 8;

/** Headers 0xF0 to 0xFF, by their low four bits. */
const MEGA_KINDS = [
  BACKGROUND_RUN,
  FOREGROUND_RUN,
  FG_BG_IMAGE,
  COLOR_RUN,
  COLOR_IMAGE,
  INVALID,
  FOREGROUND_RUN,
  FG_BG_IMAGE,
  DITHERED_RUN,
  SPECIAL_FG_BG,
  SPECIAL_FG_BG,
  INVALID,
  INVALID,
  SPECIAL_COLOR,
  SPECIAL_COLOR,
  INVALID,
];

/** Runs longer than this are worth a call of the engine's own fill and copy. */
const BLOCK = 48;

/**
 * Decodes a whole bitmap. Data after the last pixel is ignored: xrdp pads streams.
 *
 * @param data the RLE_BITMAP_STREAM, without TS_CD_HEADER
 * @param width pixels in a row of the source, padding columns included
 * @param depth bits per wire pixel; at 8, `palette` gives the colours
 * @param out receives `width * height` RGBX words, rows in the order of the wire (bottom row first)
 * @throws DecodeError when an order is unknown, runs past the bitmap, or the data ends before the bitmap is full
 */
export function decodeInterleavedRle(
  data: Uint8Array,
  width: number,
  height: number,
  depth: Exclude<BitsPerPixel, 32>,
  palette: Uint32Array,
  out: Uint32Array,
): void {
  const end = width * height;
  if (out.length < end) throw new RangeError(`out holds ${out.length} pixels, ${end} are wanted`);
  const widening = depth === 8 ? palette : depth === 24 ? palette : wideningTable(depth);
  const size = (depth + 7) >> 3;
  const available = data.length;
  const white = depth === 8 ? 0xff : 0xffffff;

  /** Wire pixel at `from`, in the form that the orders work on: RGBX without its X, or a palette index. */
  const pixelAt = (from: number): number => {
    if (from + size > available) throw new DecodeError('rleBitmapStream', 'ends within a pixel', from);
    if (depth === 8) return data[from];
    if (depth === 24) return data[from + 2] | (data[from + 1] << 8) | (data[from] << 16);
    return widening[data[from] | (data[from + 1] << 8)] & 0xffffff;
  };

  let foreground = white;
  let insertForeground = false;
  let firstLine = true;
  let from = 0;
  let at = 0;
  while (at < end) {
    // The specification looks only here: an order that begins on the first line treats all its pixels as first-line.
    if (firstLine && at >= width) {
      firstLine = false;
      insertForeground = false;
    }
    if (from >= available) throw new DecodeError('rleBitmapStream', `ends at pixel ${at} of ${end}`, from);
    const orderAt = from;
    const header = data[from++];
    let kind: number;
    let length: number;
    let setForeground = false;
    if (header < 0xc0) {
      kind = header >> 5;
      if (kind === 5) kind = INVALID;
      length = header & 31;
      if (kind === FG_BG_IMAGE) length = length === 0 ? data[from++] + 1 : length * 8;
      else if (length === 0) length = data[from++] + 32;
    } else if (header < 0xf0) {
      length = header & 15;
      if (header < 0xd0) {
        kind = FOREGROUND_RUN;
        setForeground = true;
        if (length === 0) length = data[from++] + 16;
      } else if (header < 0xe0) {
        kind = FG_BG_IMAGE;
        setForeground = true;
        length = length === 0 ? data[from++] + 1 : length * 8;
      } else {
        kind = DITHERED_RUN;
        if (length === 0) length = data[from++] + 16;
      }
    } else {
      kind = MEGA_KINDS[header & 15];
      setForeground = header === 0xf6 || header === 0xf7;
      if (kind < INVALID) {
        length = data[from] | (data[from + 1] << 8);
        from += 2;
      } else length = kind === SPECIAL_FG_BG ? 8 : 1;
    }
    if (kind === INVALID) throw new DecodeError('rleBitmapStream', `unknown order 0x${header.toString(16)}`, orderAt);
    if (from > available) throw new DecodeError('rleBitmapStream', 'ends within an order header', orderAt);
    if (setForeground) {
      foreground = pixelAt(from);
      from += size;
    }
    const stop = at + (kind === DITHERED_RUN ? length * 2 : length);
    if (stop > end) throw new DecodeError('rleBitmapStream', `order of ${length} at pixel ${at} of ${end}`, orderAt);

    if (kind === BACKGROUND_RUN) {
      if (insertForeground && at < stop) {
        out[at] = firstLine ? foreground | OPAQUE : out[at - width] ^ foreground;
        at++;
      }
      insertForeground = true;
      if (firstLine) {
        if (stop - at >= BLOCK) out.fill(OPAQUE, at, stop);
        else for (let i = at; i < stop; i++) out[i] = OPAQUE;
      } else if (stop - at >= BLOCK) {
        // Runs of several lines repeat the line above: copies must not reach into what they write.
        for (let i = at; i < stop; i += width) out.copyWithin(i, i - width, Math.min(i, stop - width));
      } else for (let i = at; i < stop; i++) out[i] = out[i - width];
      at = stop;
      continue;
    }
    insertForeground = false;

    switch (kind) {
      case FOREGROUND_RUN:
        if (firstLine) out.fill(foreground | OPAQUE, at, stop);
        else for (let i = at; i < stop; i++) out[i] = out[i - width] ^ foreground;
        break;
      case FG_BG_IMAGE:
      case SPECIAL_FG_BG: {
        const fixed = kind === SPECIAL_FG_BG ? (header === 0xf9 ? 0x03 : 0x05) : -1;
        const masks = from;
        if (fixed < 0) {
          from += (length + 7) >> 3;
          if (from > available) throw new DecodeError('rleBitmapStream', 'ends within an image', orderAt);
        }
        for (let i = at, bit = 0; i < stop; i++, bit++) {
          const mask = fixed < 0 ? data[masks + (bit >> 3)] : fixed;
          const ink = (mask >> (bit & 7)) & 1 ? foreground : 0;
          out[i] = firstLine ? ink | OPAQUE : out[i - width] ^ ink;
        }
        break;
      }
      case COLOR_RUN: {
        const color = pixelAt(from) | OPAQUE;
        from += size;
        if (length >= BLOCK) out.fill(color, at, stop);
        else for (let i = at; i < stop; i++) out[i] = color;
        break;
      }
      case DITHERED_RUN: {
        const first = pixelAt(from) | OPAQUE;
        const second = pixelAt(from + size) | OPAQUE;
        from += 2 * size;
        for (let i = at; i < stop; i += 2) {
          out[i] = first;
          out[i + 1] = second;
        }
        break;
      }
      case COLOR_IMAGE: {
        if (from + length * size > available) throw new DecodeError('rleBitmapStream', 'ends within an image', orderAt);
        if (size === 2) {
          for (let i = at; i < stop; i++, from += 2) out[i] = widening[data[from] | (data[from + 1] << 8)];
        } else if (size === 3) {
          for (let i = at; i < stop; i++, from += 3) {
            out[i] = OPAQUE | (data[from] << 16) | (data[from + 1] << 8) | data[from + 2];
          }
        } else for (let i = at; i < stop; i++) out[i] = data[from++] | OPAQUE;
        break;
      }
      case SPECIAL_COLOR:
        out[at] = header === 0xfd ? white | OPAQUE : OPAQUE;
        break;
    }
    at = stop;
  }
  if (depth === 8) for (let i = 0; i < end; i++) out[i] = palette[out[i] & 0xff];
}
