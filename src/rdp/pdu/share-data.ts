/** Share Data Header (MS-RDPBCGR 2.2.8.1.1.1.2): the inner header of share PDUs of type data. Little-endian. */
import { Reader, Writer } from '../bytes.ts';
import { ShareControlType, shareControlHeaderSize } from './share-control.ts';

/** pduType2. */
export const ShareDataType = {
  update: 0x02,
  control: 0x14,
  pointer: 0x1b,
  input: 0x1c,
  synchronize: 0x1f,
  refreshRect: 0x21,
  playSound: 0x22,
  suppressOutput: 0x23,
  shutdownRequest: 0x24,
  shutdownDenied: 0x25,
  saveSessionInfo: 0x26,
  fontList: 0x27,
  fontMap: 0x28,
  setKeyboardIndicators: 0x29,
  persistentKeyList: 0x2b,
  bitmapCacheError: 0x2c,
  setKeyboardImeStatus: 0x2d,
  offscreenCacheError: 0x2e,
  setErrorInfo: 0x2f,
  drawNineGridError: 0x30,
  drawGdiPlusError: 0x31,
  arcStatus: 0x32,
  statusInfo: 0x36,
  monitorLayout: 0x37,
  frameAcknowledge: 0x38,
} as const;

/** Bytes of both share headers. */
export const shareDataHeadersSize = shareControlHeaderSize + 12;

const streamLow = 1;
const protocolVersion = 0x10;

export interface ShareData {
  shareId: number;
  /** 0 undefined, 1 low, 2 medium, 4 high: no receiver acts on it. */
  streamId: number;
  /** As sent: from pduType2 to the end, before compression. Senders disagree about it, so nothing should rely on it. */
  uncompressedLength: number;
  /** A value of ShareDataType, or one that this list does not know. */
  type: number;
  /** Bits of BulkFlag; the low four bits are the compression type. */
  compressedType: number;
  compressedLength: number;
  /** What follows the header, as a view; compressed when compressedType has BulkFlag.compressed. */
  body: Uint8Array;
}

/**
 * @param body body of a share control PDU of type data
 * @throws DecodeError when the header is cut short
 */
export function readShareData(body: Uint8Array): ShareData {
  const reader = new Reader(body);
  const shareId = reader.u32('shareId');
  reader.skip(1, 'pad1');
  return {
    shareId,
    streamId: reader.u8('streamId'),
    uncompressedLength: reader.u16('uncompressedLength'),
    type: reader.u8('pduType2'),
    compressedType: reader.u8('compressedType'),
    compressedLength: reader.u16('compressedLength'),
    body: reader.rest(),
  };
}

/**
 * Writes both share headers and an uncompressed body: a whole MCS payload.
 * @param shareId of the present share: what the Demand Active said
 * @param source MCS user id of the sender
 * @param type a value of ShareDataType
 * @throws RangeError when the whole exceeds 65535 bytes
 */
export function writeShareData(shareId: number, source: number, type: number, body: Uint8Array): Uint8Array {
  return write({
    shareId,
    source,
    type,
    uncompressedLength: body.length + 4,
    compressedType: 0,
    compressedLength: 0,
    body,
  });
}

/**
 * The same with a body in bulk compression.
 * @param compressedType bits of BulkFlag, and the type
 * @param body as it is sent
 * @param uncompressedSize bytes of it without compression
 */
export function writeCompressedShareData(
  shareId: number,
  source: number,
  type: number,
  compressedType: number,
  body: Uint8Array,
  uncompressedSize: number,
): Uint8Array {
  const lengths = {
    uncompressedLength: shareDataHeadersSize + uncompressedSize,
    compressedLength: shareDataHeadersSize + body.length,
  };
  return write({ shareId, source, type, compressedType, ...lengths, body });
}

function write(pdu: Omit<ShareData, 'streamId'> & { source: number }): Uint8Array {
  const { body } = pdu;
  return new Writer(shareDataHeadersSize + body.length)
    .u16(shareDataHeadersSize + body.length)
    .u16(protocolVersion | ShareControlType.data)
    .u16(pdu.source)
    .u32(pdu.shareId)
    .u8(0)
    .u8(streamLow)
    .u16(pdu.uncompressedLength)
    .u8(pdu.type)
    .u8(pdu.compressedType)
    .u16(pdu.compressedLength)
    .raw(body)
    .finish();
}
