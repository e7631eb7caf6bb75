/**
 * Raster operations: how source, pattern and destination become a pixel ([MS-RDPEGDI] 2.2.2.2.1.1.1.6 and .7).
 *
 * A ternary operation's code is its truth table: bit 4p + 2s + d is the result for those three bits. Every such function
 * is an exclusive or of ANDs (its algebraic normal form), so all 256 are one expression with eight masks.
 *
 * Widening a channel by bit replication copies bits, so an operation on widened pixels gives the widened result: RGBX
 * words are exact for sessions of 15, 16, 24 and 32 bits a pixel.
 */

/** A raster operation, ready to be applied to words. */
export interface RasterOperation {
  /** The truth table. */
  readonly code: number;
  readonly usesSource: boolean;
  readonly usesPattern: boolean;
  readonly usesDestination: boolean;
  /** Masks (0 or all ones) of the terms 1, d, s, sd, p, pd, ps, psd. */
  readonly terms: readonly number[];
}

/** Codes that are common enough to be painted in ways of their own. */
export const RasterCode = { destination: 0xaa, source: 0xcc, pattern: 0xf0 } as const;

function compile(code: number): RasterOperation {
  // Möbius transform: from values to coefficients, one variable after the other.
  let form = code;
  form ^= (form & 0b01010101) << 1;
  form ^= (form & 0b00110011) << 2;
  form ^= (form & 0b00001111) << 4;
  return {
    code,
    usesDestination: (form & 0b10101010) !== 0,
    usesSource: (form & 0b11001100) !== 0,
    usesPattern: (form & 0b11110000) !== 0,
    terms: Array.from({ length: 8 }, (_, i) => -((form >> i) & 1)),
  };
}

const operations = Array.from({ length: 256 }, (_, code) => compile(code));

/** The ternary operation of this code (its low eight bits). */
export function ternary(code: number): RasterOperation {
  return operations[code & 0xff];
}

/**
 * The binary operation of a pen and the destination: 1 (black) to 16 (white), whose truth table is one less.
 * @returns the ternary one that gives the same with the pen as its pattern, or null when there is none of this number
 */
export function binary(rop2: number): RasterOperation | null {
  if (rop2 < 1 || rop2 > 16) return null;
  const withoutPen = (rop2 - 1) & 3;
  const withPen = (rop2 - 1) >> 2;
  return ternary(((withPen * 5) << 4) | (withoutPen * 5));
}

/** Applies an operation to words, bit by bit. */
export function combine({ terms }: RasterOperation, destination: number, source: number, pattern: number): number {
  const [one, d, s, sd, p, pd, ps, psd] = terms;
  return (
    one ^
    (d & destination) ^
    (s & source) ^
    (sd & source & destination) ^
    (p & pattern) ^
    (pd & pattern & destination) ^
    (ps & pattern & source) ^
    (psd & pattern & source & destination)
  );
}
