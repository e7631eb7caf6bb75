/**
 * Surface commands (MS-RDPBCGR 2.2.9.2): bitmaps of negotiated codecs and the marks between frames, as fast-path updates of
 * code 4. Little-endian.
 */
import { Reader, Writer } from '../bytes.ts';

/** cmdType. */
export const SurfaceCommandType = { setSurfaceBits: 1, frameMarker: 4, streamSurfaceBits: 6 } as const;

/** frameAction. */
export const FrameAction = { begin: 0, end: 1 } as const;

/** cmdFlags of the Surface Commands Capability Set (2.2.7.2.9). */
export const SurfaceCommandFlag = { setSurfaceBits: 0x02, frameMarker: 0x10, streamSurfaceBits: 0x40 } as const;

/** TS_SURFCMD_SET_SURF_BITS or TS_SURFCMD_STREAM_SURF_BITS with its TS_BITMAP_DATA_EX: both paint alike. */
export interface SurfaceBits {
  kind: 'bits';
  /** A value of SurfaceCommandType. */
  type: number;
  /** Pixels of the desktop. */
  left: number;
  top: number;
  /** Exclusive, unlike in bitmap updates. */
  right: number;
  bottom: number;
  bitsPerPixel: number;
  /** What the client's Bitmap Codecs Capability Set calls the codec; 0 for none. */
  codecId: number;
  width: number;
  height: number;
  /** A view. */
  data: Uint8Array;
}

/** TS_FRAME_MARKER. */
export interface FrameMarker {
  kind: 'frameMarker';
  /** A value of FrameAction. */
  action: number;
  /** 0 where the server left it out, as some do. */
  frameId: number;
}

export type SurfaceCommand = SurfaceBits | FrameMarker;

/** flags of TS_BITMAP_DATA_EX: a TS_COMPRESSED_BITMAP_HEADER_EX of 24 bytes stands before the data. */
const headerPresent = 0x01;
const headerSize = 24;

/**
 * Reads the commands of one update, one after the other, without copying.
 * @throws DecodeError, while iterating, where the bytes do not follow the specification
 */
export function* readSurfaceCommands(data: Uint8Array): Generator<SurfaceCommand, void, void> {
  const reader = new Reader(data);
  while (reader.remaining > 0) {
    const type = reader.u16('cmdType');
    if (type === SurfaceCommandType.frameMarker) yield readFrameMarker(reader);
    else if (type === SurfaceCommandType.setSurfaceBits || type === SurfaceCommandType.streamSurfaceBits) {
      yield readSurfaceBits(reader, type);
    } else {
      throw reader.error('cmdType', `is ${type}, wanted 1, 4 or 6`);
    }
  }
}

function readFrameMarker(reader: Reader): FrameMarker {
  const action = reader.u16('frameAction');
  return { kind: 'frameMarker', action, frameId: reader.remaining < 4 ? 0 : reader.u32('frameId') };
}

function readSurfaceBits(reader: Reader, type: number): SurfaceBits {
  const left = reader.u16('destLeft');
  const top = reader.u16('destTop');
  const right = reader.u16('destRight');
  const bottom = reader.u16('destBottom');
  const bitsPerPixel = reader.u8('bpp');
  const flags = reader.u8('flags');
  reader.skip(1, 'reserved');
  const codecId = reader.u8('codecID');
  const width = reader.u16('width');
  const height = reader.u16('height');
  const length = reader.u32('bitmapDataLength');
  if (flags & headerPresent) reader.skip(headerSize, 'exBitmapDataHeader');
  const data = reader.take(length, 'bitmapData');
  return { kind: 'bits', type, left, top, right, bottom, bitsPerPixel, codecId, width, height, data };
}

/**
 * Writes commands as one update's data, bitmaps without the optional header.
 * @throws RangeError when a value does not fit its field
 */
export function writeSurfaceCommands(commands: readonly SurfaceCommand[]): Uint8Array {
  const size = commands.reduce((sum, command) => sum + (command.kind === 'bits' ? 22 + command.data.length : 8), 0);
  const writer = new Writer(size);
  for (const command of commands) {
    if (command.kind === 'frameMarker') {
      writer.u16(SurfaceCommandType.frameMarker).u16(command.action).u32(command.frameId);
      continue;
    }
    writer.u16(command.type).u16(command.left).u16(command.top).u16(command.right).u16(command.bottom);
    writer.u8(command.bitsPerPixel).u8(0).u8(0).u8(command.codecId).u16(command.width).u16(command.height);
    writer.u32(command.data.length).raw(command.data);
  }
  return writer.finish();
}

/** Body of the share data PDU 56 (MS-RDPRFX 2.2.3.1, TS_FRAME_ACKNOWLEDGE_PDU): the client shows all frames to this one. */
export function writeFrameAcknowledge(frameId: number): Uint8Array {
  return new Writer(4).u32(frameId).finish();
}

/** @throws DecodeError when the body is cut short */
export function readFrameAcknowledge(body: Uint8Array): number {
  return new Reader(body).u32('frameID');
}
