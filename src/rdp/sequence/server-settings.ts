/** What a server of our own says about itself: plain values that stock clients accept, for ShareOffer. */
import type { BitsPerPixel } from '../codec/pixel.ts';
import { type CapabilitySet, capability } from '../pdu/capability-set.ts';
import { SERVER_USER_ID } from '../pdu/mcs-domain.ts';

/** extraFlags of the general set. */
export const ExtraFlag = {
  fastPathOutput: 0x0001,
  longCredentials: 0x0004,
  noBitmapCompressionHeader: 0x0400,
} as const;
/** Scancodes, buttons four and five, fast-path input in both its forms, Unicode. */
const inputFlags = 0x0001 | 0x0004 | 0x0008 | 0x0020 | 0x0010;

/** The sets of a Demand Active: bitmaps, palette and pointers, on either path. */
export function serverCapabilities(width: number, height: number, bitsPerPixel: BitsPerPixel): CapabilitySet[] {
  return [
    capability('share', { nodeId: SERVER_USER_ID }),
    capability('general', {
      osMajorType: 4,
      osMinorType: 8,
      protocolVersion: 0x0200,
      extraFlags: ExtraFlag.fastPathOutput | ExtraFlag.longCredentials | ExtraFlag.noBitmapCompressionHeader,
      refreshRectSupport: 1,
      suppressOutputSupport: 1,
    }),
    capability('bitmap', {
      preferredBitsPerPixel: bitsPerPixel,
      receive1BitPerPixel: 1,
      receive4BitsPerPixel: 1,
      receive8BitsPerPixel: 1,
      desktopWidth: width,
      desktopHeight: height,
      desktopResizeFlag: 1,
      bitmapCompressionFlag: 1,
      multipleRectangleSupport: 1,
    }),
    capability('order', {
      desktopSaveXGranularity: 1,
      desktopSaveYGranularity: 20,
      maximumOrderLevel: 1,
      orderFlags: 0x000a,
    }),
    capability('font', { fontSupportFlags: 1 }),
    capability('colorCache', { colorTableCacheSize: 6 }),
    capability('pointer', { colorPointerFlag: 1, colorPointerCacheSize: 25, pointerCacheSize: 25 }),
    capability('input', { inputFlags }),
    capability('virtualChannel', { chunkSize: 1600 }),
    capability('multifragmentUpdate', { maxRequestSize: 0xffff }),
  ];
}
