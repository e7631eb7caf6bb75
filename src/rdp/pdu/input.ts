/** Input events, and the slow-path input PDU (MS-RDPBCGR 2.2.8.1.1.3) that carries them. Little-endian. */
import { Reader, Writer } from '../bytes.ts';

/** pointerFlags of a mouse event; the low nine bits are a wheel's signed rotation. */
export const PointerFlag = {
  wheelNegative: 0x0100,
  wheel: 0x0200,
  horizontalWheel: 0x0400,
  move: 0x0800,
  button1: 0x1000,
  button2: 0x2000,
  button3: 0x4000,
  down: 0x8000,
} as const;

export type InputEvent =
  /** A key by its scancode; extended and extended1 are the prefixes E0 and E1. */
  | { kind: 'scancode'; release: boolean; extended: boolean; extended1: boolean; code: number }
  /** A UTF-16 code unit. */
  | { kind: 'unicode'; release: boolean; code: number }
  | { kind: 'mouse'; flags: number; x: number; y: number }
  /** Buttons four and five. */
  | { kind: 'extendedMouse'; flags: number; x: number; y: number }
  | { kind: 'relativeMouse'; flags: number; dx: number; dy: number }
  /** State of the lock keys: 1 scroll, 2 num, 4 caps, 8 kana. */
  | { kind: 'synchronize'; toggleFlags: number }
  /** Milliseconds of the client's clock: fast path only. */
  | { kind: 'qoeTimestamp'; timestamp: number };

/** A slow-path event of a type that this reader does not know, kept as it came. */
export interface UnknownInputEvent {
  kind: 'unknown';
  messageType: number;
  data: Uint8Array;
}

/** messageType of a slow-path event. */
const MessageType = {
  synchronize: 0x0000,
  scancode: 0x0004,
  unicode: 0x0005,
  mouse: 0x8001,
  extendedMouse: 0x8002,
  relativeMouse: 0x8004,
} as const;

const KeyFlag = { extended: 0x0100, extended1: 0x0200, release: 0x8000 } as const;

const eventDataSize = 6;

/**
 * @param body body of a share data PDU of type input
 * @throws DecodeError where the bytes do not follow the specification
 */
export function readInputPdu(body: Uint8Array): (InputEvent | UnknownInputEvent)[] {
  const reader = new Reader(body);
  const count = reader.u16('numEvents');
  reader.skip(2, 'pad2Octets');
  const events: (InputEvent | UnknownInputEvent)[] = [];
  for (let i = 0; i < count; i++) {
    reader.skip(4, 'eventTime');
    const messageType = reader.u16('messageType');
    events.push(readEvent(messageType, new Reader(reader.take(eventDataSize, 'slowPathInputData'))));
  }
  return events;
}

function readEvent(messageType: number, reader: Reader): InputEvent | UnknownInputEvent {
  switch (messageType) {
    case MessageType.synchronize:
      reader.skip(2, 'pad2Octets');
      return { kind: 'synchronize', toggleFlags: reader.u32('toggleFlags') };
    case MessageType.scancode: {
      const flags = reader.u16('keyboardFlags');
      return {
        kind: 'scancode',
        release: (flags & KeyFlag.release) !== 0,
        extended: (flags & KeyFlag.extended) !== 0,
        extended1: (flags & KeyFlag.extended1) !== 0,
        code: reader.u16('keyCode'),
      };
    }
    case MessageType.unicode: {
      const flags = reader.u16('keyboardFlags');
      return { kind: 'unicode', release: (flags & KeyFlag.release) !== 0, code: reader.u16('unicodeCode') };
    }
    case MessageType.mouse:
    case MessageType.extendedMouse: {
      const kind = messageType === MessageType.mouse ? 'mouse' : 'extendedMouse';
      return { kind, flags: reader.u16('pointerFlags'), x: reader.u16('xPos'), y: reader.u16('yPos') };
    }
    case MessageType.relativeMouse:
      return {
        kind: 'relativeMouse',
        flags: reader.u16('pointerFlags'),
        dx: reader.i16('xDelta'),
        dy: reader.i16('yDelta'),
      };
    default:
      return { kind: 'unknown', messageType, data: reader.rest() };
  }
}

/**
 * @param events at most 65535; a QoE timestamp has no slow-path form
 * @returns body of a share data PDU of type input
 * @throws RangeError for a QoE timestamp or a value that does not fit
 */
export function writeInputPdu(events: readonly (InputEvent | UnknownInputEvent)[]): Uint8Array {
  const writer = new Writer(4 + events.length * 12).u16(events.length).u16(0);
  for (const event of events) {
    writer.u32(0);
    writeEvent(writer, event);
  }
  return writer.finish();
}

function writeEvent(writer: Writer, event: InputEvent | UnknownInputEvent): void {
  switch (event.kind) {
    case 'synchronize':
      writer.u16(MessageType.synchronize).u16(0).u32(event.toggleFlags);
      break;
    case 'scancode': {
      const extended = (event.extended ? KeyFlag.extended : 0) | (event.extended1 ? KeyFlag.extended1 : 0);
      const flags = extended | (event.release ? KeyFlag.release : 0);
      writer.u16(MessageType.scancode).u16(flags).u16(event.code).u16(0);
      break;
    }
    case 'unicode':
      writer
        .u16(MessageType.unicode)
        .u16(event.release ? KeyFlag.release : 0)
        .u16(event.code)
        .u16(0);
      break;
    case 'mouse':
    case 'extendedMouse':
      writer.u16(MessageType[event.kind]).u16(event.flags).u16(event.x).u16(event.y);
      break;
    case 'relativeMouse':
      writer.u16(MessageType.relativeMouse).u16(event.flags).i16(event.dx).i16(event.dy);
      break;
    case 'qoeTimestamp':
      throw new RangeError('a QoE timestamp has no slow-path form');
    case 'unknown':
      writer.u16(event.messageType).raw(event.data);
      break;
  }
}
