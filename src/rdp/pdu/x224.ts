/**
 * TPKT (RFC 1006, section 6) and the class 0 TPDUs of X.224 (section 13) that RDP uses.
 *
 * All functions take and give whole frames: from the TPKT version byte to the last byte that its length counts.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';

export const TPKT_VERSION = 3;
export const TPKT_HEADER_LENGTH = 4;
/** TPKT header, then the data TPDU's length indicator, code and end-of-transmission mark. */
export const DATA_HEADER_LENGTH = TPKT_HEADER_LENGTH + 3;

export const TpduCode = {
  connectionRequest: 0xe0,
  connectionConfirm: 0xd0,
  disconnectRequest: 0x80,
  data: 0xf0,
} as const;

const END_OF_TRANSMISSION = 0x80;
/** Bytes of a data TPDU's header after its length indicator: code and end of transmission. */
const DATA_INDICATOR = 2;
/** 255 is reserved (X.224 13.2.1). */
const MAX_INDICATOR = 254;

export interface Tpdu {
  code: number;
  /** The TPDU header's bytes after its code: references, class, and in CR and CC everything else. */
  header: Uint8Array;
  /** What follows the TPDU header: user data of a data TPDU, empty otherwise. */
  payload: Uint8Array;
}

/**
 * Reads a frame's TPKT header and its TPDU header. Views into `frame`, no copies.
 * @throws DecodeError when the frame is no TPKT packet or its lengths disagree
 */
export function readTpdu(frame: Uint8Array): Tpdu {
  const reader = new Reader(frame);
  const version = reader.u8('TPKT version');
  if (version !== TPKT_VERSION) throw reader.error('TPKT version', `is ${version}, wanted ${TPKT_VERSION}`);
  reader.skip(1, 'TPKT reserved');
  const length = reader.u16be('TPKT length');
  if (length !== frame.length) throw reader.error('TPKT length', `is ${length}, the frame has ${frame.length} bytes`);
  const indicator = reader.u8('X.224 length indicator');
  if (indicator === 0 || indicator > MAX_INDICATOR) {
    throw reader.error('X.224 length indicator', `is ${indicator}, wanted 1 to ${MAX_INDICATOR}`);
  }
  const header = reader.take(indicator, 'X.224 header');
  return { code: header[0] & 0xf0, header: header.subarray(1), payload: reader.rest() };
}

/**
 * A reader that stands at the user data of a data TPDU.
 * @throws DecodeError when the frame is no data TPDU, or one of several (RDP never splits data over TPDUs)
 */
export function readData(frame: Uint8Array): Reader {
  if (!startsWithData(frame)) throw notData(frame);
  const reader = new Reader(frame);
  reader.offset = DATA_HEADER_LENGTH;
  return reader;
}

/** Every PDU of a session passes here: the seven bytes are compared without a Reader. */
function startsWithData(frame: Uint8Array): boolean {
  return (
    frame.length >= DATA_HEADER_LENGTH &&
    frame[0] === TPKT_VERSION &&
    ((frame[2] << 8) | frame[3]) === frame.length &&
    frame[4] === DATA_INDICATOR &&
    frame[5] === TpduCode.data &&
    frame[6] === END_OF_TRANSMISSION
  );
}

function notData(frame: Uint8Array): DecodeError {
  const { code } = readTpdu(frame);
  if (code !== TpduCode.data) {
    return new DecodeError('X.224 code', `is 0x${code.toString(16)}, wanted a data TPDU (0xf0)`, 5);
  }
  return new DecodeError('X.224 EOT', 'data split over several TPDUs is not supported', 6);
}

/**
 * Begins a frame with a data TPDU of `payloadLength` bytes; the caller writes exactly as many after it.
 * @throws RangeError when the frame would not fit into TPKT's 65535 bytes
 */
export function startData(payloadLength: number): Writer {
  const length = DATA_HEADER_LENGTH + payloadLength;
  return new Writer(length)
    .u8(TPKT_VERSION)
    .u8(0)
    .u16be(length)
    .u8(DATA_INDICATOR)
    .u8(TpduCode.data)
    .u8(END_OF_TRANSMISSION);
}

/** A frame with a data TPDU that holds a copy of `payload`. */
export function writeData(payload: Uint8Array): Uint8Array {
  return startData(payload.length).raw(payload).finish();
}

/** A frame with a connection request or confirm TPDU: class 0, `body` after the fixed fields (X.224 13.3, 13.4). */
export function writeConnectionTpdu(code: number, body: Uint8Array): Uint8Array {
  const fixed = 6; // code 1, destination reference 2, source reference 2, class 1
  const found = fixed + body.length;
  if (found > MAX_INDICATOR) {
    throw new RangeError(`X.224 header: ${found} bytes, at most ${MAX_INDICATOR} fit; shorten cookie or routing token`);
  }
  const length = TPKT_HEADER_LENGTH + 1 + found;
  return new Writer(length)
    .u8(TPKT_VERSION)
    .u8(0)
    .u16be(length)
    .u8(found)
    .u8(code)
    .zeros(fixed - 1)
    .raw(body)
    .finish();
}

/**
 * The body of a connection request or confirm TPDU, after its fixed fields, as a view.
 * @throws DecodeError when the frame holds another TPDU
 */
export function readConnectionTpdu(frame: Uint8Array, code: number): Uint8Array {
  const tpdu = readTpdu(frame);
  const reader = new Reader(tpdu.header);
  if (tpdu.code !== code) {
    throw reader.error('X.224 code', `is 0x${tpdu.code.toString(16)}, wanted 0x${code.toString(16)}`);
  }
  reader.skip(5, 'X.224 references and class');
  return reader.rest();
}
