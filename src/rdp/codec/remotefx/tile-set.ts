/** TS_RFX_TILESET and TS_RFX_TILE ([MS-RDPRFX] 2.2.2.3.4). Little-endian. */
import { type Reader, Writer } from '../../bytes.ts';
import { BLOCK_HEADER_BYTES, BlockType, expectValue, writeBlock } from './blocks.ts';
import type { EntropyAlgorithm } from './rlgr.ts';
import { QUANT_BYTES, TILE_SIZE } from './sub-bands.ts';
import type { EncodedComponent } from './tile-decoder.ts';

const TILESET = 0xcac2;
const TILE_HEADER_BYTES = BLOCK_HEADER_BYTES + 13;
/** properties: last, ICT colours, 5/3 wavelet, scalar quantisation; entropy algorithm in bits 10 to 13. */
const TILESET_PROPERTIES = 1 | (1 << 4) | (1 << 6) | (1 << 14);

/** A tile whose component data stand in the tile set's bytes. */
export interface EncodedTile {
  /** Columns and rows of tiles from the channel's corner. */
  xIdx: number;
  yIdx: number;
  /** Y, Cb, Cr. */
  readonly components: readonly [EncodedComponent, EncodedComponent, EncodedComponent];
}

/** The head of a tile set. */
export interface TileSetHeader {
  /** Offset of the first TS_RFX_CODEC_QUANT. */
  readonly quantsAt: number;
  readonly quantCount: number;
  readonly tileCount: number;
}

/**
 * Reads all before the tiles.
 * @throws DecodeError when there is no quantisation, or more is announced than there are bytes
 */
export function readTileSetHeader(body: Reader): TileSetHeader {
  expectValue(body.u16('subtype'), TILESET, 'subtype');
  body.skip(4, 'idx, properties');
  const quantCount = body.u8('numQuant');
  if (quantCount === 0) throw body.error('numQuant', 'is 0');
  expectValue(body.u8('tileSize'), TILE_SIZE, 'tileSize');
  const tileCount = body.u16('numTiles');
  // Windows Server 2012 sends empty sets, cut short here
  if (tileCount === 0) return { quantsAt: body.offset, quantCount, tileCount };
  body.skip(4, 'tilesDataSize');
  const quantsAt = body.offset;
  body.skip(quantCount * QUANT_BYTES, 'quantVals');
  if (tileCount * TILE_HEADER_BYTES > body.remaining) {
    throw body.error('numTiles', `is ${tileCount}, ${body.remaining} bytes left`);
  }
  return { quantsAt, quantCount, tileCount };
}

export function emptyTile(): EncodedTile {
  const component = () => ({ quantAt: 0, start: 0, end: 0 });
  return { xIdx: 0, yIdx: 0, components: [component(), component(), component()] };
}

/**
 * Reads the next tile into `tile`: one object serves for all, since there are thousands a second.
 * @throws DecodeError for lengths beyond the block and quantisations that the header does not have
 */
export function readTile(body: Reader, { quantsAt, quantCount }: TileSetHeader, tile: EncodedTile): void {
  const start = body.offset;
  expectValue(body.u16('blockType'), BlockType.tile, 'blockType');
  const length = body.u32('blockLen');
  for (const component of tile.components) {
    const index = body.u8('quantIdx');
    if (index >= quantCount) throw body.error('quantIdx', `is ${index}, there are ${quantCount}`);
    component.quantAt = quantsAt + index * QUANT_BYTES;
  }
  tile.xIdx = body.u16('xIdx');
  tile.yIdx = body.u16('yIdx');
  let at = start + TILE_HEADER_BYTES;
  for (const component of tile.components) {
    component.start = at;
    at += body.u16('component length');
    component.end = at;
  }
  if (at > start + length) throw body.error('blockLen', `is ${length}, the components need ${at - start}`);
  body.skip(start + length - body.offset, 'tile');
}

/** A tile for writeTileSet. */
export interface TileData {
  readonly xIdx: number;
  readonly yIdx: number;
  /** Codes of Y, Cb, Cr. */
  readonly components: readonly [Uint8Array, Uint8Array, Uint8Array];
}

/**
 * Writes a tile set whose components all have one quantisation.
 * @param quant a TS_RFX_CODEC_QUANT
 */
export function writeTileSet(
  writer: Writer,
  entropyAlgorithm: EntropyAlgorithm,
  quant: Uint8Array,
  tiles: readonly TileData[],
): void {
  const data = new Writer(tiles.length * 1024);
  for (const { xIdx, yIdx, components } of tiles) {
    const body = new Writer(1024).u8(0).u8(0).u8(0).u16(xIdx).u16(yIdx);
    for (const component of components) body.u16(component.length);
    for (const component of components) body.raw(component);
    writeBlock(data, BlockType.tile, body.finish());
  }
  const head = new Writer(32 + data.length).u8(1).u8(0).u16(TILESET).u16(0);
  head
    .u16(TILESET_PROPERTIES | (entropyAlgorithm << 10))
    .u8(1)
    .u8(TILE_SIZE);
  head.u16(tiles.length).u32(data.length).raw(quant).raw(data.finish());
  writeBlock(writer, BlockType.extension, head.finish());
}
