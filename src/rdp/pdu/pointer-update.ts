/**
 * Pointer updates (MS-RDPBCGR 2.2.9.1.1.4 slow path, 2.2.9.1.2.1.5 to .11 fast path): what the mouse pointer looks like
 * and where the server puts it. Little-endian.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { FastPathUpdateCode } from './fast-path-output.ts';

/** messageType of a slow-path pointer PDU. */
export const PointerMessageType = {
  system: 0x0001,
  position: 0x0003,
  color: 0x0006,
  cached: 0x0007,
  pointer: 0x0008,
  large: 0x0009,
} as const;

export interface PointerShape {
  kind: 'shape';
  /** Slot of the pointer cache that keeps the shape. */
  cacheIndex: number;
  /** The pixel of the shape that points, from its top left. */
  hotX: number;
  hotY: number;
  width: number;
  height: number;
  /** Depth of xorMask: 1, 4, 8, 16, 24 or 32. */
  bitsPerPixel: number;
  /** Bottom-up rows of pixels, each padded to two bytes, as a view. */
  xorMask: Uint8Array;
  /** Bottom-up rows of bits, each padded to two bytes, as a view; 1 = transparent. */
  andMask: Uint8Array;
  /** Sent as a large pointer: masks longer than 65535 bytes, up to 384 × 384 pixels. */
  large: boolean;
}

export type PointerUpdate =
  | { kind: 'hidden' }
  | { kind: 'default' }
  | { kind: 'position'; x: number; y: number }
  | { kind: 'cached'; cacheIndex: number }
  | PointerShape;

/** Greatest side of a pointer in pixels (MS-RDPBCGR 2.2.7.2.7). */
export const pointerMaxSize = 384;

const systemNull = 0x0000;
const systemDefault = 0x7f00;

/**
 * @param body body of a share data PDU of type pointer
 * @returns the update, or null for a message type that this reader does not know
 * @throws DecodeError where the bytes do not follow the specification
 */
export function readPointerPdu(body: Uint8Array): PointerUpdate | null {
  const reader = new Reader(body);
  const type = reader.u16('messageType');
  reader.skip(2, 'pad2Octets');
  switch (type) {
    case PointerMessageType.system:
      return readSystem(reader);
    case PointerMessageType.position:
      return readPosition(reader);
    case PointerMessageType.color:
      return readShape(reader, 24, false);
    case PointerMessageType.cached:
      return readCached(reader);
    case PointerMessageType.pointer:
      return readShape(reader, reader.u16('xorBpp'), false);
    case PointerMessageType.large:
      return readShape(reader, reader.u16('xorBpp'), true);
    default:
      return null;
  }
}

/**
 * @param code updateCode of a fast-path update
 * @param data the whole update, reassembled
 * @returns the update, or null for a code that is not a pointer's
 * @throws DecodeError where the bytes do not follow the specification
 */
export function readFastPathPointer(code: number, data: Uint8Array): PointerUpdate | null {
  const reader = new Reader(data);
  switch (code) {
    case FastPathUpdateCode.pointerHidden:
      return { kind: 'hidden' };
    case FastPathUpdateCode.pointerDefault:
      return { kind: 'default' };
    case FastPathUpdateCode.pointerPosition:
      return readPosition(reader);
    case FastPathUpdateCode.pointerColor:
      return readShape(reader, 24, false);
    case FastPathUpdateCode.pointerCached:
      return readCached(reader);
    case FastPathUpdateCode.pointerNew:
      return readShape(reader, reader.u16('xorBpp'), false);
    case FastPathUpdateCode.pointerLarge:
      return readShape(reader, reader.u16('xorBpp'), true);
    default:
      return null;
  }
}

function readSystem(reader: Reader): PointerUpdate {
  const type = reader.u32('systemPointerType');
  if (type === systemNull) return { kind: 'hidden' };
  if (type === systemDefault) return { kind: 'default' };
  throw reader.error('systemPointerType', `is ${type}, wanted ${systemNull} or ${systemDefault}`);
}

