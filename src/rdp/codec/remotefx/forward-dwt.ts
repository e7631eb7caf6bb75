/** Discrete wavelet transform, reversible 5/3 filter, three levels: [MS-RDPRFX] 3.1.8.1.4. The inverse of inverse-dwt.ts. */

const LEVELS = [
  { start: 0, size: 32 },
  { start: 3072, size: 16 },
  { start: 3840, size: 8 },
] as const;

/**
 * Turns the 64 × 64 samples of a component into its sub-bands, in place.
 *
 * @param samples 4096: rows from the top, afterwards sub-bands as sub-bands.ts lays them out
 */
export function forwardDwt(samples: Int16Array): void {
  const scratch = new Int16Array(samples.length);
  for (const { start, size } of LEVELS) {
    const area = size * size;
    const width = 2 * size;
    for (let x = 0; x < width; x++) {
      splitLine(samples, start + x, width, scratch, x, 2 * area + x, width, size);
    }
    for (let row = 0; row < size; row++) {
      const low = row * width;
      const out = start + row * size;
      splitLine(scratch, low, 1, samples, out + 3 * area, out, 1, size);
      splitLine(scratch, low + 2 * area, 1, samples, out + area, out + 2 * area, 1, size);
    }
  }
}

/** Splits a row or column of 2 × size samples, `step` apart, into low-pass and high-pass coefficients, `outStep` apart. */
function splitLine(
  from: Int16Array,
  at: number,
  step: number,
  to: Int16Array,
  lowAt: number,
  highAt: number,
  outStep: number,
  size: number,
): void {
  for (let n = 0; n < size; n++) {
    const even = at + 2 * n * step;
    const next = n < size - 1 ? from[even + 2 * step] : from[even];
    const high = (from[even + step] - ((from[even] + next) >> 1)) >> 1;
    to[highAt + n * outStep] = high;
    const before = n === 0 ? high : to[highAt + (n - 1) * outStep];
    to[lowAt + n * outStep] = from[even] + ((before + high + 1) >> 1);
  }
}
