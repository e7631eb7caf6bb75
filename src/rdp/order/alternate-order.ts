/**
 * Alternate secondary drawing orders ([MS-RDPEGDI] 2.2.2.2.1.3): their type is in controlFlags, and only the type tells
 * where they end. Frame Marker is the one that is announced.
 */
import { type Reader, Writer } from '../bytes.ts';
import { ControlFlag } from './control-flags.ts';

const FRAME_MARKER = 0x0d;

/** action of a Frame Marker (2.2.2.2.1.3.7). */
export const FrameMarkerAction = { begin: 0, end: 1 } as const;

/**
 * @param reader stands after controlFlags
 * @param frameMarkers whether Frame Marker was announced
 * @returns action of the Frame Marker
 * @throws DecodeError when the order is another one, not announced or cut short
 */
export function readAlternateOrder(reader: Reader, controlFlags: number, frameMarkers: boolean): number {
  const type = controlFlags >> 2;
  if (type !== FRAME_MARKER || !frameMarkers) throw reader.error('orderType', `${type} was not announced`);
  return reader.u32('action');
}

/** @param action a value of FrameMarkerAction */
export function writeFrameMarker(action: number): Uint8Array {
  return new Writer(5)
    .u8((FRAME_MARKER << 2) | ControlFlag.secondary)
    .u32(action)
    .finish();
}
