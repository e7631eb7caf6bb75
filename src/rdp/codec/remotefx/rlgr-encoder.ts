/** The other way of rlgr.ts: coefficients to code words ([MS-RDPRFX] 3.1.8.1.7.3). */
import { BitWriter } from './bit-writer.ts';
import { DN_GR, DQ_GR, EntropyAlgorithm, KPMAX, LSGR, UP_GR, UQ_GR } from './rlgr.ts';

/**
 * Encodes the coefficients of one component of a tile. A run of zeros that reaches the end is followed by a value that
 * decoders have no room for, since some want each run to have one.
 *
 * @returns the code words, most significant bit first, padded with zeros to whole bytes
 */
export function encodeRlgr(algorithm: EntropyAlgorithm, coefficients: Int16Array): Uint8Array {
  const bits = new BitWriter();
  const count = coefficients.length;
  let kp = 1 << LSGR;
  let krp = 1 << LSGR;
  const writeGolombRice = (value: number) => {
    const kr = krp >> LSGR;
    const ones = value >> kr;
    bits.writeOnes(ones);
    bits.write(0, 1);
    bits.write(value & ((1 << kr) - 1), kr);
    if (ones === 0) krp = Math.max(krp - 2, 0);
    else if (ones > 1) krp = Math.min(krp + ones, KPMAX);
  };
  for (let at = 0; at < count; ) {
    if (kp >> LSGR > 0) {
      let zeros = 0;
      for (; at < count && coefficients[at] === 0; at++) zeros++;
      const value = at < count ? coefficients[at++] : 1;
      for (; zeros >= 1 << (kp >> LSGR); kp = Math.min(kp + UP_GR, KPMAX)) {
        bits.write(0, 1);
        zeros -= 1 << (kp >> LSGR);
      }
      bits.write(1, 1);
      bits.write(zeros, kp >> LSGR);
      bits.write(value < 0 ? 1 : 0, 1);
      writeGolombRice(Math.abs(value) - 1);
      kp = Math.max(kp - DN_GR, 0);
    } else if (algorithm === EntropyAlgorithm.rlgr1) {
      const value = twiceMagnitude(coefficients[at++]);
      writeGolombRice(value);
      kp = value === 0 ? Math.min(kp + UQ_GR, KPMAX) : Math.max(kp - DQ_GR, 0);
    } else {
      const first = twiceMagnitude(coefficients[at++]);
      const second = at < count ? twiceMagnitude(coefficients[at++]) : 0;
      const sum = first + second;
      writeGolombRice(sum);
      bits.write(first, 32 - Math.clz32(sum));
      if (first !== 0 && second !== 0) kp = Math.max(kp - 2 * DQ_GR, 0);
      else if (sum === 0) kp = Math.min(kp + 2 * UQ_GR, KPMAX);
    }
  }
  return bits.finish();
}

function twiceMagnitude(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}
