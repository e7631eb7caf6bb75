/**
 * The recording profile "orders and bitmap cache": what the gateway lets a client announce of drawing orders, so that the
 * server sends none that ScreenDecoder does not apply. Pure functions: sets in, sets out, nothing is altered in place.
 *
 * Nothing is added to what the client says, since it is sent the same orders; everything is capped, since whoever replays
 * the recording holds the caches.
 */
import { type CapabilityOf, type CapabilitySet, capability, findCapability } from '../pdu/capability-set.ts';
import { CELL_INFO_ENTRIES, ORDER_LIMITS, OrderExFlag, OrderFlag, orderSupportOf } from './order-support.ts';
import { type PrimaryKind, primaryKinds, primaryLayouts } from './primary-layouts.ts';

const { bitmapCacheEntries, bitmapCellSizes } = ORDER_LIMITS;

/** Servers paint everything themselves, as bitmaps, where a client lacks one of these. */
const REQUIRED: readonly PrimaryKind[] = ['dstBlt', 'patBlt', 'scrBlt', 'memBlt'];
const GLYPH_SUPPORT_ENCODE = 3;
const BRUSH_COLOR_8X8 = 1;
const WAITING_LIST_ALLOWED = 0x0002;

/**
 * Least size of fragmented updates, in bytes: where a cell of 64 × 64 pixels of 32 bits does not fit into one, xrdp leaves
 * out its lowest rows.
 */
const MIN_FRAGMENTED_UPDATE = 20 * 1024;

/** Whether a client announces enough for a server to draw with orders, and to draw all. */
export function offersOrders(sets: readonly CapabilitySet[]): boolean {
  const support = orderSupportOf(sets);
  return (
    support !== null &&
    REQUIRED.every((kind) => support.primary.includes(kind)) &&
    support.bitmapCaches.some(({ entries, size }) => entries > 0 && size > 0) &&
    (findCapability(sets, 'multifragmentUpdate')?.maxRequestSize ?? 0) >= MIN_FRAGMENTED_UPDATE
  );
}

