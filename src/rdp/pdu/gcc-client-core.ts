/** TS_UD_CS_CORE: what a client says about itself (MS-RDPBCGR 2.2.1.3.2). Strings are cut at their first NUL. */
import { Reader, Writer } from '../bytes.ts';
import { fixedField, utf16Bytes, utf16Text } from './text.ts';

/** Bits of earlyCapabilityFlags. */
export const ClientEarlyFlag = {
  supportErrInfoPdu: 0x0001,
  want32BppSession: 0x0002,
  supportStatusInfoPdu: 0x0004,
  strongAsymmetricKeys: 0x0008,
  relativeMouseInput: 0x0010,
  validConnectionType: 0x0020,
  supportMonitorLayoutPdu: 0x0040,
  supportNetCharAutodetect: 0x0080,
  supportDynvcGfxProtocol: 0x0100,
  supportDynamicTimeZone: 0x0200,
  supportHeartbeatPdu: 0x0400,
  supportSkipChannelJoin: 0x0800,
} as const;

/** Values of colorDepth and postBeta2ColorDepth; highColorDepth counts bits instead. */
export const LegacyColorDepth = {
  bpp4: 0xca00,
  bpp8: 0xca01,
  bpp15: 0xca02,
  bpp16: 0xca03,
  bpp24: 0xca04,
} as const;

/** Bits of supportedColorDepths. */
export const SupportedColorDepth = { bpp24: 1, bpp16: 2, bpp15: 4, bpp32: 8 } as const;

export interface ClientCoreData {
  version: number;
  /** Pixels. */
  desktopWidth: number;
  desktopHeight: number;
  colorDepth: number;
  sasSequence: number;
  keyboardLayout: number;
  clientBuild: number;
  /** At most 15 characters. */
  clientName: string;
  keyboardType: number;
  keyboardSubType: number;
  keyboardFunctionKeys: number;
  /** At most 31 characters. */
  imeFileName: string;
  /** The fields that later versions appended. A client sends them up to any point; the first absent ends them. */
  tail: ClientCoreTail;
  /** What follows the fields known here. */
  trailing: Uint8Array;
}

export interface ClientCoreTail {
  postBeta2ColorDepth?: number;
  clientProductId?: number;
  serialNumber?: number;
  /** Bits per pixel. */
  highColorDepth?: number;
  supportedColorDepths?: number;
  earlyCapabilityFlags?: number;
  /** At most 31 characters. */
  clientDigProductId?: string;
  connectionType?: number;
  pad1octet?: number;
  serverSelectedProtocol?: number;
  /** Millimetres. */
  desktopPhysicalWidth?: number;
  desktopPhysicalHeight?: number;
  /** Degrees. */
  desktopOrientation?: number;
  /** Percent. */
  desktopScaleFactor?: number;
  deviceScaleFactor?: number;
}

/** Name, bytes and kind of each field of the tail, in the order of the wire. */
const TAIL_FIELDS = [
  { name: 'postBeta2ColorDepth', size: 2 },
  { name: 'clientProductId', size: 2 },
  { name: 'serialNumber', size: 4 },
  { name: 'highColorDepth', size: 2 },
  { name: 'supportedColorDepths', size: 2 },
  { name: 'earlyCapabilityFlags', size: 2 },
  { name: 'clientDigProductId', size: 64 },
  { name: 'connectionType', size: 1 },
  { name: 'pad1octet', size: 1 },
  { name: 'serverSelectedProtocol', size: 4 },
  { name: 'desktopPhysicalWidth', size: 4 },
  { name: 'desktopPhysicalHeight', size: 4 },
  { name: 'desktopOrientation', size: 2 },
  { name: 'desktopScaleFactor', size: 4 },
  { name: 'deviceScaleFactor', size: 4 },
] as const;

const CLIENT_NAME_SIZE = 32;
const IME_FILE_NAME_SIZE = 64;

