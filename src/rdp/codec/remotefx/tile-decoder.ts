/** Decodes tiles of 64 × 64 pixels ([MS-RDPRFX] 3.1.8.2), with memory of its own that is reused. */
import { DecodeError } from '../../bytes.ts';
import { convertToRgbx } from './color.ts';
import { inverseDwt } from './inverse-dwt.ts';
import { decodeRlgr, type EntropyAlgorithm } from './rlgr.ts';
import { dequantize, LL3, sumDifferences, TILE_COEFFICIENTS } from './sub-bands.ts';

/** One component as the tile's header places it. */
export interface EncodedComponent {
  /** Offset of its TS_RFX_CODEC_QUANT. */
  quantAt: number;
  /** Offsets of the first code byte and of the one behind the last. */
  start: number;
  end: number;
}

export class TileDecoder {
  readonly #components = [0, 1, 2].map(() => new Int16Array(TILE_COEFFICIENTS));
  readonly #scratch = new Int16Array(TILE_COEFFICIENTS);
  readonly #words = new Uint32Array(TILE_COEFFICIENTS);

  /**
   * @param bytes what the components' offsets refer to
   * @param components Y, Cb, Cr
   * @returns 64 × 64 RGBX words, rows from the top; valid until the next call
   * @throws DecodeError when a component is empty or a quantisation factor is 0
   */
  decode(algorithm: EntropyAlgorithm, bytes: Uint8Array, components: readonly EncodedComponent[]): Uint32Array {
    for (let i = 0; i < 3; i++) this.#decodeComponent(algorithm, bytes, components[i], this.#components[i]);
    convertToRgbx(this.#components[0], this.#components[1], this.#components[2], this.#words);
    return this.#words;
  }

  #decodeComponent(algorithm: EntropyAlgorithm, bytes: Uint8Array, component: EncodedComponent, out: Int16Array): void {
    const { quantAt, start, end } = component;
    if (start === end) throw new DecodeError('tile component', 'has no data', start);
    // Most tiles of a desktop have one value or none in some component: there is nothing to transform
    const first = decodeRlgr(algorithm, bytes, start, end, out);
    if (first === out.length) return;
    dequantize(out, bytes, quantAt);
    if (first === LL3 && isFlat(out)) {
      out.fill(out[LL3]);
      return;
    }
    sumDifferences(out);
    inverseDwt(out, this.#scratch);
  }
}

/** Whether LL3's values are all the same: then its differences are 0. */
function isFlat(coefficients: Int16Array): boolean {
  for (let i = LL3 + 1; i < coefficients.length; i++) if (coefficients[i] !== 0) return false;
  return true;
}
