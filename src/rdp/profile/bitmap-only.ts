/**
 * The recording profile "bitmap-only": what the gateway lets both sides announce, so that the server sends nothing but
 * bitmap, palette and pointer updates, which replay losslessly. No drawing orders, caches, surface commands, codecs,
 * graphics pipeline or bulk compression. Pure functions: PDUs in, PDUs out, nothing is altered in place.
 */
import type { ConfirmActive, DemandActive } from '../pdu/active.ts';
import { type CapabilityKind, type CapabilityOf, type CapabilitySet, capability } from '../pdu/capability-set.ts';
import { ShareDataType } from '../pdu/share-data.ts';

export const bitmapOnly = {
  name: 'bitmap-only',
  reason: 'bitmap, palette and pointer updates are what every player of this version decodes without loss',
} as const;

/**
 * Greatest multifragment update that is let through, in bytes. mstsc refuses 16777215; a large pointer needs 38055.
 */
export const multifragmentLimit = 8 * 1024 * 1024;

const negotiateOrderSupport = 0x0002;
const zeroBoundsDeltasSupport = 0x0008;
const drawAllowSkipAlpha = 0x08;
const mouseRelative = 0x0080;

type Edits = { [K in CapabilityKind]?: (set: CapabilityOf<K>) => CapabilityOf<K> };

const keep = <T>(set: T): T => set;

/** What becomes of each set, in both directions. A set that is not listed is left out: nobody here knows what it allows. */
const edits: Edits = {
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

function rewriteCapabilitySets(sets: readonly CapabilitySet[]): CapabilitySet[] {
  return sets.flatMap((set) => {
    if (set.kind === 'unknown' || set.kind === 'bitmapCodecs') return [];
    const edit = edits[set.kind] as ((set: CapabilitySet) => CapabilitySet) | undefined;
    return edit ? [edit(set)] : [];
  });
}

/** The server's Demand Active as the client is to see it. */
export function rewriteDemandActive(demand: DemandActive): DemandActive {
  return { ...demand, capabilitySets: rewriteCapabilitySets(demand.capabilitySets) };
}

/** The client's Confirm Active as the server is to see it. */
export function rewriteConfirmActive(confirm: ConfirmActive): ConfirmActive {
  return { ...confirm, capabilitySets: rewriteCapabilitySets(confirm.capabilitySets) };
}

/**
 * Whether a client's share data PDU is kept from the server: bitmap cache keys, since no cache is announced, and Suppress
 * Output, which would freeze the recording while the client's window is minimised.
 * @param type a value of ShareDataType
 */
export function swallowsClientData(type: number): boolean {
  return type === ShareDataType.persistentKeyList || type === ShareDataType.suppressOutput;
}