/** Reads the block's body. @throws DecodeError when it is shorter than its fixed part of 128 bytes */
export function readClientCoreData(body: Uint8Array): ClientCoreData {
  const reader = new Reader(body);
  return {
    version: reader.u32('CS_CORE version'),
    desktopWidth: reader.u16('CS_CORE desktopWidth'),
    desktopHeight: reader.u16('CS_CORE desktopHeight'),
    colorDepth: reader.u16('CS_CORE colorDepth'),
    sasSequence: reader.u16('CS_CORE SASSequence'),
    keyboardLayout: reader.u32('CS_CORE keyboardLayout'),
    clientBuild: reader.u32('CS_CORE clientBuild'),
    clientName: utf16Field(reader, CLIENT_NAME_SIZE, 'CS_CORE clientName'),
    keyboardType: reader.u32('CS_CORE keyboardType'),
    keyboardSubType: reader.u32('CS_CORE keyboardSubType'),
    keyboardFunctionKeys: reader.u32('CS_CORE keyboardFunctionKey'),
    imeFileName: utf16Field(reader, IME_FILE_NAME_SIZE, 'CS_CORE imeFileName'),
    tail: readTail(reader),
    trailing: reader.rest(),
  };
}

/** The block's body. */
export function writeClientCoreData(core: ClientCoreData): Uint8Array {
  const writer = new Writer(234)
    .u32(core.version)
    .u16(core.desktopWidth)
    .u16(core.desktopHeight)
    .u16(core.colorDepth)
    .u16(core.sasSequence)
    .u32(core.keyboardLayout)
    .u32(core.clientBuild)
    .raw(fixedField(core.clientName, CLIENT_NAME_SIZE, utf16Bytes))
    .u32(core.keyboardType)
    .u32(core.keyboardSubType)
    .u32(core.keyboardFunctionKeys)
    .raw(fixedField(core.imeFileName, IME_FILE_NAME_SIZE, utf16Bytes));
  writeTail(writer, core.tail);
  return writer.raw(core.trailing).finish();
}

/**
 * The colour depth that a client asks for, in bits per pixel. Another than this makes some clients give up. Four bits,
 * which no server of today sends, count as eight.
 */
export function wantedBitsPerPixel({ colorDepth, tail }: ClientCoreData): 8 | 15 | 16 | 24 | 32 {
  const wants32 = ((tail.earlyCapabilityFlags ?? 0) & ClientEarlyFlag.want32BppSession) !== 0;
  if (wants32 && (tail.supportedColorDepths ?? 0) & SupportedColorDepth.bpp32) return 32;
  switch (tail.highColorDepth ?? tail.postBeta2ColorDepth ?? colorDepth) {
    case 24:
    case LegacyColorDepth.bpp24:
      return 24;
    case 15:
    case LegacyColorDepth.bpp15:
      return 15;
    case 4:
    case 8:
    case LegacyColorDepth.bpp4:
    case LegacyColorDepth.bpp8:
      return 8;
    default:
      return 16;
  }
}

/** A field of fixed size; its last unit is a NUL whatever it holds. */
function utf16Field(reader: Reader, size: number, field: string): string {
  return utf16Text(reader.take(size, field).subarray(0, size - 2));
}

/**
 * The tail as far as `serverSelectedProtocol`, with neutral values where the client sent none; what it sent is kept.
 */
export function completeTail(core: ClientCoreData): ClientCoreTail & typeof NEUTRAL_TAIL {
  return { ...NEUTRAL_TAIL, ...core.tail };
}

const NEUTRAL_TAIL = {
  postBeta2ColorDepth: LegacyColorDepth.bpp8 as number,
  clientProductId: 1,
  serialNumber: 0,
  highColorDepth: 16,
  supportedColorDepths: SupportedColorDepth.bpp16 as number,
  earlyCapabilityFlags: 0,
  clientDigProductId: '',
  connectionType: 0,
  pad1octet: 0,
  serverSelectedProtocol: 0,
};

function readTail(reader: Reader): ClientCoreTail {
  const tail: ClientCoreTail = {};
  for (const { name, size } of TAIL_FIELDS) {
    if (reader.remaining < size) break;
    const field = `CS_CORE ${name}`;
    if (name === 'clientDigProductId') tail[name] = utf16Field(reader, size, field);
    else tail[name] = size === 1 ? reader.u8(field) : size === 2 ? reader.u16(field) : reader.u32(field);
  }
  return tail;
}

function writeTail(writer: Writer, tail: ClientCoreTail): void {
  for (const { name, size } of TAIL_FIELDS) {
    const value = tail[name];
    if (value === undefined) break;
    if (typeof value === 'string') writer.raw(fixedField(value, size, utf16Bytes));
    else if (size === 1) writer.u8(value);
    else if (size === 2) writer.u16(value);
    else writer.u32(value);
  }
}
