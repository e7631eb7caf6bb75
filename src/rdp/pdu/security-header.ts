/**
 * TS_SECURITY_HEADER (MS-RDPBCGR 2.2.8.1.1.2.1). Under TLS only Client Info, licensing and message-channel PDUs have one.
 */
import { Reader, Writer } from '../bytes.ts';

/** Bits of the header's flags. */
export const SecurityFlag = {
  exchangePacket: 0x0001,
  transportRequest: 0x0002,
  transportResponse: 0x0004,
  encrypt: 0x0008,
  infoPacket: 0x0040,
  licensePacket: 0x0080,
  licenseEncrypt: 0x0200,
  redirectionPacket: 0x0400,
  autodetectRequest: 0x1000,
  autodetectResponse: 0x2000,
  heartbeat: 0x4000,
} as const;

export interface Secured {
  flags: number;
  /** What follows the header, as a view. */
  body: Uint8Array;
}

/** Reads the header of an MCS payload. @throws DecodeError */
export function readSecurityHeader(payload: Uint8Array): Secured {
  const reader = new Reader(payload);
  const flags = reader.u16('security header flags');
  reader.skip(2, 'security header flagsHi');
  return { flags, body: reader.rest() };
}

/** An MCS payload with a header before `body`. */
export function writeSecurityHeader({ flags, body }: Secured): Uint8Array {
  return new Writer(4 + body.length).u16(flags).u16(0).raw(body).finish();
}
