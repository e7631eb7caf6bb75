/**
 * Adaptive run-length/Golomb-Rice coding, as RemoteFX uses it for coefficients: [MS-RDPRFX] 3.1.8.1.7.3. Two modes take
 * turns: runs of zeros while `k` is above 0, Golomb-Rice codes else. RLGR1 codes one coefficient at a time in the latter,
 * RLGR3 a pair.
 */
import { BitReader } from './bit-reader.ts';

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
 * @returns the number of coefficients to the last one that was coded: all after it are 0
 */
export function decodeRlgr(
  algorithm: EntropyAlgorithm,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Int16Array,
): number {
  const bits = new BitReader(bytes, start, end);
  const count = out.length;
  let kp = 1 << LSGR;
  let krp = 1 << LSGR;
  let at = 0;
  out.fill(0);
  while (at < count && !bits.isAtEnd) {
    let k = kp >> LSGR;
    let run = 0;
    let isNegative = 0;
    const isRun = k > 0;
    if (isRun) {
      for (let zeros = bits.countZeros(); zeros > 0 && run < count; zeros--) {
        run += 1 << k;
        kp = Math.min(kp + UP_GR, KPMAX);
        k = kp >> LSGR;
      }
      run += bits.take(k);
      isNegative = bits.take(1);
    }
    const ones = bits.countOnes();
    const kr = krp >> LSGR;
    const code = (ones << kr) | bits.take(kr);
    if (ones === 0) krp = Math.max(krp - 2, 0);
    else if (ones > 1) krp = Math.min(krp + ones, KPMAX);

    if (isRun) {
      kp = Math.max(kp - DN_GR, 0);
      at += run;
      if (bits.isOverrun) break;
      if (at < count) out[at++] = isNegative ? -code - 1 : code + 1;
    } else if (algorithm === EntropyAlgorithm.rlgr1) {
      kp = code === 0 ? Math.min(kp + UQ_GR, KPMAX) : Math.max(kp - DQ_GR, 0);
      if (bits.isOverrun) break;
      out[at++] = fromTwiceMagnitude(code);
    } else {
      const first = bits.take(32 - Math.clz32(code));
      const second = code - first;
      if (first !== 0 && second !== 0) kp = Math.max(kp - 2 * DQ_GR, 0);
      else if (first === 0 && second === 0) kp = Math.min(kp + 2 * UQ_GR, KPMAX);
      if (bits.isOverrun) break;
      out[at++] = fromTwiceMagnitude(first);
      if (at < count) out[at++] = fromTwiceMagnitude(second);
    }
  }
  return Math.min(at, count);
}

/** Twice the magnitude, less 1 when negative, as a signed number. */
function fromTwiceMagnitude(value: number): number {
  return value & 1 ? -((value + 1) >> 1) : value >> 1;
}
