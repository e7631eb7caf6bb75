/**
 * The blocks that a RemoteFX message is made of ([MS-RDPRFX] 2.2.2.1, 2.2.2.2): u16 type, u32 length with both, body.
 * Little-endian.
 */
import { DecodeError, Reader, Writer } from '../../bytes.ts';
import { type EntropyAlgorithm, isEntropyAlgorithm } from './rlgr.ts';
import { TILE_SIZE } from './sub-bands.ts';

/** blockType. */
export const BlockType = {
  tile: 0xcac3,
  sync: 0xccc0,
  codecVersions: 0xccc1,
  channels: 0xccc2,
  context: 0xccc3,
  frameBegin: 0xccc4,
  frameEnd: 0xccc5,
  region: 0xccc6,
  extension: 0xccc7,
} as const;

/** What the header messages say: it holds for all frames that follow, until said again. */
export interface RemoteFxContext {
  /** Pixels of the only channel. */
  readonly width: number;
  readonly height: number;
  readonly entropyAlgorithm: EntropyAlgorithm;
}

export const BLOCK_HEADER_BYTES = 6;
const MAGIC = 0xcaccacca;
const VERSION_1_0 = 0x0100;
const CODEC_ID = 1;
const CHANNEL_ID = 0;
const CONTEXT_CHANNEL_ID = 0xff;
/** properties: no image mode, ICT colours, 5/3 wavelet, scalar quantisation; entropy algorithm in bits 9 to 12. */
const CONTEXT_PROPERTIES = (1 << 3) | (1 << 5) | (1 << 13);
const IMAGE_MODE = 0x02;

/** A block of a message. */
export interface Block {
  /** A value of BlockType. */
  readonly type: number;
  /** Stands at the body, behind the codec's and channel's number where the type has them. */
  readonly body: Reader;
}

/**
 * Reads the blocks of a message, one after the other, without copying.
 * @throws DecodeError, while iterating, for a length that cannot be, a type of no message, another codec or channel
 */
export function* readBlocks(message: Uint8Array): Generator<Block, void, void> {
  const reader = new Reader(message);
  while (reader.remaining >= BLOCK_HEADER_BYTES) {
    const type = reader.u16('blockType');
    const length = reader.u32('blockLen');
    if (length < BLOCK_HEADER_BYTES) throw reader.error('blockLen', `is ${length}, at least 6`);
    if (type < BlockType.sync || type > BlockType.extension) {
      throw reader.error('blockType', `0x${type.toString(16)} is of no encode message`);
    }
    const body = new Reader(reader.take(length - BLOCK_HEADER_BYTES, 'block'));
    if (type >= BlockType.context) {
      expectValue(body.u8('codecId'), CODEC_ID, 'codecId');
      expectValue(body.u8('channelId'), type === BlockType.context ? CONTEXT_CHANNEL_ID : CHANNEL_ID, 'channelId');
    }
    yield { type, body };
  }
}

/** Writes a block; `body` begins with codec and channel where the type has them. */
export function writeBlock(writer: Writer, type: number, body: Uint8Array): void {
  writer
    .u16(type)
    .u32(BLOCK_HEADER_BYTES + body.length)
    .raw(body);
}

/**
 * Checks TS_RFX_SYNC and TS_RFX_CODEC_VERSIONS: there is but one version.
 * @throws DecodeError for another magic number, version or codec
 */
export function checkVersion(type: number, body: Reader): void {
  if (type === BlockType.sync) expectValue(body.u32('magic'), MAGIC, 'magic');
  else {
    expectValue(body.u8('numCodecs'), 1, 'numCodecs');
    expectValue(body.u8('codecId'), CODEC_ID, 'codecId');
  }
  expectValue(body.u16('version'), VERSION_1_0, 'version');
}

/**
 * Reads TS_RFX_CHANNELS. Further channels, which some hosts of several monitors announce, carry nothing.
 * @returns size of the first channel in pixels
 * @throws DecodeError when there is none, or it is empty
 */
export function readChannels(body: Reader): { width: number; height: number } {
  if (body.u8('numChannels') === 0) throw body.error('numChannels', 'is 0, wanted 1');
  expectValue(body.u8('channelId'), CHANNEL_ID, 'channelId');
  const width = body.u16('width');
  const height = body.u16('height');
  if (width === 0 || height === 0) throw body.error('channel size', `${width} x ${height} is empty`);
  return { width, height };
}

/**
 * Reads TS_RFX_CONTEXT.
 * @throws DecodeError for tiles of another size and unknown entropy algorithms
 */
export function readContext(body: Reader): EntropyAlgorithm {
  expectValue(body.u8('ctxId'), 0, 'ctxId');
  expectValue(body.u16('tileSize'), TILE_SIZE, 'tileSize');
  const algorithm = (body.u16('properties') >> 9) & 15;
  if (!isEntropyAlgorithm(algorithm))
    throw body.error('properties.et', `is ${algorithm}, wanted 1 or 4 (RLGR1, RLGR3)`);
  return algorithm;
}

/** Writes the four header messages. */
export function writeHeaders(writer: Writer, context: RemoteFxContext, imageMode: boolean): void {
  const { width, height, entropyAlgorithm } = context;
  const properties = CONTEXT_PROPERTIES | (entropyAlgorithm << 9) | (imageMode ? IMAGE_MODE : 0);
  writeBlock(writer, BlockType.sync, new Writer(6).u32(MAGIC).u16(VERSION_1_0).finish());
  const contextBody = new Writer(7).u8(CODEC_ID).u8(CONTEXT_CHANNEL_ID).u8(0).u16(TILE_SIZE).u16(properties);
  writeBlock(writer, BlockType.context, contextBody.finish());
  writeBlock(writer, BlockType.codecVersions, new Writer(4).u8(1).u8(CODEC_ID).u16(VERSION_1_0).finish());
  const channels = new Writer(6).u8(1).u8(CHANNEL_ID).u16(width).u16(height);
  writeBlock(writer, BlockType.channels, channels.finish());
}

/** @throws DecodeError */
export function expectValue(found: number, wanted: number, field: string): void {
  if (found !== wanted) throw new DecodeError(field, `is 0x${found.toString(16)}, wanted 0x${wanted.toString(16)}`, 0);
}
