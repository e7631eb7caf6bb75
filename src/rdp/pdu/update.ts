/** Slow-path graphics update (MS-RDPBCGR 2.2.9.1.1.3): the body of a share data PDU of type update. Little-endian. */
import { Reader, Writer } from '../bytes.ts';

/** updateType. */
export const UpdateType = { orders: 0, bitmap: 1, palette: 2, synchronize: 3 } as const;

/**
 * The update's type. For bitmap and palette updates the body, type included, is what the fast path carries too, and is
 * read by readBitmapUpdate and readPaletteUpdate.
 * @param body body of the share data PDU
 * @throws DecodeError when it is shorter than two bytes
 */
export function readUpdateType(body: Uint8Array): number {
  return new Reader(body).u16('updateType');
}

/** Body of a synchronize update (MS-RDPBCGR 2.2.9.1.1.3.1.3): it says nothing, and old servers send it. */
export function writeSynchronizeUpdate(): Uint8Array {
  return new Writer(4).u16(UpdateType.synchronize).u16(0).finish();
}
