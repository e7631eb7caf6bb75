/** Palette update (MS-RDPBCGR 2.2.9.1.1.3.1.1): the same bytes on slow and fast path. Little-endian. */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { UpdateType } from './update.ts';

/** Colours of the only palette that 8 bpp sessions have. */
export const paletteSize = 256;

/**
 * @param body the update from its updateType on
 * @returns 256 × 3 bytes, red, green, blue, as a view
 * @throws DecodeError when the update is of another type, short, or of another number of colours
 */
export function readPaletteUpdate(body: Uint8Array): Uint8Array {
  const reader = new Reader(body);
  const type = reader.u16('updateType');
  if (type !== UpdateType.palette) throw new DecodeError('updateType', `is ${type}, wanted ${UpdateType.palette}`, 0);
  reader.skip(2, 'pad2Octets');
  const count = reader.u32('numberColors');
  if (count !== paletteSize) throw new DecodeError('numberColors', `is ${count}, wanted ${paletteSize}`, 4);
  return reader.take(paletteSize * 3, 'paletteEntries');
}

/**
 * @param colours 256 × 3 bytes, red, green, blue
 * @returns the update from its updateType on
 */
export function writePaletteUpdate(colours: Uint8Array): Uint8Array {
  if (colours.length !== paletteSize * 3) throw new RangeError(`palette of ${colours.length} bytes, wanted 768`);
  return new Writer(8 + colours.length).u16(UpdateType.palette).u16(0).u32(paletteSize).raw(colours).finish();
}
