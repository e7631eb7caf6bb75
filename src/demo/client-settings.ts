/**
 * What the headless client confirms: bitmaps, palette and pointers, on the path and with the codecs and drawing orders that
 * it was told.
 */

import { MAX_FRAGMENTED_UPDATE } from '#rdp/graphics/screen-decoder.ts';
import { surfaceCapabilities } from '#rdp/graphics/surface-capabilities.ts';
import { announcedOrders } from '#rdp/order/order-announcement.ts';
import type { DemandActive } from '#rdp/pdu/active.ts';
import { type CapabilitySet, capability, findCapability } from '#rdp/pdu/capability-set.ts';
import type { CodecName } from '#rdp/pdu/codec-properties.ts';

/** Long credentials, auto-reconnect, compressed bitmaps without their header. */
const extraFlags = 0x0004 | 0x0008 | 0x0400;
const fastPathOutput = 0x0001;
/** Scancodes, buttons four and five, fast-path input, Unicode. */
const inputFlags = 0x0001 | 0x0004 | 0x0020 | 0x0010;
const BITMAP_UPDATES = [
  capability('multifragmentUpdate', { maxRequestSize: MAX_FRAGMENTED_UPDATE }),
  capability('largePointer', { largePointerSupportFlags: 1 }),
];

const NO_ORDERS = [
  capability('order', {
    desktopSaveXGranularity: 1,
    desktopSaveYGranularity: 20,
    maximumOrderLevel: 1,
    orderFlags: 0x000a,
  }),
  capability('bitmapCache'),
  capability('brush'),
  capability('glyphCache'),
  capability('colorCache', { colorTableCacheSize: 6 }),
];

/**
 * @param fastPath whether the server may send on the fast path
 * @param codecs those of surface commands, none by default
 * @param orders whether the server may draw with orders, not by default
 */
export function clientCapabilities(
  demand: DemandActive,
  fastPath: boolean,
  codecs: readonly CodecName[] = [],
  orders = false,
): CapabilitySet[] {
  const offered = findCapability(demand.capabilitySets, 'bitmap');
  return [
    capability('general', {
      osMajorType: 4,
      osMinorType: 7,
      protocolVersion: 0x0200,
      extraFlags: extraFlags | (fastPath ? fastPathOutput : 0),
      refreshRectSupport: 1,
      suppressOutputSupport: 1,
    }),
    capability('bitmap', {
      preferredBitsPerPixel: offered?.preferredBitsPerPixel ?? 16,
      receive1BitPerPixel: 1,
      receive4BitsPerPixel: 1,
      receive8BitsPerPixel: 1,
      desktopWidth: offered?.desktopWidth ?? 0,
      desktopHeight: offered?.desktopHeight ?? 0,
      desktopResizeFlag: 1,
      bitmapCompressionFlag: 1,
      multipleRectangleSupport: 1,
    }),
    ...(orders ? announcedOrders() : NO_ORDERS),
    capability('pointer', { colorPointerFlag: 1, colorPointerCacheSize: 25, pointerCacheSize: 25 }),
    capability('input', { inputFlags, keyboardLayout: 0x409, keyboardType: 4, keyboardFunctionKey: 12 }),
    capability('virtualChannel'),
    capability('sound'),
    capability('share'),
    capability('font', { fontSupportFlags: 1 }),
    capability('control', { controlInterest: 2, detachInterest: 2 }),
    capability('windowActivation'),
    ...(codecs.length > 0 ? surfaceCapabilities(codecs) : BITMAP_UPDATES),
  ];
}
