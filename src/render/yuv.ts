/**
 * RGBX to YUV 4:2:0, three planes, BT.709 with limited range (ITU-R BT.709-6, 3.3 and 3.5): luma for each pixel, chroma
 * for each two by two from their mean, so it stands in their centre.
 */
import type { Rectangle } from '#rdp/graphics/rectangle.ts';

/** Fixed point: coefficients are multiplied by 2^16. */
const SHIFT = 16;
const fixed = (value: number) => Math.round(value * (1 << SHIFT));
const LUMA = 219 / 255;
const CHROMA = 224 / 255;
const [KR, KB] = [0.2126, 0.0722];
const KG = 1 - KR - KB;

const YR = fixed(KR * LUMA);
const YG = fixed(KG * LUMA);
const YB = fixed(KB * LUMA);
const Y_BASE = fixed(16.5);
const UR = fixed((-KR / (2 * (1 - KB))) * CHROMA);
const UG = fixed((-KG / (2 * (1 - KB))) * CHROMA);
const UB = fixed(CHROMA / 2);
const VR = fixed(CHROMA / 2);
const VG = fixed((-KG / (2 * (1 - KR))) * CHROMA);
const VB = fixed((-KB / (2 * (1 - KR))) * CHROMA);
/** Four pixels are summed before the product is divided, by 2^18 then. */
const C_SHIFT = SHIFT + 2;
const C_BASE = 128 * 2 ** C_SHIFT + 2 ** (C_SHIFT - 1);

/** Bytes of a picture in YUV 4:2:0; both sides are even. */
export function yuvBytes(width: number, height: number): number {
  return (width * height * 3) / 2;
}

/**
 * Converts a part of a picture.
 * @param words RGBX, `width` to a row, `height` rows; both even
 * @param area its borders are even, or the picture's own
 * @param target Y, U and V planes one after another, `yuvBytes` long
 */
export function convertToYuv(
  words: Uint32Array,
  width: number,
  height: number,
  area: Rectangle,
  target: Uint8Array,
): void {
  const half = width >> 1;
  const uPlane = width * height;
  const vPlane = uPlane + half * (height >> 1);
  for (let y = area.top; y < area.bottom; y += 2) {
    const upper = y * width;
    const lower = upper + width;
    const chroma = (y >> 1) * half;
    for (let x = area.left; x < area.right; x += 2) {
      const a = words[upper + x];
      const b = words[upper + x + 1];
      const c = words[lower + x];
      const d = words[lower + x + 1];
      target[upper + x] = luma(a);
      target[upper + x + 1] = luma(b);
      target[lower + x] = luma(c);
      target[lower + x + 1] = luma(d);
      const red = (a & 0xff) + (b & 0xff) + (c & 0xff) + (d & 0xff);
      const green = ((a >> 8) & 0xff) + ((b >> 8) & 0xff) + ((c >> 8) & 0xff) + ((d >> 8) & 0xff);
      const blue = ((a >> 16) & 0xff) + ((b >> 16) & 0xff) + ((c >> 16) & 0xff) + ((d >> 16) & 0xff);
      const at = chroma + (x >> 1);
      target[uPlane + at] = (UR * red + UG * green + UB * blue + C_BASE) >> C_SHIFT;
      target[vPlane + at] = (VR * red + VG * green + VB * blue + C_BASE) >> C_SHIFT;
    }
  }
}

function luma(word: number): number {
  return (YR * (word & 0xff) + YG * ((word >> 8) & 0xff) + YB * ((word >> 16) & 0xff) + Y_BASE) >> SHIFT;
}
