/**
 * Decodes RemoteFX messages, image and video mode alike: [MS-RDPRFX] 2.2.2, 3.1.8. Header messages may come with the first
 * frame only; what they said is the decoder's whole state.
 */
import { DecodeError, type Reader } from '../../bytes.ts';
import type { Rectangle } from '../../graphics/rectangle.ts';
import { BlockType, checkVersion, type RemoteFxContext, readBlocks, readChannels, readContext } from './blocks.ts';
import { readRegion } from './region.ts';
import { TILE_SIZE } from './sub-bands.ts';
import { TileDecoder } from './tile-decoder.ts';
import { emptyTile, readTile, readTileSetHeader } from './tile-set.ts';

/** Most comparisons of tiles with rectangles that one tile set may cost: a screen of 8K in 500 parts. */
const MAX_CLIPS = 1 << 22;

/**
 * Paints a tile.
 * @param words 64 × 64 RGBX words, rows from the top; only valid during the call
 * @param left of the tile in pixels, relative to the place that the surface command paints at
 * @param region what of it is shown, in the same coordinates
 */
export type PaintTile = (words: Uint32Array, left: number, top: number, region: readonly Rectangle[]) => void;

export class RemoteFxDecoder {
  /** What the header messages said last; null before the first. */
  context: RemoteFxContext | null = null;
  readonly #tiles = new TileDecoder();
  readonly #tile = emptyTile();

  /**
   * Decodes the message of one surface command.
   * @throws DecodeError where it does not follow the specification; tiles before that place were painted
   */
  decode(message: Uint8Array, paint: PaintTile): void {
    let size: { width: number; height: number } | null = this.context;
    let entropyAlgorithm = this.context?.entropyAlgorithm ?? null;
    let region: Rectangle[] | null = null;
    for (const { type, body } of readBlocks(message)) {
      switch (type) {
        case BlockType.sync:
        case BlockType.codecVersions:
          checkVersion(type, body);
          break;
        case BlockType.channels:
          size = readChannels(body);
          break;
        case BlockType.context:
          entropyAlgorithm = readContext(body);
          break;
        case BlockType.frameBegin:
        case BlockType.frameEnd:
          region = null;
          break;
        case BlockType.region:
          region = readRegion(body, this.#requireContext());
          break;
        case BlockType.extension:
          if (region === null) throw new DecodeError('TS_RFX_TILESET', 'comes without its region', 0);
          this.#decodeTileSet(body, region, paint);
          break;
      }
      if (size !== null && entropyAlgorithm !== null) {
        this.context = { width: size.width, height: size.height, entropyAlgorithm };
      }
    }
  }

  #requireContext(): RemoteFxContext {
    if (this.context === null) throw new DecodeError('TS_RFX_CONTEXT', 'did not come before the first frame', 0);
    return this.context;
  }

  #decodeTileSet(body: Reader, region: readonly Rectangle[], paint: PaintTile): void {
    const { entropyAlgorithm } = this.#requireContext();
    const header = readTileSetHeader(body);
    if (header.tileCount * region.length > MAX_CLIPS) {
      throw body.error('numTiles', `is ${header.tileCount} in a region of ${region.length} rectangles`);
    }
    for (let i = 0; i < header.tileCount; i++) {
      readTile(body, header, this.#tile);
      const words = this.#tiles.decode(entropyAlgorithm, body.bytes, this.#tile.components);
      paint(words, this.#tile.xIdx * TILE_SIZE, this.#tile.yIdx * TILE_SIZE, region);
    }
  }
}
