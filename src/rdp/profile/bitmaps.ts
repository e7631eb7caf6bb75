/**
 * The recording profile "bitmaps", and what all profiles have in common: bitmap, palette and pointer updates, which replay
 * losslessly. No drawing orders, caches, surface commands, codecs or graphics pipeline.
 */
import { capability } from '../pdu/capability-set.ts';
import type { CapabilityEdits } from './capability-edits.ts';

/**
 * Greatest multifragment update that is let through, in bytes. mstsc refuses 16777215; a large pointer needs 38055.
 */
export const multifragmentLimit = 8 * 1024 * 1024;

const negotiateOrderSupport = 0x0002;
const zeroBoundsDeltasSupport = 0x0008;
const drawAllowSkipAlpha = 0x08;
const mouseRelative = 0x0080;

const keep = <T>(set: T): T => set;

export const bitmapEdits: CapabilityEdits = {
  general: (set) => ({ ...set, generalCompressionTypes: 0, generalCompressionLevel: 0 }),
  // without the two flags for lossy planar bitmaps
  bitmap: (set) => ({ ...set, drawingFlags: set.drawingFlags & drawAllowSkipAlpha }),
  order: (set) => ({
    ...set,
    orderFlags: negotiateOrderSupport | zeroBoundsDeltasSupport,
    orderSupport: new Uint8Array(32),
    orderSupportExFlags: 0,
  }),
  bitmapCache: () => capability('bitmapCache'),
  bitmapCacheRev2: () => capability('bitmapCacheRev2'),
  control: keep,
  windowActivation: keep,
  pointer: keep,
  share: keep,
  colorCache: keep,
  sound: keep,
  input: (set) => ({ ...set, inputFlags: set.inputFlags & ~mouseRelative }),
  font: keep,
  brush: () => capability('brush'),
  glyphCache: () => capability('glyphCache'),
  offscreenCache: () => capability('offscreenCache'),
  // 0 = no compression of channel data in either direction
  virtualChannel: (set) => ({ ...set, flags: 0 }),
  multifragmentUpdate: (set) => ({ ...set, maxRequestSize: Math.min(set.maxRequestSize, multifragmentLimit) }),
  largePointer: keep,
  surfaceCommands: (set) => ({ ...set, cmdFlags: 0 }),
};
