/** Fast-path input (MS-RDPBCGR 2.2.8.1.2): the client's events without share headers. Little-endian. */
import { DecodeError, type Reader, Writer } from '../bytes.ts';
import { openFastPath } from './fast-path-output.ts';
import type { InputEvent } from './input.ts';

/** eventCode. */
export const FastPathInputCode = {
  scancode: 0,
  mouse: 1,
  mouseX: 2,
  sync: 3,
  unicode: 4,
  relativeMouse: 5,
  qoeTimestamp: 6,
} as const;

const KeyFlag = { release: 0x01, extended: 0x02, extended1: 0x04 } as const;

/** Greatest number of events in one PDU: one byte counts them. */
export const fastPathMaxEvents = 0xff;

/**
 * Reads the events of one fast-path input PDU.
 * @param frame the whole PDU
 * @throws DecodeError where the bytes do not follow the specification, or name an event of unknown size
 */
export function readFastPathInput(frame: Uint8Array): InputEvent[] {
  const { header, reader } = openFastPath(frame);
  const count = (header >> 2) & 0xf || reader.u8('numEvents');
  const events: InputEvent[] = [];
  for (let i = 0; i < count; i++) events.push(readEvent(reader));
  return events;
}

function readEvent(reader: Reader): InputEvent {
  const start = reader.offset;
  const header = reader.u8('eventHeader');
  const flags = header & 0x1f;
  switch (header >> 5) {
    case FastPathInputCode.scancode:
      return {
        kind: 'scancode',
        release: (flags & KeyFlag.release) !== 0,
        extended: (flags & KeyFlag.extended) !== 0,
        extended1: (flags & KeyFlag.extended1) !== 0,
        code: reader.u8('keyCode'),
      };
    case FastPathInputCode.mouse:
      return { kind: 'mouse', flags: reader.u16('pointerFlags'), x: reader.u16('xPos'), y: reader.u16('yPos') };
    case FastPathInputCode.mouseX:
      return { kind: 'extendedMouse', flags: reader.u16('pointerFlags'), x: reader.u16('xPos'), y: reader.u16('yPos') };
    case FastPathInputCode.sync:
      return { kind: 'synchronize', toggleFlags: flags };
    case FastPathInputCode.unicode:
      return { kind: 'unicode', release: (flags & KeyFlag.release) !== 0, code: reader.u16('unicodeCode') };
    case FastPathInputCode.relativeMouse:
      return {
        kind: 'relativeMouse',
        flags: reader.u16('pointerFlags'),
        dx: reader.i16('xDelta'),
        dy: reader.i16('yDelta'),
      };
    case FastPathInputCode.qoeTimestamp:
      return { kind: 'qoeTimestamp', timestamp: reader.u32('timestamp') };
    default:
      throw new DecodeError('eventCode', `is ${header >> 5}, wanted 0 to 6`, start);
  }
}

/**
 * Writes one fast-path input PDU.
 * @param events 1 to fastPathMaxEvents of them
 * @throws RangeError for another number of events or a value that does not fit
 */
export function writeFastPathInput(events: readonly InputEvent[]): Uint8Array {
  const count = events.length;
  if (count < 1 || count > fastPathMaxEvents) throw new RangeError(`${count} input events, wanted 1 to 255`);
  const body = new Writer(count * 7);
  for (const event of events) writeEvent(body, event);
  const isCounted = count > 15;
  const length = 3 + (isCounted ? 1 : 0) + body.length;
  const writer = new Writer(length).u8(isCounted ? 0 : count << 2).u16be(0x8000 | length);
  if (isCounted) writer.u8(count);
  return writer.raw(body.finish()).finish();
}

function writeEvent(writer: Writer, event: InputEvent): void {
  switch (event.kind) {
    case 'scancode': {
      const release = event.release ? KeyFlag.release : 0;
      const extended = (event.extended ? KeyFlag.extended : 0) | (event.extended1 ? KeyFlag.extended1 : 0);
      writer.u8((FastPathInputCode.scancode << 5) | release | extended).u8(event.code);
      break;
    }
    case 'mouse':
    case 'extendedMouse': {
      const code = event.kind === 'mouse' ? FastPathInputCode.mouse : FastPathInputCode.mouseX;
      writer
        .u8(code << 5)
        .u16(event.flags)
        .u16(event.x)
        .u16(event.y);
      break;
    }
    case 'synchronize':
      writer.u8((FastPathInputCode.sync << 5) | (event.toggleFlags & 0x1f));
      break;
    case 'unicode':
      writer.u8((FastPathInputCode.unicode << 5) | (event.release ? KeyFlag.release : 0)).u16(event.code);
      break;
    case 'relativeMouse':
      writer
        .u8(FastPathInputCode.relativeMouse << 5)
        .u16(event.flags)
        .i16(event.dx)
        .i16(event.dy);
      break;
    case 'qoeTimestamp':
      writer.u8(FastPathInputCode.qoeTimestamp << 5).u32(event.timestamp);
      break;
  }
}
