/**
 * Server Redirection Packet (MS-RDPBCGR 2.2.13.1), in the Enhanced Security form (2.2.13.3.1): the server sends the
 * client elsewhere. Little-endian, strings in UTF-16 with their terminator counted.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { utf16Bytes, utf16Text } from './text.ts';

/** RedirFlags: which fields are there, and how to use them. */
export const RedirectionFlag = {
  targetNetAddress: 0x00000001,
  loadBalanceInfo: 0x00000002,
  userName: 0x00000004,
  domain: 0x00000008,
  password: 0x00000010,
  doNotStoreUserName: 0x00000020,
  smartcardLogon: 0x00000040,
  noRedirect: 0x00000080,
  targetFqdn: 0x00000100,
  targetNetBiosName: 0x00000200,
  targetNetAddresses: 0x00000800,
  clientTsvUrl: 0x00001000,
  serverTsvCapable: 0x00002000,
  passwordIsPkEncrypted: 0x00004000,
  redirectionGuid: 0x00008000,
  targetCertificate: 0x00010000,
} as const;

export interface ServerRedirection {
  sessionId: number;
  /** Bits of RedirectionFlag. */
  flags: number;
  targetNetAddress?: string;
  /** The routing token for the next X.224 Connection Request, its CRLF included. */
  loadBalanceInfo?: Uint8Array;
  userName?: string;
  domain?: string;
  /** UTF-16 with its terminator, or an opaque cookie. */
  password?: Uint8Array;
  targetFqdn?: string;
  targetNetBiosName?: string;
  tsvUrl?: Uint8Array;
  redirectionGuid?: Uint8Array;
  targetCertificate?: Uint8Array;
  targetNetAddresses?: string[];
}

const securityRedirectionPacket = 0x0400;

/** The fields that are counted bytes or text, in wire order. */
const fields = [
  { flag: RedirectionFlag.targetNetAddress, name: 'targetNetAddress', text: true },
  { flag: RedirectionFlag.loadBalanceInfo, name: 'loadBalanceInfo', text: false },
  { flag: RedirectionFlag.userName, name: 'userName', text: true },
  { flag: RedirectionFlag.domain, name: 'domain', text: true },
  { flag: RedirectionFlag.password, name: 'password', text: false },
  { flag: RedirectionFlag.targetFqdn, name: 'targetFqdn', text: true },
  { flag: RedirectionFlag.targetNetBiosName, name: 'targetNetBiosName', text: true },
  { flag: RedirectionFlag.clientTsvUrl, name: 'tsvUrl', text: false },
  { flag: RedirectionFlag.redirectionGuid, name: 'redirectionGuid', text: false },
  { flag: RedirectionFlag.targetCertificate, name: 'targetCertificate', text: false },
] as const;

/**
 * @param body body of a share control PDU of type serverRedirection
 * @throws DecodeError where the bytes do not follow the specification
 */
export function readServerRedirection(body: Uint8Array): ServerRedirection {
  const reader = new Reader(body);
  reader.skip(2, 'pad2Octets');
  const marker = reader.u16('Flags');
  if (marker !== securityRedirectionPacket)
    throw new DecodeError('Flags', `is ${marker}, wanted ${securityRedirectionPacket}`, 2);
  reader.skip(2, 'Length');
  const redirection: ServerRedirection = { sessionId: reader.u32('SessionID'), flags: reader.u32('RedirFlags') };
  for (const field of fields) {
    if ((redirection.flags & field.flag) === 0) continue;
    const bytes = reader.take(reader.u32(`${field.name} length`), field.name);
    if (field.text) redirection[field.name] = utf16Text(bytes);
    else redirection[field.name] = bytes;
  }
  if (redirection.flags & RedirectionFlag.targetNetAddresses)
    redirection.targetNetAddresses = readAddresses(
      new Reader(reader.take(reader.u32('TargetNetAddressesLength'), 'TargetNetAddresses')),
    );
  return redirection;
}

function readAddresses(reader: Reader): string[] {
  const count = reader.u32('addressCount');
  const addresses: string[] = [];
  for (let i = 0; i < count; i++) addresses.push(utf16Text(reader.take(reader.u32('addressLength'), 'address')));
  return addresses;
}

/** @returns body of a share control PDU of type serverRedirection; flags of absent fields must not be set */
export function writeServerRedirection(redirection: ServerRedirection): Uint8Array {
  const content = new Writer();
  for (const { flag, name } of fields) {
    if ((redirection.flags & flag) === 0) continue;
    const value = redirection[name] ?? '';
    const bytes = typeof value === 'string' ? utf16Bytes(`${value}\0`) : value;
    content.u32(bytes.length).raw(bytes);
  }
  if (redirection.flags & RedirectionFlag.targetNetAddresses) {
    const addresses = (redirection.targetNetAddresses ?? []).map((address) => utf16Bytes(`${address}\0`));
    content.u32(addresses.reduce((sum, bytes) => sum + 4 + bytes.length, 4)).u32(addresses.length);
    for (const bytes of addresses) content.u32(bytes.length).raw(bytes);
  }
  return new Writer(24 + content.length)
    .u16(0)
    .u16(securityRedirectionPacket)
    .u16(12 + content.length)
    .u32(redirection.sessionId)
    .u32(redirection.flags)
    .raw(content.finish())
    .zeros(8) // pad, which some servers leave out
    .finish();
}
