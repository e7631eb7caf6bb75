/** The picture that updates are applied to. */
import { OPAQUE } from '../codec/pixel.ts';
import { intersect, type Rectangle, rectangle } from './rectangle.ts';

/** Greatest width and height of a desktop ([MS-RDPBCGR] 2.2.1.3.2), and most pixels: those of 8K. */
export const MAX_SIDE = 8192;
export const MAX_SCREEN_PIXELS = 7680 * 4320;

/** Pixels from which on a row is copied by the engine. */
const LONG_ROW = 200;

/** Whether a desktop may be this large. */
export function isScreenSize(width: number, height: number): boolean {
  const isSide = (side: number) => Number.isInteger(side) && side > 0 && side <= MAX_SIDE;
  return isSide(width) && isSide(height) && width * height <= MAX_SCREEN_PIXELS;
}

export class Screen {
  #width = 0;
  #height = 0;
  #words = new Uint32Array(0);
  #pixels = new Uint8Array(0);

  /**
   * A black screen.
   * @throws RangeError when a desktop cannot have this size
   */
  constructor(width: number, height: number) {
    this.resize(width, height);
  }

  /** Pixels in a row. */
  get width(): number {
    return this.#width;
  }

  /** Rows. */
  get height(): number {
    return this.#height;
  }

  /** R, G, B, 0xFF for each pixel, rows from the top: the screen itself, until the next resize. */
  get pixels(): Uint8Array<ArrayBuffer> {
    return this.#pixels;
  }

  /** The same memory as words (codec/pixel.ts). */
  get words(): Uint32Array<ArrayBuffer> {
    return this.#words;
  }

  /** All of it. */
  get bounds(): Rectangle {
    return rectangle(0, 0, this.#width, this.#height);
  }

  /**
   * Becomes a black screen of another size.
   * @throws RangeError when a desktop cannot have this size
   */
  resize(width: number, height: number): void {
    if (!isScreenSize(width, height))
      throw new RangeError(`screen of ${width} x ${height}: at most 8192 a side, 8K in all`);
    this.#words = new Uint32Array(width * height).fill(OPAQUE);
    this.#pixels = new Uint8Array(this.#words.buffer);
    this.#width = width;
    this.#height = height;
  }

  /**
   * Copies the part of a bitmap, top row first, that lies within `clip` and the screen.
   *
   * @param source RGBX words, `stride` to a row
   * @param covered where the bitmap stands on the screen
   * @returns what was painted, or null when nothing was
   */
  blit(source: Uint32Array, stride: number, covered: Rectangle, clip: Rectangle): Rectangle | null {
    const left = Math.max(covered.left, clip.left, 0);
    const top = Math.max(covered.top, clip.top, 0);
    const right = Math.min(covered.right, clip.right, this.#width);
    const bottom = Math.min(covered.bottom, clip.bottom, this.#height);
    if (left >= right || top >= bottom) return null;
    for (let y = top; y < bottom; y++) {
      const from = (y - covered.top) * stride - covered.left;
      const to = y * this.#width;
      for (let x = left; x < right; x++) this.#words[to + x] = source[from + x];
    }
    return { left, top, right, bottom };
  }

  /**
   * Copies a bitmap, bottom row first, to a rectangle. The bitmap may be wider or higher than the rectangle, since
   * servers pad it: its top left part is taken. What lies outside the screen is cut off.
   *
   * @param source RGBX words, `width` to a row, `height` rows
   * @returns what was painted, or null when nothing was
   */
  blitBottomUp(source: Uint32Array, width: number, height: number, target: Rectangle): Rectangle | null {
    const covered = rectangle(target.left, target.top, width, height);
    const shown = intersect(covered, target);
    const painted = shown && intersect(shown, this.bounds);
    if (painted === null) return null;
    const columns = painted.right - painted.left;
    const words = this.#words;
    for (let y = painted.top; y < painted.bottom; y++) {
      const from = (height - 1 - (y - target.top)) * width + painted.left - target.left;
      const to = y * this.#width + painted.left;
      // A view costs more than copying a short row by hand.
      if (columns < LONG_ROW) for (let x = 0; x < columns; x++) words[to + x] = source[from + x];
      else words.set(source.subarray(from, from + columns), to);
    }
    return painted;
  }
}
