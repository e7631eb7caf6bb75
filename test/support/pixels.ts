import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { deflateSync } from 'node:zlib';
import { writePng } from '#rdp/graphics/png.ts';

/** Pixels in rows from the top; 4 bytes each: red, green, blue, 0xff. */
export interface Picture {
  width: number;
  height: number;
  pixels: Uint8Array;
}

export interface Rectangle {
  left: number;
  top: number;
  width: number;
  height: number;
}

/**
 * What a screen of 16 bits a pixel makes of colours: 5-6-5 bits, widened again by repeating the high bits.
 *
 * @param how Xvnc rounds to the nearest of the fewer shades; xorgxrdp and everybody else cuts the low bits off
 */
export function quantise565({ width, height, pixels }: Picture, how: 'round' | 'cut' = 'cut'): Picture {
  const table = (bits: number) =>
    Uint8Array.from({ length: 256 }, (_, value) => {
      const narrow = how === 'cut' ? value >> (8 - bits) : Math.floor((value * ((1 << bits) - 1) + 128) / 255);
      const wide = narrow << (8 - bits);
      return wide | (wide >> bits);
    });
  const [five, six] = [table(5), table(6)];
  const out = new Uint8Array(pixels.length);
  for (let i = 0; i < pixels.length; i += 4) {
    out[i] = five[pixels[i]];
    out[i + 1] = six[pixels[i + 1]];
    out[i + 2] = five[pixels[i + 2]];
    out[i + 3] = 0xff;
  }
  return { width, height, pixels: out };
}

/** The part of a picture within a rectangle, as far as the picture goes. */
export function crop(picture: Picture, { left, top, ...size }: Rectangle): Picture {
  const width = Math.min(size.width, picture.width - left);
  const height = Math.min(size.height, picture.height - top);
  const pixels = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * 4;
    pixels.set(picture.pixels.subarray(from, from + width * 4), y * width * 4);
  }
  return { width, height, pixels };
}

/**
 * The smallest rectangle that holds every pixel in which two pictures differ, and how many; null for none. Pictures of
 * different sizes differ everywhere.
 *
 * @param tolerance by how much a channel may differ
 */
export function difference(a: Picture, b: Picture, tolerance = 0): (Rectangle & { count: number }) | null {
  if (a.width !== b.width || a.height !== b.height) {
    return { left: 0, top: 0, width: a.width, height: a.height, count: a.width * a.height };
  }
  let [left, top, right, bottom, count] = [a.width, a.height, -1, -1, 0];
  for (let y = 0; y < a.height; y++) {
    for (let x = 0; x < a.width; x++) {
      const i = (y * a.width + x) * 4;
      if (
        Math.abs(a.pixels[i] - b.pixels[i]) <= tolerance &&
        Math.abs(a.pixels[i + 1] - b.pixels[i + 1]) <= tolerance &&
        Math.abs(a.pixels[i + 2] - b.pixels[i + 2]) <= tolerance
      ) {
        continue;
      }
      count++;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return count === 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1, count };
}

export function savePng(path: string, picture: Picture): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, writePng(picture, deflateSync));
}

/**
 * Requires two pictures to be equal in every pixel.
 *
 * @param files where the two pictures and their difference (red where they differ) are written if they are not: this path
 *   with `.actual.png`, `.expected.png` and `.diff.png`
 * @throws Error that names the rectangle in which they differ
 */
export function assertSamePixels(actual: Picture, expected: Picture, files: string, tolerance = 0): void {
  const size = (picture: Picture) => `${picture.width}x${picture.height}`;
  const save = () => {
    savePng(`${files}.actual.png`, actual);
    savePng(`${files}.expected.png`, expected);
  };
  if (size(actual) !== size(expected)) {
    save();
    throw new Error(`the picture is ${size(actual)}, wanted ${size(expected)}; see ${files}.*.png`);
  }
  const found = difference(actual, expected, tolerance);
  if (found === null) return;
  save();
  savePng(`${files}.diff.png`, differencePicture(actual, expected));
  const i = (found.top * actual.width + found.left) * 4;
  const { left, top, width, height, count } = found;
  throw new Error(
    `${count} pixels differ, all within ${width}x${height} at ${left},${top} (row ${top}, column ${left} on: ` +
      `[${actual.pixels.subarray(i, i + 4)}], wanted [${expected.pixels.subarray(i, i + 4)}]); see ${files}.*.png`,
  );
}

/** Equal pixels pale, different ones red. */
function differencePicture(a: Picture, b: Picture): Picture {
  const pixels = new Uint8Array(a.pixels.length);
  for (let i = 0; i < pixels.length; i += 4) {
    const same =
      a.pixels[i] === b.pixels[i] && a.pixels[i + 1] === b.pixels[i + 1] && a.pixels[i + 2] === b.pixels[i + 2];
    const grey = 192 + ((a.pixels[i] + a.pixels[i + 1] + a.pixels[i + 2]) >> 4);
    pixels.set(same ? [grey, grey, grey, 0xff] : [0xff, 0, 0, 0xff], i);
  }
  return { width: a.width, height: a.height, pixels };
}
