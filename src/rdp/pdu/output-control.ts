/**
 * How a client steers what it is sent (MS-RDPBCGR 2.2.11): Suppress Output and Refresh Rect. Little-endian, rectangles
 * inclusive.
 */
import { Reader, Writer } from '../bytes.ts';

/** TS_RECTANGLE16. */
export interface InclusiveRectangle {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const rectangleSize = 8;

/**
 * @param body body of a share data PDU of type suppressOutput
 * @returns the area that the client wants updates of, or null when it wants none
 * @throws DecodeError when it is cut short
 */
export function readSuppressOutput(body: Uint8Array): InclusiveRectangle | null {
  const reader = new Reader(body);
  const allow = reader.u8('allowDisplayUpdates');
  reader.skip(3, 'pad3Octets');
  return allow === 0 ? null : readRectangle(reader);
}

/**
 * @param area the area to send updates of, or null for none
 * @returns body of a share data PDU of type suppressOutput
 */
export function writeSuppressOutput(area: InclusiveRectangle | null): Uint8Array {
  const writer = new Writer(12).u8(area ? 1 : 0).zeros(3);
  if (area) writeRectangle(writer, area);
  return writer.finish();
}

/**
 * @param body body of a share data PDU of type refreshRect
 * @returns the areas to send again
 * @throws DecodeError when it is cut short
 */
export function readRefreshRect(body: Uint8Array): InclusiveRectangle[] {
  const reader = new Reader(body);
  const count = reader.u8('numberOfAreas');
  reader.skip(3, 'pad3Octets');
  return Array.from({ length: count }, () => readRectangle(reader));
}

/**
 * @param areas at most 255
 * @returns body of a share data PDU of type refreshRect
 */
export function writeRefreshRect(areas: readonly InclusiveRectangle[]): Uint8Array {
  const writer = new Writer(4 + areas.length * rectangleSize).u8(areas.length).zeros(3);
  for (const area of areas) writeRectangle(writer, area);
  return writer.finish();
}

function readRectangle(reader: Reader): InclusiveRectangle {
  return { left: reader.u16('left'), top: reader.u16('top'), right: reader.u16('right'), bottom: reader.u16('bottom') };
}

function writeRectangle(writer: Writer, { left, top, right, bottom }: InclusiveRectangle): void {
  writer.u16(left).u16(top).u16(right).u16(bottom);
}
