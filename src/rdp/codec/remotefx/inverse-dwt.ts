/**
 * Inverse discrete wavelet transform, reversible 5/3 filter, three levels ([MS-RDPRFX] 3.1.8.2.3, inverse of 3.1.8.1.4).
 */

/** The bands of each level begin with HL, LH, HH, and LL after them: LL of one level is the picture of the one below. */
const LEVELS = [
  { start: 3840, size: 8 },
  { start: 3072, size: 16 },
  { start: 0, size: 32 },
] as const;

/**
 * Turns the sub-bands of a component into its 64 × 64 samples, in place.
 *
 * @param coefficients 4096: sub-bands as sub-bands.ts lays them out, afterwards rows from the top
 * @param scratch 4096 of any content
 */
export function inverseDwt(coefficients: Int16Array, scratch: Int16Array): void {
  for (const { start, size } of LEVELS) {
    const area = size * size;
    const width = 2 * size;
    // LL and HL make the upper half of low rows, LH and HH the lower half of high rows
    for (let row = 0; row < size; row++) {
      const at = start + row * size;
      joinLine(coefficients, at + 3 * area, at, 1, scratch, row * width, 1, size);
      joinLine(coefficients, at + area, at + 2 * area, 1, scratch, (size + row) * width, 1, size);
    }
    for (let x = 0; x < width; x++) {
      joinLine(scratch, x, x + 2 * area, width, coefficients, start + x, width, size);
    }
  }
}

/**
 * Makes a row or column of 2 × size samples, `outStep` apart, from low-pass and high-pass coefficients, `step` apart. The
 * ends of the line mirror it: the first high-pass coefficient and the last even sample stand for their missing neighbours.
 */
function joinLine(
  from: Int16Array,
  lowAt: number,
  highAt: number,
  step: number,
  to: Int16Array,
  outAt: number,
  outStep: number,
  size: number,
): void {
  let low = lowAt;
  let high = highAt;
  let out = outAt;
  let before = from[high];
  let even = from[low] - before;
  for (let n = 1; n < size; n++) {
    low += step;
    high += step;
    const after = from[high];
    const next = from[low] - ((before + after + 1) >> 1);
    to[out] = even;
    to[out + outStep] = (before << 1) + ((even + next) >> 1);
    out += 2 * outStep;
    before = after;
    even = next;
  }
  to[out] = even;
  to[out + outStep] = (before << 1) + even;
}
