/**
 * TS_RFX_REGION ([MS-RDPRFX] 2.2.2.3.3): which pixels of the tiles that follow are shown. Little-endian; coordinates are
 * relative to the place that the surface command paints at.
 */
import { type Reader, Writer } from '../../bytes.ts';
import { type Rectangle, rectangle } from '../../graphics/rectangle.ts';
import { BlockType, type RemoteFxContext, writeBlock } from './blocks.ts';

const REGION_FLAGS = 1;
const REGION_TYPE = 0xcac1;

/**
 * Reads the rectangles.
 * @returns those of the region, or the whole channel when it lists none
 * @throws DecodeError when the block is cut short
 */
export function readRegion(body: Reader, { width, height }: RemoteFxContext): Rectangle[] {
  body.skip(1, 'regionFlags');
  const count = body.u16('numRects');
  if (count === 0) return [rectangle(0, 0, width, height)];
  if (count * 8 > body.remaining) throw body.error('rects', `${count} of them need ${count * 8} bytes`);
  return Array.from({ length: count }, () =>
    rectangle(body.u16('rect.x'), body.u16('rect.y'), body.u16('rect.width'), body.u16('rect.height')),
  );
}

/** Writes a region with one tile set. */
export function writeRegion(writer: Writer, region: readonly Rectangle[]): void {
  const body = new Writer(16 + region.length * 8).u8(1).u8(0).u8(REGION_FLAGS).u16(region.length);
  for (const { left, top, right, bottom } of region) {
    body
      .u16(left)
      .u16(top)
      .u16(right - left)
      .u16(bottom - top);
  }
  writeBlock(writer, BlockType.region, body.u16(REGION_TYPE).u16(1).finish());
}
