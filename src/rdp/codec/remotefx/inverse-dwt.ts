/**
 * Inverse discrete wavelet transform, reversible 5/3 filter, three levels ([MS-RDPRFX] 3.1.8.2.3, inverse of 3.1.8.1.4).
 * The last high-pass coefficient of a row or column has no right neighbour: the low-pass one beside it counts twice.
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
    // HL and LL make the upper half of low rows, LH and HH the lower half of high rows
    joinRows(coefficients, start + 3 * area, start, scratch, 0, size);
    joinRows(coefficients, start + area, start + 2 * area, scratch, 2 * area, size);
    joinColumns(scratch, coefficients, start, size);
  }
}

/** Makes `size` rows of 2 × size samples from a low-pass and a high-pass band. */
function joinRows(from: Int16Array, lowAt: number, highAt: number, to: Int16Array, toAt: number, size: number): void {
  let low = lowAt;
  let high = highAt;
  let out = toAt;
  for (let row = 0; row < size; row++) {
    let before = from[high];
    let even = from[low] - before;
    for (let x = 1; x < size; x++) {
      const after = from[high + x];
      const next = from[low + x] - ((before + after + 1) >> 1);
      to[out] = even;
      to[out + 1] = (before << 1) + ((even + next) >> 1);
      out += 2;
      before = after;
      even = next;
    }
    to[out] = even;
    to[out + 1] = (before << 1) + even;
    out += 2;
    low += size;
    high += size;
  }
}

/** Makes 2 × size rows of 2 × size samples from the upper (low-pass) and lower (high-pass) half of `from`. */
function joinColumns(from: Int16Array, to: Int16Array, toAt: number, size: number): void {
  const width = size * 2;
  const half = size * width;
  for (let x = 0; x < width; x++) to[toAt + x] = from[x] - from[half + x];
  for (let row = 1; row < size; row++) {
    const low = row * width;
    const high = low + half;
    const even = toAt + 2 * low;
    for (let x = 0; x < width; x++) {
      const before = from[high - width + x];
      const next = from[low + x] - ((before + from[high + x] + 1) >> 1);
      to[even + x] = next;
      to[even - width + x] = (before << 1) + ((to[even - 2 * width + x] + next) >> 1);
    }
  }
  const last = toAt + (2 * size - 1) * width;
  for (let x = 0; x < width; x++) to[last + x] = (from[half + half - width + x] << 1) + to[last - width + x];
}
