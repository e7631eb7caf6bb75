/** The framing of RDP's data blocks in GCC user data: type u16, length u16 (header included), body (MS-RDPBCGR 2.2.1.3.1). */
import { Reader, Writer } from '../bytes.ts';

export interface GccBlock {
  type: number;
  body: Uint8Array;
}

const HEADER_LENGTH = 4;
/** More than twice as many as are specified for either side. */
const MAX_BLOCKS = 32;

/** Cuts user data into its blocks, as views. @throws DecodeError */
export function readGccBlocks(bytes: Uint8Array): GccBlock[] {
  const reader = new Reader(bytes);
  const blocks: GccBlock[] = [];
  while (reader.remaining > 0) {
    if (blocks.length === MAX_BLOCKS) throw reader.error('GCC data blocks', `are more than ${MAX_BLOCKS}`);
    const type = reader.u16('GCC block type');
    const length = reader.u16('GCC block length');
    if (length < HEADER_LENGTH) throw reader.error('GCC block length', `is ${length}, wanted ${HEADER_LENGTH} or more`);
    blocks.push({ type, body: reader.take(length - HEADER_LENGTH, `GCC block 0x${type.toString(16)}`) });
  }
  return blocks;
}

export function writeGccBlocks(blocks: GccBlock[]): Uint8Array {
  const writer = new Writer(blocks.reduce((sum, { body }) => sum + HEADER_LENGTH + body.length, 0));
  for (const { type, body } of blocks) {
    writer
      .u16(type)
      .u16(HEADER_LENGTH + body.length)
      .raw(body);
  }
  return writer.finish();
}