/** What becomes of each set of the client that concerns drawing orders. Sets of other kinds are not this file's. */
export const orderEdits = {
  order: (set: CapabilityOf<'order'>): CapabilityOf<'order'> => {
    const orderSupport = new Uint8Array(32);
    for (const kind of primaryKinds) {
      const { negotiation } = primaryLayouts[kind];
      orderSupport[negotiation] = set.orderSupport[negotiation];
    }
    return {
      ...set,
      orderFlags:
        set.orderFlags & (OrderFlag.negotiateOrderSupport | OrderFlag.zeroBoundsDeltas | OrderFlag.extraFlags),
      orderSupport,
      orderSupportExFlags: set.orderSupportExFlags & OrderExFlag.frameMarker,
    };
  },
  bitmapCache: (set: CapabilityOf<'bitmapCache'>): CapabilityOf<'bitmapCache'> => ({
    ...set,
    cache0Entries: Math.min(set.cache0Entries, bitmapCacheEntries[0]),
    cache1Entries: Math.min(set.cache1Entries, bitmapCacheEntries[1]),
    cache2Entries: Math.min(set.cache2Entries, bitmapCacheEntries[2]),
    cache0MaximumCellSize: Math.min(set.cache0MaximumCellSize, bitmapCellSizes[0]),
    cache1MaximumCellSize: Math.min(set.cache1MaximumCellSize, bitmapCellSizes[1]),
    cache2MaximumCellSize: Math.min(set.cache2MaximumCellSize, bitmapCellSizes[2]),
  }),
  // nothing on disk: what a client brings from an earlier session is in no recording of this one
  bitmapCacheRev2: (set: CapabilityOf<'bitmapCacheRev2'>): CapabilityOf<'bitmapCacheRev2'> => {
    const cellInfo = new Uint8Array(20);
    const from = new DataView(set.cellInfo.buffer, set.cellInfo.byteOffset);
    const to = new DataView(cellInfo.buffer);
    const numCellCaches = Math.min(set.numCellCaches, bitmapCacheEntries.length);
    for (let i = 0; i < numCellCaches; i++) {
      to.setUint32(4 * i, Math.min(from.getUint32(4 * i, true) & CELL_INFO_ENTRIES, bitmapCacheEntries[i]), true);
    }
    return { ...set, cacheFlags: set.cacheFlags & WAITING_LIST_ALLOWED, numCellCaches, cellInfo };
  },
  glyphCache: (set: CapabilityOf<'glyphCache'>): CapabilityOf<'glyphCache'> => {
    const glyphCache = set.glyphCache.slice();
    const view = new DataView(glyphCache.buffer);
    for (let at = 0; at < glyphCache.length; at += 4) {
      view.setUint16(at, Math.min(view.getUint16(at, true), ORDER_LIMITS.glyphs), true);
      view.setUint16(at + 2, Math.min(view.getUint16(at + 2, true), ORDER_LIMITS.glyphBytes), true);
    }
    const fragments = Math.min(set.fragCache & 0xffff, ORDER_LIMITS.fragments);
    const fragmentBytes = Math.min(set.fragCache >>> 16, ORDER_LIMITS.fragmentBytes);
    const glyphSupportLevel = Math.min(set.glyphSupportLevel, GLYPH_SUPPORT_ENCODE);
    return { ...set, glyphCache, fragCache: (fragmentBytes << 16) | fragments, glyphSupportLevel };
  },
  brush: (set: CapabilityOf<'brush'>): CapabilityOf<'brush'> => ({
    ...set,
    brushSupportLevel: Math.min(set.brushSupportLevel, BRUSH_COLOR_8X8),
  }),
  colorCache: (set: CapabilityOf<'colorCache'>): CapabilityOf<'colorCache'> => ({
    ...set,
    colorTableCacheSize: Math.min(set.colorTableCacheSize, ORDER_LIMITS.colorTables),
  }),
  offscreenCache: (): CapabilityOf<'offscreenCache'> => capability('offscreenCache'),
} as const;

/** Sets of a client of our own that announces all of it, for sessions of any depth. */
export function announcedOrders(): CapabilitySet[] {
  const orderSupport = new Uint8Array(32);
  for (const kind of primaryKinds) orderSupport[primaryLayouts[kind].negotiation] = 1;
  const cellInfo = new Uint8Array(20);
  for (const [i, entries] of bitmapCacheEntries.entries()) {
    new DataView(cellInfo.buffer).setUint32(4 * i, entries, true);
  }
  const glyphCache = new Uint8Array(40);
  for (let i = 0; i < ORDER_LIMITS.glyphCaches; i++) {
    new DataView(glyphCache.buffer).setUint32(4 * i, (ORDER_LIMITS.glyphBytes << 16) | ORDER_LIMITS.glyphs, true);
  }
  return [
    capability('order', {
      desktopSaveXGranularity: 1,
      desktopSaveYGranularity: 20,
      maximumOrderLevel: 1,
      orderFlags: OrderFlag.negotiateOrderSupport | OrderFlag.zeroBoundsDeltas | OrderFlag.extraFlags,
      orderSupport,
      orderSupportExFlags: OrderExFlag.frameMarker,
    }),
    capability('bitmapCacheRev2', {
      cacheFlags: WAITING_LIST_ALLOWED,
      numCellCaches: bitmapCacheEntries.length,
      cellInfo,
    }),
    capability('glyphCache', {
      glyphCache,
      fragCache: (ORDER_LIMITS.fragmentBytes << 16) | ORDER_LIMITS.fragments,
      glyphSupportLevel: GLYPH_SUPPORT_ENCODE,
    }),
    capability('brush', { brushSupportLevel: BRUSH_COLOR_8X8 }),
    capability('colorCache', { colorTableCacheSize: ORDER_LIMITS.colorTables }),
    capability('offscreenCache'),
  ];
}
