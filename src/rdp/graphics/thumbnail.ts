/** Small pictures of a screen. */
import type { Picture } from './png.ts';

/**
 * Scales a picture down to fit into a box, each pixel being the mean of those that it stands for. A picture that fits
 * already is returned as it is.
 *
 * @param maxWidth of the box in pixels
 */
export function shrink(picture: Picture, maxWidth: number, maxHeight: number): Picture {
  const scale = Math.min(maxWidth / picture.width, maxHeight / picture.height);
  if (scale >= 1) return picture;
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const source = picture.pixels;
  const pixels = new Uint8Array(width * height * 4).fill(0xff);
  // Column sums of the source rows that one row of the result stands for.
  const sums = new Uint32Array(width * 3);
  for (let y = 0, to = 0; y < height; y++) {
    const top = Math.floor((y * picture.height) / height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * picture.height) / height));
    sums.fill(0);
    for (let row = top; row < bottom; row++) {
      let from = row * picture.width * 4;
      for (let x = 0, sum = 0; x < width; x++, sum += 3) {
        const right = columnEnd(x, picture.width, width) * 4 + row * picture.width * 4;
        for (; from < right; from += 4) {
          sums[sum] += source[from];
          sums[sum + 1] += source[from + 1];
          sums[sum + 2] += source[from + 2];
        }
      }
    }
    for (let x = 0, left = 0; x < width; x++, to += 4) {
      const right = columnEnd(x, picture.width, width);
      const area = (right - left) * (bottom - top);
      for (let channel = 0; channel < 3; channel++) pixels[to + channel] = Math.round(sums[x * 3 + channel] / area);
      left = right;
    }
  }
  return { width, height, pixels };
}

/** First source column after those of column `x`: each has one at least, since the result is narrower or as wide. */
function columnEnd(x: number, sourceWidth: number, width: number): number {
  return Math.floor(((x + 1) * sourceWidth) / width);
}
