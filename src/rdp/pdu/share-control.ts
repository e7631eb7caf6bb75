/**
 * Share Control Header (MS-RDPBCGR 2.2.8.1.1.1.1): the outer header of everything on the I/O channel once a share
 * exists. Little-endian. One MCS payload may hold several share PDUs, and flow PDUs of T.128 between them.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';

/** pduType, low four bits. */
export const ShareControlType = {
  demandActive: 0x1,
  confirmActive: 0x3,
  deactivateAll: 0x6,
  data: 0x7,
  serverRedirection: 0xa,
} as const;

/** Bytes of the header: totalLength, pduType, pduSource. */
export const shareControlHeaderSize = 6;

export interface ShareControl {
  /** A value of ShareControlType, or one that this list does not know. */
  type: number;
  /** MCS user id of the sender; 0 when the header was cut short (Windows XP's Deactivate All). */
  source: number;
  /** What follows the header, as a view. */
  body: Uint8Array;
  /** The whole PDU with its header, as a view: what a gateway forwards. */
  bytes: Uint8Array;
}

const flowMarker = 0x8000;
const flowPduSize = 8;
const protocolVersion = 0x10;

/**
 * Reads every share PDU of one MCS payload, in order, without copying.
 * @param payload user data of a SendDataIndication or SendDataRequest on the I/O channel
 * @returns the share PDUs; flow PDUs are skipped, since nothing in RDP answers them
 * @throws DecodeError when a length does not fit the payload
 */
export function readShareControls(payload: Uint8Array): ShareControl[] {
  const found: ShareControl[] = [];
  const reader = new Reader(payload);
  while (reader.remaining > 0) {
    const start = reader.offset;
    const totalLength = reader.u16('totalLength');
    if (totalLength === flowMarker) {
      reader.skip(flowPduSize - 2, 'flow PDU');
      continue;
    }
    if (totalLength < 4) throw new DecodeError('totalLength', `is ${totalLength}, wanted 4 or more`, start);
    const rest = reader.take(totalLength - 2, 'share control PDU');
    found.push(parse(payload.subarray(start, start + totalLength), rest));
  }
  return found;
}

function parse(bytes: Uint8Array, rest: Uint8Array): ShareControl {
  const reader = new Reader(rest);
  const type = reader.u16('pduType') & 0xf;
  const source = reader.remaining >= 2 ? reader.u16('pduSource') : 0;
  return { type, source, body: reader.rest(), bytes };
}

/**
 * @param type a value of ShareControlType
 * @param source MCS user id of the sender
 * @param body what follows the header
 * @throws RangeError when header and body exceed 65535 bytes
 */
export function writeShareControl(type: number, source: number, body: Uint8Array): Uint8Array {
  return new Writer(shareControlHeaderSize + body.length)
    .u16(shareControlHeaderSize + body.length)
    .u16(protocolVersion | type)
    .u16(source)
    .raw(body)
    .finish();
}
