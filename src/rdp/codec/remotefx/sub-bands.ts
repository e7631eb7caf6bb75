/**
 * Where the ten sub-bands of a component stand among its 4096 coefficients ([MS-RDPRFX] 3.1.8.1.4), and the quantisation
 * factors that scale them (TS_RFX_CODEC_QUANT, 2.2.2.1.5; 3.1.8.1.5, 3.1.8.2.2).
 */
import { DecodeError } from '../../bytes.ts';

/** Pixels along a side of a tile. */
export const TILE_SIZE = 64;
/** Coefficients of one component of a tile. */
export const TILE_COEFFICIENTS = TILE_SIZE * TILE_SIZE;
/** Bytes of a TS_RFX_CODEC_QUANT. */
export const QUANT_BYTES = 5;
/** Where LL3 begins, the band that is coded as differences. */
export const LL3 = 4032;

/** The bands in the order of TS_RFX_CODEC_QUANT's ten factors of four bits, lower half of each byte first. */
export const SUB_BANDS = [
  { name: 'LL3', start: 4032, length: 64 },
  { name: 'LH3', start: 3904, length: 64 },
  { name: 'HL3', start: 3840, length: 64 },
  { name: 'HH3', start: 3968, length: 64 },
  { name: 'LH2', start: 3328, length: 256 },
  { name: 'HL2', start: 3072, length: 256 },
  { name: 'HH2', start: 3584, length: 256 },
  { name: 'LH1', start: 1024, length: 1024 },
  { name: 'HL1', start: 0, length: 1024 },
  { name: 'HH1', start: 2048, length: 1024 },
] as const;

/** The factor of the `band`-th of SUB_BANDS in the TS_RFX_CODEC_QUANT that begins at `at`: 0 to 15. */
export function quantFactor(bytes: Uint8Array, at: number, band: number): number {
  const pair = bytes[at + (band >> 1)];
  return band & 1 ? pair >> 4 : pair & 15;
}

/**
 * Scales the decoded coefficients of each band, in place.
 *
 * @param bytes holds a TS_RFX_CODEC_QUANT at offset `at`
 * @throws DecodeError when a factor is 0, which would scale down
 */
export function dequantize(coefficients: Int16Array, bytes: Uint8Array, at: number): void {
  for (let band = 0; band < SUB_BANDS.length; band++) {
    const { name, start, length } = SUB_BANDS[band];
    const shift = quantFactor(bytes, at, band) - 1;
    if (shift < 0) throw new DecodeError('quantVals', `has factor 0 for ${name}`, at);
    if (shift === 0) continue;
    const end = start + length;
    for (let i = start; i < end; i++) coefficients[i] <<= shift;
  }
}

/** Undoes the differences of LL3, in place ([MS-RDPRFX] 3.1.8.2.1.2). */
export function sumDifferences(coefficients: Int16Array): void {
  for (let i = LL3 + 1; i < TILE_COEFFICIENTS; i++) coefficients[i] += coefficients[i - 1];
}

/**
 * Scales the coefficients of each band down, rounding to the nearest, in place.
 * @param quant a TS_RFX_CODEC_QUANT
 */
export function quantize(coefficients: Int16Array, quant: Uint8Array): void {
  SUB_BANDS.forEach(({ start, length }, band) => {
    const shift = quantFactor(quant, 0, band) - 1;
    const half = (1 << shift) >> 1;
    for (let i = start; i < start + length; i++) coefficients[i] = (coefficients[i] + half) >> shift;
  });
}

/** Replaces each coefficient of LL3 but the first by its difference from the one before, in place. */
export function takeDifferences(coefficients: Int16Array): void {
  for (let i = TILE_COEFFICIENTS - 1; i > LL3; i--) coefficients[i] -= coefficients[i - 1];
}
