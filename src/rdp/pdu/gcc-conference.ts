/**
 * GCC Conference Create Request and Response (T.124 section 8.7; MS-RDPBCGR 2.2.1.3 and 2.2.1.4): the wrapping of RDP's
 * data blocks inside MCS Connect PDUs, in its one canonical form.
 *
 * Peers skip what stands before the blocks without looking, so each header has one size. The request's is 23 bytes, with
 * two-byte lengths (xrdp). The response's is 21 bytes and the length of the blocks (rdesktop), which leaves one byte for
 * the length of the inner PDU: Microsoft's server and xrdp always write 42 there, as here, and nobody checks it.
 */
import { type DecodeError, Reader, Writer } from '../bytes.ts';
import { readPerLength, writePerLongLength } from './per.ts';

/** ConnectData's key: choice "object", then the object identifier of T.124, 0.0.20.124.0.1. */
const T124_KEY = Uint8Array.of(0x00, 0x05, 0x00, 0x14, 0x7c, 0x00, 0x01);
/** Request choice with user data only; conference name "1"; one block of user data under a non-standard key. */
const CREATE_REQUEST = Uint8Array.of(0x00, 0x08, 0x00, 0x10, 0x00, 0x01, 0xc0, 0x00);
/** Response choice; node id 31219, tag 1, result 0; one block of user data under a non-standard key. */
const CREATE_RESPONSE = Uint8Array.of(0x14, 0x76, 0x0a, 0x01, 0x01, 0x00, 0x01, 0xc0, 0x00);
/** The response's length of its inner PDU, whatever it is. */
const RESPONSE_LENGTH = 0x2a;
/** The H.221 key of what a client sends. */
const DUCA = Uint8Array.of(0x44, 0x75, 0x63, 0x61);
/** The H.221 key of what a server sends. */
const MCDN = Uint8Array.of(0x4d, 0x63, 0x44, 0x6e);

/** The client's data blocks, as a view. @throws DecodeError */
export function readConferenceCreateRequest(bytes: Uint8Array): Uint8Array {
  const reader = new Reader(bytes);
  expect(reader, T124_KEY, 'GCC key');
  readPerLength(reader, 'GCC connectPDU length');
  expect(reader, CREATE_REQUEST, 'GCC conferenceCreateRequest');
  expect(reader, DUCA, 'GCC h221NonStandard');
  return reader.take(readPerLength(reader, 'GCC userData length'), 'GCC userData');
}

/** @throws RangeError when the blocks exceed PER's 16383 bytes */
export function writeConferenceCreateRequest(blocks: Uint8Array): Uint8Array {
  const header = T124_KEY.length + 2 + CREATE_REQUEST.length + DUCA.length + 2; // each length 2
  const writer = new Writer(header + blocks.length).raw(T124_KEY);
  writePerLongLength(writer, CREATE_REQUEST.length + DUCA.length + 2 + blocks.length);
  writer.raw(CREATE_REQUEST).raw(DUCA);
  writePerLongLength(writer, blocks.length);
  return writer.raw(blocks).finish();
}

/** The server's data blocks, as a view. @throws DecodeError */
export function readConferenceCreateResponse(bytes: Uint8Array): Uint8Array {
  const reader = new Reader(bytes);
  expect(reader, T124_KEY, 'GCC key');
  readPerLength(reader, 'GCC connectPDU length');
  const choice = reader.u8('GCC conferenceCreateResponse');
  if (choice !== CREATE_RESPONSE[0])
    throw reader.error('GCC conferenceCreateResponse', `is choice ${choice}, wanted 20`);
  reader.skip(2, 'GCC nodeID');
  reader.skip(readPerLength(reader, 'GCC tag length'), 'GCC tag');
  const result = reader.u8('GCC result');
  if (result !== 0) throw reader.error('GCC result', `is ${result}: the server refused the conference, wanted 0`);
  reader.skip(2, 'GCC userData key');
  expect(reader, Uint8Array.of(0), 'GCC h221NonStandard length');
  expect(reader, MCDN, 'GCC h221NonStandard');
  return reader.take(readPerLength(reader, 'GCC userData length'), 'GCC userData');
}

/** @throws RangeError when the blocks exceed PER's 16383 bytes */
export function writeConferenceCreateResponse(blocks: Uint8Array): Uint8Array {
  const header = T124_KEY.length + 1 + CREATE_RESPONSE.length + MCDN.length + 2; // lengths 1 and 2
  const writer = new Writer(header + blocks.length).raw(T124_KEY).u8(RESPONSE_LENGTH).raw(CREATE_RESPONSE).raw(MCDN);
  writePerLongLength(writer, blocks.length);
  return writer.raw(blocks).finish();
}

function expect(reader: Reader, wanted: Uint8Array, field: string): void {
  const found = reader.take(wanted.length, field);
  if (found.some((byte, i) => byte !== wanted[i])) throw mismatch(reader, field, found, wanted);
}

function mismatch(reader: Reader, field: string, found: Uint8Array, wanted: Uint8Array): DecodeError {
  const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return reader.error(field, `is ${hex(found)}, wanted ${hex(wanted)}`);
}