function readPosition(reader: Reader): PointerUpdate {
  return { kind: 'position', x: reader.u16('xPos'), y: reader.u16('yPos') };
}

function readCached(reader: Reader): PointerUpdate {
  return { kind: 'cached', cacheIndex: reader.u16('cacheIndex') };
}

function readShape(reader: Reader, bitsPerPixel: number, large: boolean): PointerShape {
  const cacheIndex = reader.u16('cacheIndex');
  const hotX = reader.u16('hotSpot.x');
  const hotY = reader.u16('hotSpot.y');
  const width = reader.u16('width');
  const height = reader.u16('height');
  if (width > pointerMaxSize || height > pointerMaxSize)
    throw new DecodeError(
      'pointer size',
      `is ${width} x ${height}, at most ${pointerMaxSize} a side`,
      reader.offset - 4,
    );
  const andLength = large ? reader.u32('lengthAndMask') : reader.u16('lengthAndMask');
  const xorLength = large ? reader.u32('lengthXorMask') : reader.u16('lengthXorMask');
  const xorMask = reader.take(xorLength, 'xorMaskData');
  const andMask = reader.take(andLength, 'andMaskData');
  return { kind: 'shape', cacheIndex, hotX, hotY, width, height, bitsPerPixel, xorMask, andMask, large };
}

/** @returns code and data of the fast-path update that says `update` */
export function fastPathPointer(update: PointerUpdate): { code: number; data: Uint8Array } {
  switch (update.kind) {
    case 'hidden':
      return { code: FastPathUpdateCode.pointerHidden, data: new Uint8Array(0) };
    case 'default':
      return { code: FastPathUpdateCode.pointerDefault, data: new Uint8Array(0) };
    case 'position':
      return { code: FastPathUpdateCode.pointerPosition, data: writeFields(update) };
    case 'cached':
      return { code: FastPathUpdateCode.pointerCached, data: writeFields(update) };
    case 'shape': {
      const { pointerLarge, pointerNew } = FastPathUpdateCode;
      return { code: update.large ? pointerLarge : pointerNew, data: writeFields(update) };
    }
  }
}

/** @returns the body of the slow-path pointer PDU that says `update` */
export function writePointerPdu(update: PointerUpdate): Uint8Array {
  const fields = writeFields(update);
  return new Writer(4 + fields.length).u16(messageTypeOf(update)).u16(0).raw(fields).finish();
}

function messageTypeOf(update: PointerUpdate): number {
  switch (update.kind) {
    case 'hidden':
    case 'default':
      return PointerMessageType.system;
    case 'position':
      return PointerMessageType.position;
    case 'cached':
      return PointerMessageType.cached;
    case 'shape':
      return update.large ? PointerMessageType.large : PointerMessageType.pointer;
  }
}

function writeFields(update: PointerUpdate): Uint8Array {
  const writer = new Writer(32);
  switch (update.kind) {
    case 'hidden':
      return writer.u32(systemNull).finish();
    case 'default':
      return writer.u32(systemDefault).finish();
    case 'position':
      return writer.u16(update.x).u16(update.y).finish();
    case 'cached':
      return writer.u16(update.cacheIndex).finish();
    case 'shape':
      return writeShape(writer, update);
  }
}

function writeShape(writer: Writer, shape: PointerShape): Uint8Array {
  writer.u16(shape.bitsPerPixel).u16(shape.cacheIndex).u16(shape.hotX).u16(shape.hotY);
  writer.u16(shape.width).u16(shape.height);
  if (shape.large) writer.u32(shape.andMask.length).u32(shape.xorMask.length);
  else writer.u16(shape.andMask.length).u16(shape.xorMask.length);
  return writer.raw(shape.xorMask).raw(shape.andMask).finish();
}
