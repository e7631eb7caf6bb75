/** Static virtual channel chunk (MS-RDPBCGR 2.2.6.1): the user data of an MCS PDU on a channel of its own. */
import { Reader, Writer } from '../bytes.ts';

/** flags of CHANNEL_PDU_HEADER. */
export const ChannelFlag = {
  first: 0x00000001,
  last: 0x00000002,
  showProtocol: 0x00000010,
  suspend: 0x00000020,
  resume: 0x00000040,
  shadowPersistent: 0x00000080,
  compressed: 0x00200000,
} as const;

/** Greatest data of a chunk when the capability set does not say another (MS-RDPBCGR 2.2.7.1.10). */
export const defaultChunkSize = 1600;

export interface ChannelChunk {
  /** Bytes of the whole message that this chunk is a part of, before compression. */
  length: number;
  /** Bits of ChannelFlag, and compression type in bits 16 to 19. */
  flags: number;
  /** A view. */
  data: Uint8Array;
}

/**
 * @param payload user data of the MCS PDU
 * @throws DecodeError when it is shorter than the header
 */
export function readChannelChunk(payload: Uint8Array): ChannelChunk {
  const reader = new Reader(payload);
  return { length: reader.u32('length'), flags: reader.u32('flags'), data: reader.rest() };
}

/** @returns user data of the MCS PDU */
export function writeChannelChunk(chunk: ChannelChunk): Uint8Array {
  return new Writer(8 + chunk.data.length).u32(chunk.length).u32(chunk.flags).raw(chunk.data).finish();
}

/**
 * Cuts a message into chunks.
 * @param extraFlags flags that every chunk carries: showProtocol on channels opened with that option
 * @param chunkSize greatest data of one chunk
 * @returns user data of the MCS PDUs, in the order to send
 */
export function writeChannelMessage(message: Uint8Array, extraFlags = 0, chunkSize = defaultChunkSize): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  do {
    const end = Math.min(at + chunkSize, message.length);
    const flags = (at === 0 ? ChannelFlag.first : 0) | (end === message.length ? ChannelFlag.last : 0) | extraFlags;
    chunks.push(writeChannelChunk({ length: message.length, flags, data: message.subarray(at, end) }));
    at = end;
  } while (at < message.length);
  return chunks;
}
