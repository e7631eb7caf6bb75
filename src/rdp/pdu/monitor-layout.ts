/** Monitor Layout PDU (MS-RDPBCGR 2.2.12.1): which monitors the server's desktop spans. Little-endian. */
import { Reader, Writer } from '../bytes.ts';

export interface Monitor {
  left: number;
  top: number;
  /** Inclusive. */
  right: number;
  /** Inclusive. */
  bottom: number;
  /** 1 = primary. */
  flags: number;
}

const monitorSize = 20;

/**
 * @param body body of a share data PDU of type monitorLayout
 * @throws DecodeError when it is cut short
 */
export function readMonitorLayout(body: Uint8Array): Monitor[] {
  const reader = new Reader(body);
  const count = reader.u32('monitorCount');
  const monitors = new Reader(reader.take(count * monitorSize, 'monitorDefArray'));
  return Array.from({ length: count }, () => ({
    left: monitors.i32('left'),
    top: monitors.i32('top'),
    right: monitors.i32('right'),
    bottom: monitors.i32('bottom'),
    flags: monitors.u32('flags'),
  }));
}

/** @returns body of a share data PDU of type monitorLayout */
export function writeMonitorLayout(monitors: readonly Monitor[]): Uint8Array {
  const writer = new Writer(4 + monitors.length * monitorSize).u32(monitors.length);
  for (const { left, top, right, bottom, flags } of monitors)
    writer
      .u32(left >>> 0)
      .u32(top >>> 0)
      .u32(right >>> 0)
      .u32(bottom >>> 0)
      .u32(flags);
  return writer.finish();
}
