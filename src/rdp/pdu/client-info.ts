/**
 * TS_INFO_PACKET with its extended part: credentials, start program, address and time zone (MS-RDPBCGR 2.2.1.11.1.1).
 * It follows a security header with `SecurityFlag.infoPacket`.
 */
import { Reader, Writer } from '../bytes.ts';
import {
  AUTO_RECONNECT_LENGTH,
  type AutoReconnectPacket,
  readAutoReconnect,
  writeAutoReconnect,
} from './auto-reconnect.ts';
import { BulkType } from './bulk-flags.ts';
import { asciiBytes, asciiField, utf16Bytes, utf16Text } from './text.ts';

/** Bits of flags. */
export const InfoFlag = {
  mouse: 0x00000001,
  disableCtrlAltDel: 0x00000002,
  autologon: 0x00000008,
  unicode: 0x00000010,
  maximizeShell: 0x00000020,
  logonNotify: 0x00000040,
  compression: 0x00000080,
  enableWindowsKey: 0x00000100,
  compressionTypeMask: 0x00001e00,
  remoteConsoleAudio: 0x00002000,
  forceEncryptedCsPdu: 0x00004000,
  rail: 0x00008000,
  logonErrors: 0x00010000,
  mouseHasWheel: 0x00020000,
  passwordIsScPin: 0x00040000,
  noAudioPlayback: 0x00080000,
  usingSavedCreds: 0x00100000,
  audioCapture: 0x00200000,
  videoDisable: 0x00400000,
  hidefRailSupported: 0x02000000,
} as const;

/** Where the compression type begins in the flags. */
export const compressionTypeShift = 9;
/** flags that ask for bulk compression of type MPPC 64K at most. */
export const compressionOf64k = InfoFlag.compression | (BulkType.mppc64k << compressionTypeShift);

/** Bits of performanceFlags. */
export const PerformanceFlag = {
  disableWallpaper: 0x01,
  disableFullWindowDrag: 0x02,
  disableMenuAnimations: 0x04,
  disableTheming: 0x08,
  disableCursorShadow: 0x20,
  disableCursorSettings: 0x40,
  enableFontSmoothing: 0x80,
  enableDesktopComposition: 0x100,
} as const;

export interface ClientInfo {
  /** Code page of ANSI strings; with Unicode, the keyboard layout. */
  codePage: number;
  flags: number;
  domain: string;
  userName: string;
  password: string;
  /** The start program. */
  alternateShell: string;
  workingDir: string;
  /** TS_EXTENDED_INFO_PACKET; null from clients of RDP 4. */
  extended: ExtendedInfo | null;
}

/** TS_EXTENDED_INFO_PACKET (2.2.1.11.1.1.1). The fields from `timeZone` on may be absent; the first absent ends them. */
export interface ExtendedInfo {
  /** 2 = IPv4, 0x17 = IPv6. */
  clientAddressFamily: number;
  clientAddress: string;
  clientDir: string;
  /** TS_TIME_ZONE_INFORMATION, 172 bytes as they came. */
  timeZone?: Uint8Array;
  clientSessionId?: number;
  performanceFlags?: number;
  /** The client's half of auto-reconnect; null when the field is there and empty. */
  autoReconnect?: AutoReconnectPacket | null;
  /** reserved1 and reserved2, dynamic time zone name and switch, and whatever follows, as they came. */
  trailing: Uint8Array;
}

/** Bytes of one of the five strings, its terminator aside. */
const MAX_STRING = 512;
const MAX_ADDRESS = 80;
const TIME_ZONE_LENGTH = 172;

/** Reads the packet that follows the security header. @throws DecodeError */
export function readClientInfo(bytes: Uint8Array): ClientInfo {
  const reader = new Reader(bytes);
  const codePage = reader.u32('Client Info CodePage');
  const flags = reader.u32('Client Info flags');
  const unicode = (flags & InfoFlag.unicode) !== 0;
  const counts = STRINGS.map((name) => {
    const count = reader.u16(`Client Info cb ${name}`);
    if (count > MAX_STRING)
      throw reader.error(`Client Info ${name}`, `has ${count} bytes, wanted at most ${MAX_STRING}`);
    return count;
  });
  const [domain, userName, password, alternateShell, workingDir] = STRINGS.map((name, i) => {
    const field = `Client Info ${name}`;
    const raw = reader.take(counts[i], field);
    // Counts leave out the terminator that is there nevertheless.
    reader.skip(unicode ? 2 : 1, `${field} terminator`);
    return unicode ? utf16Text(raw) : asciiField(raw);
  });
  const extended = reader.remaining === 0 ? null : readExtendedInfo(reader);
  return { codePage, flags, domain, userName, password, alternateShell, workingDir, extended };
}

