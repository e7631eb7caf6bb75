/**
 * Colour conversion between RGB and RemoteFX's YCbCr ([MS-RDPRFX] 3.1.8.1.3, 3.1.8.2.5): samples have five fractional bits
 * and are centred on 0. Weights are scaled by 1 << 16.
 */
import { clampChannel, OPAQUE } from '../pixel.ts';

const HALF = 128 << 5;
/** Half of 1 << 5. */
const ROUNDING = 16;
const CR_TO_RED = 91916;
const CB_TO_GREEN = 22527;
const CR_TO_GREEN = 46819;
const CB_TO_BLUE = 115992;

/**
 * @param luma,blueness,redness Y, Cb, Cr
 * @param out receives as many RGBX words as there are samples
 */
export function convertToRgbx(luma: Int16Array, blueness: Int16Array, redness: Int16Array, out: Uint32Array): void {
  for (let i = 0; i < out.length; i++) {
    const y = luma[i] + HALF + ROUNDING;
    const cb = blueness[i];
    const cr = redness[i];
    const red = (y + (Math.imul(cr, CR_TO_RED) >> 16)) >> 5;
    const green = (y + ((-Math.imul(cb, CB_TO_GREEN) - Math.imul(cr, CR_TO_GREEN)) >> 16)) >> 5;
    const blue = (y + (Math.imul(cb, CB_TO_BLUE) >> 16)) >> 5;
    out[i] = OPAQUE | (clampChannel(blue) << 16) | (clampChannel(green) << 8) | clampChannel(red);
  }
}

/** The other way: weights of [MS-RDPRFX] 3.1.8.1.3, scaled by 1 << 15, results by 1 << 5. */
export function convertFromRgbx(words: Uint32Array, luma: Int16Array, blueness: Int16Array, redness: Int16Array): void {
  for (let i = 0; i < words.length; i++) {
    const red = words[i] & 0xff;
    const green = (words[i] >> 8) & 0xff;
    const blue = (words[i] >> 16) & 0xff;
    luma[i] = ((red * 9798 + green * 19235 + blue * 3735) >> 10) - HALF;
    blueness[i] = (red * -5535 + green * -10868 + blue * 16403) >> 10;
    redness[i] = (red * 16377 + green * -13714 + blue * -2663) >> 10;
  }
}
