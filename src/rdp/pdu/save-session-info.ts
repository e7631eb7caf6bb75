/**
 * Save Session Info PDU (MS-RDPBCGR 2.2.10.1): the server tells that somebody logged on, as whom, why not, and which
 * cookie lets the client come back. Little-endian.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { type AutoReconnectPacket, readAutoReconnect, writeAutoReconnect } from './auto-reconnect.ts';
import { utf16Bytes, utf16Text } from './text.ts';

/** infoType. */
const InfoType = { logon: 0, logonLong: 1, plainNotify: 2, extended: 3 } as const;

export type SaveSessionInfo =
  | { kind: 'logon'; domain: string; userName: string; sessionId: number }
  | { kind: 'plainNotify' }
  | { kind: 'extended'; autoReconnect: AutoReconnectPacket | null; logonError: LogonError | null }
  | { kind: 'unknown'; infoType: number; data: Uint8Array };

/** TS_LOGON_ERRORS_INFO. */
export interface LogonError {
  /** What the server does about it: 0xfffffffe go on, 0xfffffffd show a message, ... */
  notificationType: number;
  /** The session's id, or a reason. */
  notificationData: number;
}

const FieldPresent = { autoReconnect: 0x1, logonErrors: 0x2 } as const;
const shortDomainSize = 52;
const shortUserNameSize = 512;
const longHeaderSize = 18;
const longPadding = 558;
const notifyPadding = 576;
const extendedPadding = 570;

/**
 * @param body body of a share data PDU of type saveSessionInfo
 * @throws DecodeError where the bytes do not follow the specification
 */
export function readSaveSessionInfo(body: Uint8Array): SaveSessionInfo {
  const reader = new Reader(body);
  const infoType = reader.u32('infoType');
  switch (infoType) {
    case InfoType.logon:
      return readLogon(reader);
    case InfoType.logonLong:
      return readLogonLong(reader);
    case InfoType.plainNotify:
      return { kind: 'plainNotify' };
    case InfoType.extended:
      return readExtended(reader);
    default:
      return { kind: 'unknown', infoType, data: reader.rest() };
  }
}

function readLogon(reader: Reader): SaveSessionInfo {
  const domain = readFixedText(reader, 'Domain', shortDomainSize);
  const userName = readFixedText(reader, 'UserName', shortUserNameSize);
  return { kind: 'logon', domain, userName, sessionId: reader.u32('SessionId') };
}

/** A count of bytes, then a field of fixed size that holds them. */
function readFixedText(reader: Reader, field: string, size: number): string {
  const used = reader.u32(`cb${field}`);
  if (used > size) throw new DecodeError(`cb${field}`, `is ${used}, at most ${size}`, reader.offset - 4);
  return utf16Text(reader.take(size, field).subarray(0, used));
}

function readLogonLong(reader: Reader): SaveSessionInfo {
  reader.skip(2 + 4, 'Version, Size');
  const sessionId = reader.u32('SessionId');
  const domainLength = reader.u32('cbDomain');
  const userNameLength = reader.u32('cbUserName');
  reader.skip(longPadding, 'Pad');
  const domain = utf16Text(reader.take(domainLength, 'Domain'));
  return { kind: 'logon', domain, userName: utf16Text(reader.take(userNameLength, 'UserName')), sessionId };
}

function readExtended(reader: Reader): SaveSessionInfo {
  reader.skip(2, 'Length');
  const fields = reader.u32('FieldsPresent');
  const take = (flag: number, field: string) =>
    (fields & flag) === 0 ? null : reader.take(reader.u32(`cbFieldData of ${field}`), field);
  const cookie = take(FieldPresent.autoReconnect, 'AutoReconnectCookie');
  const errors = take(FieldPresent.logonErrors, 'LogonErrors');
  return {
    kind: 'extended',
    autoReconnect: cookie && readAutoReconnect(cookie),
    logonError: errors && readLogonError(new Reader(errors)),
  };
}

function readLogonError(reader: Reader): LogonError {
  return {
    notificationType: reader.u32('ErrorNotificationType'),
    notificationData: reader.u32('ErrorNotificationData'),
  };
}

/** @returns body of a share data PDU of type saveSessionInfo; a log-on in its long form */
export function writeSaveSessionInfo(info: SaveSessionInfo): Uint8Array {
  switch (info.kind) {
    case 'logon':
      return writeLogonLong(info.domain, info.userName, info.sessionId);
    case 'plainNotify':
      return new Writer(4 + notifyPadding).u32(InfoType.plainNotify).zeros(notifyPadding).finish();
    case 'extended':
      return writeExtended(info.autoReconnect, info.logonError);
    case 'unknown':
      return new Writer(4 + info.data.length).u32(info.infoType).raw(info.data).finish();
  }
}

function writeLogonLong(domain: string, userName: string, sessionId: number): Uint8Array {
  const domainBytes = utf16Bytes(`${domain}\0`);
  const userNameBytes = utf16Bytes(`${userName}\0`);
  return new Writer(1024)
    .u32(InfoType.logonLong)
    .u16(1)
    .u32(longHeaderSize)
    .u32(sessionId)
    .u32(domainBytes.length)
    .u32(userNameBytes.length)
    .zeros(longPadding)
    .raw(domainBytes)
    .raw(userNameBytes)
    .finish();
}

function writeExtended(autoReconnect: AutoReconnectPacket | null, error: LogonError | null): Uint8Array {
  const fields = new Writer();
  if (autoReconnect) {
    const cookie = writeAutoReconnect(autoReconnect);
    fields.u32(cookie.length).raw(cookie);
  }
  if (error) fields.u32(8).u32(error.notificationType).u32(error.notificationData);
  const present = (autoReconnect ? FieldPresent.autoReconnect : 0) | (error ? FieldPresent.logonErrors : 0);
  return new Writer(1024)
    .u32(InfoType.extended)
    .u16(6 + fields.length)
    .u32(present)
    .raw(fields.finish())
    .zeros(extendedPadding)
    .finish();
}