/** The packet that follows the security header. @throws RangeError when a string exceeds 512 bytes */
export function writeClientInfo(info: ClientInfo): Uint8Array {
  const unicode = (info.flags & InfoFlag.unicode) !== 0;
  const strings = STRINGS.map((name) => {
    const bytes = unicode ? utf16Bytes(info[name]) : asciiBytes(info[name]);
    if (bytes.length > MAX_STRING) {
      throw new RangeError(`Client Info ${name}: ${bytes.length} bytes, at most ${MAX_STRING} fit`);
    }
    return bytes;
  });
  const writer = new Writer(512).u32(info.codePage).u32(info.flags >>> 0);
  for (const bytes of strings) writer.u16(bytes.length);
  for (const bytes of strings) writer.raw(bytes).zeros(unicode ? 2 : 1);
  if (info.extended) writeExtendedInfo(writer, info.extended);
  return writer.finish();
}

/** The five strings in the order of the wire. */
const STRINGS = ['domain', 'userName', 'password', 'alternateShell', 'workingDir'] as const;

function readExtendedInfo(reader: Reader): ExtendedInfo {
  const clientAddressFamily = reader.u16('Client Info clientAddressFamily');
  const clientAddress = readCounted(reader, 'Client Info clientAddress', MAX_ADDRESS);
  const clientDir = readCounted(reader, 'Client Info clientDir', MAX_STRING);
  const info: ExtendedInfo = { clientAddressFamily, clientAddress, clientDir, trailing: new Uint8Array(0) };
  if (reader.remaining >= TIME_ZONE_LENGTH) {
    info.timeZone = reader.take(TIME_ZONE_LENGTH, 'Client Info clientTimeZone');
    if (reader.remaining >= 4) {
      info.clientSessionId = reader.u32('Client Info clientSessionId');
      if (reader.remaining >= 4) {
        info.performanceFlags = reader.u32('Client Info performanceFlags');
        if (reader.remaining >= 2) info.autoReconnect = readCookie(reader);
      }
    }
  }
  info.trailing = reader.rest();
  return info;
}

function writeExtendedInfo(writer: Writer, info: ExtendedInfo): void {
  writer.u16(info.clientAddressFamily);
  writeCounted(writer, info.clientAddress);
  writeCounted(writer, info.clientDir);
  if (info.timeZone !== undefined) {
    writer.raw(info.timeZone);
    if (info.clientSessionId !== undefined) {
      writer.u32(info.clientSessionId);
      if (info.performanceFlags !== undefined) {
        writer.u32(info.performanceFlags);
        if (info.autoReconnect === null) writer.u16(0);
        else if (info.autoReconnect) writer.u16(AUTO_RECONNECT_LENGTH).raw(writeAutoReconnect(info.autoReconnect));
      }
    }
  }
  writer.raw(info.trailing);
}

/** A UTF-16 string whose count includes its terminator; without one, its last character makes room for it. */
function readCounted(reader: Reader, field: string, limit: number): string {
  const count = reader.u16(field);
  if (count > limit) throw reader.error(field, `has ${count} bytes, wanted at most ${limit}`);
  return utf16Text(reader.take(count, field)).slice(0, limit / 2 - 1);
}

function writeCounted(writer: Writer, text: string): void {
  writer
    .u16(text.length * 2 + 2)
    .raw(utf16Bytes(text))
    .zeros(2);
}

function readCookie(reader: Reader): AutoReconnectPacket | null {
  const count = reader.u16('Client Info cbAutoReconnectCookie');
  if (count === 0) return null;
  if (count !== AUTO_RECONNECT_LENGTH) {
    throw reader.error('Client Info cbAutoReconnectCookie', `is ${count}, wanted 0 or ${AUTO_RECONNECT_LENGTH}`);
  }
  return readAutoReconnect(reader.take(count, 'Client Info autoReconnectCookie'));
}
