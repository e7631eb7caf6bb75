/** Clipboard messages (MS-RDPECLIP 2.2) of the static channel `cliprdr`. Little-endian. */
import { Reader, Writer } from '../bytes.ts';
import { asciiText, fixedField, utf16Bytes, utf16Text } from '../pdu/text.ts';

/** Name of the channel. */
export const clipboardChannelName = 'cliprdr';

/** msgType. */
export const ClipboardMessageType = {
  monitorReady: 0x0001,
  formatList: 0x0002,
  formatListResponse: 0x0003,
  formatDataRequest: 0x0004,
  formatDataResponse: 0x0005,
  temporaryDirectory: 0x0006,
  capabilities: 0x0007,
  fileContentsRequest: 0x0008,
  fileContentsResponse: 0x0009,
  lock: 0x000a,
  unlock: 0x000b,
} as const;

/** msgFlags. */
export const ClipboardMessageFlag = { responseOk: 0x0001, responseFail: 0x0002, asciiNames: 0x0004 } as const;

/** generalFlags of the general capability set. */
export const ClipboardCapability = {
  useLongFormatNames: 0x02,
  streamFileClip: 0x04,
  fileClipNoFilePaths: 0x08,
  canLockClipData: 0x10,
  hugeFileSupport: 0x20,
} as const;

/** Standard format ids that carry text. */
export const ClipboardFormat = { text: 1, oemText: 7, unicodeText: 13 } as const;

/** Bytes before the data of each message. */
export const clipboardHeaderSize = 8;

export interface ClipboardMessage {
  /** A value of ClipboardMessageType, or one that this list does not know. */
  type: number;
  /** Bits of ClipboardMessageFlag. */
  flags: number;
  data: Uint8Array;
}

export interface ClipboardFormatName {
  id: number;
  /** Empty for the standard formats. */
  name: string;
}

export interface FileContentsRequest {
  streamId: number;
  /** Index of the file in the descriptor list. */
  index: number;
  /** 1 = its size, 2 = a range of its bytes. */
  flags: number;
  position: bigint;
  /** Bytes wanted. */
  count: number;
  clipDataId?: number;
}

const generalCapabilityType = 1;
const generalCapabilityLength = 12;
const shortNameSize = 32;

/**
 * @param message a whole channel message; bytes after its data are ignored, since some senders pad
 * @throws DecodeError when it is cut short
 */
export function readClipboardMessage(message: Uint8Array): ClipboardMessage {
  const reader = new Reader(message);
  const type = reader.u16('msgType');
  const flags = reader.u16('msgFlags');
  return { type, flags, data: reader.take(reader.u32('dataLen'), 'clipboard data') };
}

/** @returns a whole channel message */
export function writeClipboardMessage(type: number, flags = 0, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return new Writer(clipboardHeaderSize + data.length).u16(type).u16(flags).u32(data.length).raw(data).finish();
}

/**
 * @param data data of a capabilities message
 * @returns bits of ClipboardCapability; 0 when there is no general set
 * @throws DecodeError when it is cut short
 */
export function readClipboardCapabilities(data: Uint8Array): number {
  const reader = new Reader(data);
  const count = reader.u16('cCapabilitiesSets');
  reader.skip(2, 'pad1');
  for (let i = 0; i < count; i++) {
    const type = reader.u16('capabilitySetType');
    const length = reader.u16('lengthCapability');
    if (length < 4) throw reader.error('lengthCapability', `is ${length}, wanted 4 or more`);
    const set = new Reader(reader.take(length - 4, 'capabilityData'));
    if (type !== generalCapabilityType) continue;
    set.skip(4, 'version');
    return set.u32('generalFlags');
  }
  return 0;
}

/** @returns a capabilities message with these bits of ClipboardCapability */
export function writeClipboardCapabilities(generalFlags: number): Uint8Array {
  const data = new Writer(16).u16(1).u16(0);
  data.u16(generalCapabilityType).u16(generalCapabilityLength).u32(2).u32(generalFlags);
  return writeClipboardMessage(ClipboardMessageType.capabilities, 0, data.finish());
}

