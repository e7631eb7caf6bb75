/**
 * Adaptive run-length/Golomb-Rice coding, as RemoteFX uses it for coefficients: [MS-RDPRFX] 3.1.8.1.7.3. Two modes take
 * turns: runs of zeros while `k` is above 0, Golomb-Rice codes else. RLGR1 codes one coefficient at a time in the latter,
 * RLGR3 a pair.
 */
import { countAlike, peek } from './bits.ts';

/** Values of the entropy fields (et). */
export const EntropyAlgorithm = { rlgr1: 1, rlgr3: 4 } as const;
export type EntropyAlgorithm = (typeof EntropyAlgorithm)[keyof typeof EntropyAlgorithm];

export function isEntropyAlgorithm(value: number): value is EntropyAlgorithm {
  return value === EntropyAlgorithm.rlgr1 || value === EntropyAlgorithm.rlgr3;
}

/** The specification's constants: kp and krp are k and kr scaled by 1 << LSGR. */
export const KPMAX = 80;
export const LSGR = 3;
export const UP_GR = 4;
export const DN_GR = 6;
export const UQ_GR = 3;
export const DQ_GR = 3;

/**
 * Decodes the coefficients of one component of a tile. Codes that the data's end cuts off count as zeros, as the padding
 * of the last byte makes necessary; what follows the last coefficient is ignored.
 *
 * @param bytes holds the code words from `start` to before `end`, most significant bit first
 * @param out is filled: its length is the number of coefficients
 * @returns the place of the first coefficient that is not 0, or their number when none is
 */
export function decodeRlgr(
  algorithm: EntropyAlgorithm,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Int16Array,
): number {
  const endBit = end * 8;
  const count = out.length;
  let bit = start * 8;
  let kp = 1 << LSGR;
  let krp = 1 << LSGR;
  let at = 0;
  let first = count;
  out.fill(0);
  while (at < count && bit < endBit) {
    let k = kp >> LSGR;
    const isRun = k > 0;
    let run = 0;
    let isNegative = false;
    if (isRun) {
      const zeros = countAlike(bytes, bit, endBit, 0);
      bit += zeros + 1;
      for (let i = 0; i < zeros && run < count; i++) {
        run += 1 << k;
        kp = Math.min(kp + UP_GR, KPMAX);
        k = kp >> LSGR;
      }
      const rest = peek(bytes, bit);
      run += rest >>> (32 - k);
      isNegative = rest << k < 0;
      bit += k + 1;
    }
    const ones = countAlike(bytes, bit, endBit, -1);
    bit += ones + 1;
    const kr = krp >> LSGR;
    const code = (ones << kr) | ((peek(bytes, bit) >>> 1) >>> (31 - kr));
    bit += kr;
    if (ones === 0) krp = Math.max(krp - 2, 0);
    else if (ones > 1) krp = Math.min(krp + ones, KPMAX);

    if (isRun) {
      kp = Math.max(kp - DN_GR, 0);
      at += run;
      if (bit > endBit || at >= count) break;
      if (first > at) first = at;
      out[at++] = isNegative ? -code - 1 : code + 1;
    } else if (algorithm === EntropyAlgorithm.rlgr1) {
      kp = code === 0 ? Math.min(kp + UQ_GR, KPMAX) : Math.max(kp - DQ_GR, 0);
      if (bit > endBit) break;
      if (code !== 0 && first > at) first = at;
      out[at++] = fromTwiceMagnitude(code);
    } else {
      const length = 32 - Math.clz32(code);
      const one = (peek(bytes, bit) >>> 1) >>> (31 - length);
      const other = code - one;
      bit += length;
      if (one !== 0 && other !== 0) kp = Math.max(kp - 2 * DQ_GR, 0);
      else if (code === 0) kp = Math.min(kp + 2 * UQ_GR, KPMAX);
      if (bit > endBit) break;
      if (code !== 0 && first > at) first = one !== 0 ? at : at + 1;
      out[at++] = fromTwiceMagnitude(one);
      if (at < count) out[at++] = fromTwiceMagnitude(other);
    }
  }
  return first;
}

/** Twice the magnitude, less 1 when negative, as a signed number. */
function fromTwiceMagnitude(value: number): number {
  return value & 1 ? -((value + 1) >> 1) : value >> 1;
}
