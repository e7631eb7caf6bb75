/**
 * The first exchange of a connection: X.224 Connection Request and Connection Confirm with RDP's negotiation of the
 * security protocol (MS-RDPBCGR 2.2.1.1 and 2.2.1.2).
 */
import { Reader, Writer } from '../bytes.ts';
import { asciiBytes, asciiText } from './text.ts';
import { readConnectionTpdu, TpduCode, writeConnectionTpdu } from './x224.ts';

/** Security protocols; a request ORs them, a response names one. */
export const Protocol = {
  /** Legacy RDP encryption: always implied, never announced. */
  rdp: 0,
  ssl: 1,
  hybrid: 2,
  rdstls: 4,
  hybridEx: 8,
  rdsAad: 0x10,
} as const;

/** Flags of RDP_NEG_REQ. */
export const RequestFlag = {
  restrictedAdminModeRequired: 0x01,
  redirectedAuthenticationModeRequired: 0x02,
  correlationInfoPresent: 0x08,
} as const;

/** Flags of RDP_NEG_RSP. */
export const ResponseFlag = {
  extendedClientDataSupported: 0x01,
  graphicsPipelineSupported: 0x02,
  restrictedAdminModeSupported: 0x08,
  redirectedAuthenticationModeSupported: 0x10,
} as const;

/** Codes of RDP_NEG_FAILURE. */
export const FailureCode = {
  sslRequiredByServer: 1,
  sslNotAllowedByServer: 2,
  sslCertNotOnServer: 3,
  inconsistentFlags: 4,
  hybridRequiredByServer: 5,
  sslWithUserAuthRequiredByServer: 6,
} as const;

const TYPE_REQUEST = 1;
const TYPE_RESPONSE = 2;
const TYPE_FAILURE = 3;
const NEGOTIATION_LENGTH = 8;
const COOKIE_PREFIX = 'Cookie: mstshash=';

export interface ConnectionRequest {
  /** The user name (or what the client took for one) of a `Cookie: mstshash=` line. */
  cookie: string | null;
  /** A load balancer's line (`Cookie: msts=...`, `tsv://...`), whole, without its CR LF. At most one of the two is there. */
  routingToken: string | null;
  /** RDP_NEG_REQ; null from clients that know only legacy RDP security. */
  negotiation: { flags: number; requestedProtocols: number } | null;
  /** What follows: RDP_NEG_CORRELATION_INFO, when the flag says so. */
  trailing: Uint8Array;
}

export type ConnectionConfirm =
  | { kind: 'response'; flags: number; selectedProtocol: number }
  | { kind: 'failure'; code: number }
  /** A server that knows only legacy RDP security. */
  | { kind: 'none' };

/** Reads a frame with an X.224 Connection Request. @throws DecodeError */
export function readConnectionRequest(frame: Uint8Array): ConnectionRequest {
  const body = readConnectionTpdu(frame, TpduCode.connectionRequest);
  const reader = new Reader(body);
  let cookie: string | null = null;
  let routingToken: string | null = null;
  if (body.length > 0 && body[0] !== TYPE_REQUEST) {
    const line = takeLine(reader);
    if (line.startsWith(COOKIE_PREFIX)) cookie = line.slice(COOKIE_PREFIX.length);
    else routingToken = line;
  }
  if (reader.remaining === 0) return { cookie, routingToken, negotiation: null, trailing: body.subarray(body.length) };
  const { flags, value } = readNegotiation(reader, 'RDP_NEG_REQ', TYPE_REQUEST);
  return { cookie, routingToken, negotiation: { flags, requestedProtocols: value }, trailing: reader.rest() };
}

/**
 * A frame with an X.224 Connection Request.
 * @throws RangeError when cookie or token hold CR LF, are both there, or make the TPDU longer than 254 bytes
 */
export function writeConnectionRequest(request: ConnectionRequest): Uint8Array {
  if (request.cookie !== null && request.routingToken !== null) {
    throw new RangeError('connection request: has a cookie and a routing token, RDP allows one of them');
  }
  const line = request.cookie !== null ? COOKIE_PREFIX + request.cookie : request.routingToken;
  if (line?.includes('\r\n')) throw new RangeError('connection request: cookie or routing token contains a line end');
  const writer = new Writer(64);
  if (line !== null) writer.raw(asciiBytes(`${line}\r\n`));
  if (request.negotiation) {
    writeNegotiation(writer, TYPE_REQUEST, request.negotiation.flags, request.negotiation.requestedProtocols);
  }
  return writeConnectionTpdu(TpduCode.connectionRequest, writer.raw(request.trailing).finish());
}

/** Reads a frame with an X.224 Connection Confirm. @throws DecodeError */
export function readConnectionConfirm(frame: Uint8Array): ConnectionConfirm {
  const reader = new Reader(readConnectionTpdu(frame, TpduCode.connectionConfirm));
  if (reader.remaining === 0) return { kind: 'none' };
  if (reader.peek('negotiation type') === TYPE_FAILURE) {
    return { kind: 'failure', code: readNegotiation(reader, 'RDP_NEG_FAILURE', TYPE_FAILURE).value };
  }
  const { flags, value } = readNegotiation(reader, 'RDP_NEG_RSP', TYPE_RESPONSE);
  return { kind: 'response', flags, selectedProtocol: value };
}

/** A frame with an X.224 Connection Confirm. */
export function writeConnectionConfirm(confirm: ConnectionConfirm): Uint8Array {
  const writer = new Writer(NEGOTIATION_LENGTH);
  if (confirm.kind === 'response') writeNegotiation(writer, TYPE_RESPONSE, confirm.flags, confirm.selectedProtocol);
  if (confirm.kind === 'failure') writeNegotiation(writer, TYPE_FAILURE, 0, confirm.code);
  return writeConnectionTpdu(TpduCode.connectionConfirm, writer.finish());
}

function readNegotiation(reader: Reader, name: string, type: number): { flags: number; value: number } {
  const found = reader.u8(`${name} type`);
  if (found !== type) throw reader.error(`${name} type`, `is ${found}, wanted ${type}`);
  const flags = reader.u8(`${name} flags`);
  const length = reader.u16(`${name} length`);
  if (length !== NEGOTIATION_LENGTH) {
    throw reader.error(`${name} length`, `is ${length}, wanted ${NEGOTIATION_LENGTH}`);
  }
  return { flags, value: reader.u32(`${name} value`) };
}

function writeNegotiation(writer: Writer, type: number, flags: number, value: number): void {
  writer.u8(type).u8(flags).u16(NEGOTIATION_LENGTH).u32(value);
}

function takeLine(reader: Reader): string {
  const { bytes, offset } = reader;
  for (let at = offset; at + 1 < bytes.length; at++) {
    if (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) {
      const line = reader.take(at - offset, 'cookie or routing token');
      reader.skip(2, 'line end');
      return asciiText(line);
    }
  }
  throw reader.error('cookie or routing token', 'does not end with CR LF');
}
