/** Encodes pixels as RemoteFX messages ([MS-RDPRFX] 3.1.8.1): for the demo desktop, tests and benchmarks. */
import { Writer } from '../../bytes.ts';
import type { Rectangle } from '../../graphics/rectangle.ts';
import { BlockType, type RemoteFxContext, writeBlock, writeHeaders } from './blocks.ts';
import { convertFromRgbx } from './color.ts';
import { forwardDwt } from './forward-dwt.ts';
import { writeRegion } from './region.ts';
import { encodeRlgr } from './rlgr-encoder.ts';
import { quantize, TILE_COEFFICIENTS, TILE_SIZE, takeDifferences } from './sub-bands.ts';
import { type TileData, writeTileSet } from './tile-set.ts';

/** TS_RFX_CODEC_QUANT of good quality: what the specification's example and most servers use. */
export const DEFAULT_QUANT = Uint8Array.of(0x66, 0x66, 0x77, 0x88, 0x98);
/** TS_RFX_CODEC_QUANT that rounds nothing off. */
export const FINEST_QUANT = Uint8Array.of(0x66, 0x66, 0x66, 0x66, 0x66);

export interface RemoteFxOptions {
  readonly entropyAlgorithm: RemoteFxContext['entropyAlgorithm'];
  /** Image mode repeats the headers with every frame, video mode gives them once. */
  readonly imageMode: boolean;
  /** TS_RFX_CODEC_QUANT of all components; DEFAULT_QUANT by default. */
  readonly quant?: Uint8Array;
}

export class RemoteFxEncoder {
  readonly #context: RemoteFxContext;
  readonly #imageMode: boolean;
  readonly #quant: Uint8Array;
  readonly #components = [0, 1, 2].map(() => new Int16Array(TILE_COEFFICIENTS));
  #frames = 0;

  /** @param width of the channel in pixels: the desktop's */
  constructor(width: number, height: number, options: RemoteFxOptions) {
    this.#context = { width, height, entropyAlgorithm: options.entropyAlgorithm };
    this.#imageMode = options.imageMode;
    this.#quant = options.quant ?? DEFAULT_QUANT;
  }

  /**
   * Encodes a frame: all tiles that the region touches.
   *
   * @param words RGBX, `stride` to a row, the channel's height
   * @param region in pixels of the channel, not empty
   * @returns the message, for a surface command at the channel's corner
   */
  encode(words: Uint32Array, stride: number, region: readonly Rectangle[]): Uint8Array {
    const writer = new Writer(0x10000);
    if (this.#imageMode || this.#frames === 0) writeHeaders(writer, this.#context, this.#imageMode);
    writeBlock(
      writer,
      BlockType.frameBegin,
      new Writer(8)
        .u8(1)
        .u8(0)
        .u32(this.#frames++)
        .u16(1)
        .finish(),
    );
    writeRegion(writer, region);
    const tiles = this.#touchedTiles(region).map(([xIdx, yIdx]) => this.#encodeTile(words, stride, xIdx, yIdx));
    writeTileSet(writer, this.#context.entropyAlgorithm, this.#quant, tiles);
    writeBlock(writer, BlockType.frameEnd, Uint8Array.of(1, 0));
    return writer.finish();
  }

  #touchedTiles(region: readonly Rectangle[]): [number, number][] {
    const columns = Math.ceil(this.#context.width / TILE_SIZE);
    const touched = new Set<number>();
    for (const { left, top, right, bottom } of region) {
      for (let y = Math.floor(top / TILE_SIZE); y * TILE_SIZE < bottom; y++) {
        for (let x = Math.floor(left / TILE_SIZE); x * TILE_SIZE < right; x++) touched.add(y * columns + x);
      }
    }
    return [...touched].map((tile) => [tile % columns, Math.floor(tile / columns)]);
  }

  #encodeTile(words: Uint32Array, stride: number, xIdx: number, yIdx: number): TileData {
    const tile = this.#copyTile(words, stride, xIdx * TILE_SIZE, yIdx * TILE_SIZE);
    convertFromRgbx(tile, this.#components[0], this.#components[1], this.#components[2]);
    const encode = (component: Int16Array) => {
      forwardDwt(component);
      quantize(component, this.#quant);
      takeDifferences(component);
      return encodeRlgr(this.#context.entropyAlgorithm, component);
    };
    const [luma, blueness, redness] = this.#components;
    return { xIdx, yIdx, components: [encode(luma), encode(blueness), encode(redness)] };
  }

  /** The tile's pixels; beyond the channel's edge the last ones are repeated. */
  #copyTile(words: Uint32Array, stride: number, left: number, top: number): Uint32Array {
    const { width, height } = this.#context;
    const tile = new Uint32Array(TILE_COEFFICIENTS);
    for (let y = 0; y < TILE_SIZE; y++) {
      const row = Math.min(top + y, height - 1) * stride;
      for (let x = 0; x < TILE_SIZE; x++) tile[y * TILE_SIZE + x] = words[row + Math.min(left + x, width - 1)];
    }
    return tile;
  }
}