/**
 * @param message a format list
 * @param longNames whether both sides announced useLongFormatNames
 * @throws DecodeError when it is cut short
 */
export function readFormatList(message: ClipboardMessage, longNames: boolean): ClipboardFormatName[] {
  const reader = new Reader(message.data);
  const isAscii = (message.flags & ClipboardMessageFlag.asciiNames) !== 0;
  const formats: ClipboardFormatName[] = [];
  while (reader.remaining > 0) {
    const id = reader.u32('formatId');
    formats.push({ id, name: longNames ? readLongName(reader) : readShortName(reader, isAscii) });
  }
  return formats;
}

/** A name that ends with a zero: a list may leave the last one's terminator out. */
function readLongName(reader: Reader): string {
  const units: Uint8Array[] = [];
  while (reader.remaining >= 2) {
    const unit = reader.take(2, 'wszFormatName');
    if (unit[0] === 0 && unit[1] === 0) break;
    units.push(unit);
  }
  return units.map(utf16Text).join('');
}

function readShortName(reader: Reader, isAscii: boolean): string {
  const field = reader.take(shortNameSize, 'formatName');
  return isAscii ? asciiText(field).split('\0', 1)[0] : utf16Text(field);
}

/** @returns a format list message; short names are written in UTF-16 */
export function writeFormatList(formats: readonly ClipboardFormatName[], longNames: boolean): Uint8Array {
  const data = new Writer();
  for (const { id, name } of formats)
    data.u32(id).raw(longNames ? utf16Bytes(`${name}\0`) : fixedField(name, shortNameSize, utf16Bytes));
  return writeClipboardMessage(ClipboardMessageType.formatList, 0, data.finish());
}

/**
 * @param data data of a format data request, a lock or an unlock
 * @returns the format id, or the clipDataId
 * @throws DecodeError when it is cut short
 */
export function readClipboardId(data: Uint8Array): number {
  return new Reader(data).u32('id');
}

/** @returns a message of type formatDataRequest, lock or unlock */
export function writeClipboardId(type: number, id: number): Uint8Array {
  return writeClipboardMessage(type, 0, new Writer(4).u32(id).finish());
}

/**
 * @param data data of a fileContentsRequest
 * @throws DecodeError when it is cut short
 */
export function readFileContentsRequest(data: Uint8Array): FileContentsRequest {
  const reader = new Reader(data);
  const streamId = reader.u32('streamId');
  const index = reader.i32('lindex');
  const flags = reader.u32('dwFlags');
  const position = reader.u64('nPosition');
  const count = reader.u32('cbRequested');
  const request = { streamId, index, flags, position, count };
  return reader.remaining >= 4 ? { ...request, clipDataId: reader.u32('clipDataId') } : request;
}

/** @returns a fileContentsRequest message */
export function writeFileContentsRequest(request: FileContentsRequest): Uint8Array {
  const data = new Writer(28).u32(request.streamId).u32(request.index >>> 0);
  data.u32(request.flags).u64(request.position).u32(request.count);
  if (request.clipDataId !== undefined) data.u32(request.clipDataId);
  return writeClipboardMessage(ClipboardMessageType.fileContentsRequest, 0, data.finish());
}

/**
 * @param data data of a fileContentsResponse
 * @returns the stream and what was asked for: 8 bytes of size, or a range
 * @throws DecodeError when it is cut short
 */
export function readFileContentsResponse(data: Uint8Array): { streamId: number; contents: Uint8Array } {
  const reader = new Reader(data);
  return { streamId: reader.u32('streamId'), contents: reader.rest() };
}

/** @returns a fileContentsResponse message; one that failed when contents is null */
export function writeFileContentsResponse(streamId: number, contents: Uint8Array | null): Uint8Array {
  const data = new Writer(4 + (contents?.length ?? 0)).u32(streamId).raw(contents ?? new Uint8Array(0));
  const { responseOk, responseFail } = ClipboardMessageFlag;
  return writeClipboardMessage(
    ClipboardMessageType.fileContentsResponse,
    contents ? responseOk : responseFail,
    data.finish(),
  );
}
