/**
 * The recording profile "orders and bitmap cache": what the gateway lets a client announce of drawing orders, so that the
 * server sends none that ScreenDecoder does not apply. Pure functions: sets in, sets out, nothing is altered in place.
 *
 * Nothing is added to what the client says, since it is sent the same orders; everything is capped, since whoever replays
 * the recording holds the caches.
 */
import { type CapabilityOf, type CapabilitySet, capability } from '../pdu/capability-set.ts';
import { CELL_INFO_ENTRIES, OrderExFlag, OrderFlag, orderSupportOf } from './order-support.ts';
import { type PrimaryKind, primaryKinds, primaryLayouts } from './primary-layouts.ts';

/** Most entries of the bitmap caches of 16 × 16, 32 × 32 and 64 × 64 pixels: 36 MiB of pixels in all. */
export const MAX_BITMAP_CACHE_ENTRIES = [600, 600, 2000] as const;
/** Most entries of each glyph cache, and most bytes of a glyph; as many fragments of as many bytes. */
const MAX_GLYPHS = 254;
const MAX_GLYPH_BYTES = 2048;
const MAX_FRAGMENTS = 256;
const MAX_COLOR_TABLES = 6;

/** Servers paint everything themselves, as bitmaps, where a client lacks one of these. */
const REQUIRED: readonly PrimaryKind[] = ['dstBlt', 'patBlt', 'scrBlt', 'memBlt'];
const GLYPH_SUPPORT_ENCODE = 3;
const BRUSH_COLOR_8X8 = 1;
const WAITING_LIST_ALLOWED = 0x0002;

/** Whether a client announces enough for a server to draw with orders. */
export function offersOrders(sets: readonly CapabilitySet[]): boolean {
  const support = orderSupportOf(sets);
  return (
    support !== null &&
    REQUIRED.every((kind) => support.primary.includes(kind)) &&
    support.bitmapCaches.some(({ entries, size }) => entries > 0 && size > 0)
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
    cache0Entries: Math.min(set.cache0Entries, MAX_BITMAP_CACHE_ENTRIES[0]),
    cache1Entries: Math.min(set.cache1Entries, MAX_BITMAP_CACHE_ENTRIES[1]),
    cache2Entries: Math.min(set.cache2Entries, MAX_BITMAP_CACHE_ENTRIES[2]),
    // 32 bits a pixel at most
    cache0MaximumCellSize: Math.min(set.cache0MaximumCellSize, 4 * 256),
    cache1MaximumCellSize: Math.min(set.cache1MaximumCellSize, 4 * 1024),
    cache2MaximumCellSize: Math.min(set.cache2MaximumCellSize, 4 * 4096),
  }),
  // nothing on disk: what a client brings from an earlier session is in no recording of this one
  bitmapCacheRev2: (set: CapabilityOf<'bitmapCacheRev2'>): CapabilityOf<'bitmapCacheRev2'> => {
    const cellInfo = new Uint8Array(20);
    const from = new DataView(set.cellInfo.buffer, set.cellInfo.byteOffset);
    const to = new DataView(cellInfo.buffer);
    const numCellCaches = Math.min(set.numCellCaches, MAX_BITMAP_CACHE_ENTRIES.length);
    for (let i = 0; i < numCellCaches; i++) {
      to.setUint32(4 * i, Math.min(from.getUint32(4 * i, true) & CELL_INFO_ENTRIES, MAX_BITMAP_CACHE_ENTRIES[i]), true);
    }
    return { ...set, cacheFlags: set.cacheFlags & WAITING_LIST_ALLOWED, numCellCaches, cellInfo };
  },
  glyphCache: (set: CapabilityOf<'glyphCache'>): CapabilityOf<'glyphCache'> => {
    const glyphCache = set.glyphCache.slice();
    const view = new DataView(glyphCache.buffer);
    for (let at = 0; at < glyphCache.length; at += 4) {
      view.setUint16(at, Math.min(view.getUint16(at, true), MAX_GLYPHS), true);
      view.setUint16(at + 2, Math.min(view.getUint16(at + 2, true), MAX_GLYPH_BYTES), true);
    }
    const fragments = Math.min(set.fragCache & 0xffff, MAX_FRAGMENTS);
    const fragmentBytes = Math.min(set.fragCache >>> 16, MAX_FRAGMENTS);
    const glyphSupportLevel = Math.min(set.glyphSupportLevel, GLYPH_SUPPORT_ENCODE);
    return { ...set, glyphCache, fragCache: (fragmentBytes << 16) | fragments, glyphSupportLevel };
  },
  brush: (set: CapabilityOf<'brush'>): CapabilityOf<'brush'> => ({
    ...set,
    brushSupportLevel: Math.min(set.brushSupportLevel, BRUSH_COLOR_8X8),
  }),
  colorCache: (set: CapabilityOf<'colorCache'>): CapabilityOf<'colorCache'> => ({
    ...set,
    colorTableCacheSize: Math.min(set.colorTableCacheSize, MAX_COLOR_TABLES),
  }),
  offscreenCache: (): CapabilityOf<'offscreenCache'> => capability('offscreenCache'),
} as const;

/** Sets of a client of our own that announces all of it, for sessions of any depth. */
export function announcedOrders(): CapabilitySet[] {
  const orderSupport = new Uint8Array(32);
  for (const kind of primaryKinds) orderSupport[primaryLayouts[kind].negotiation] = 1;
  const cellInfo = new Uint8Array(20);
  for (const [i, entries] of MAX_BITMAP_CACHE_ENTRIES.entries()) {
    new DataView(cellInfo.buffer).setUint32(4 * i, entries, true);
  }
  const glyphCache = new Uint8Array(40);
  for (let i = 0; i < 10; i++) {
    new DataView(glyphCache.buffer).setUint32(4 * i, (MAX_GLYPH_BYTES << 16) | MAX_GLYPHS, true);
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
      numCellCaches: MAX_BITMAP_CACHE_ENTRIES.length,
      cellInfo,
    }),
    capability('glyphCache', {
      glyphCache,
      fragCache: (MAX_FRAGMENTS << 16) | MAX_FRAGMENTS,
      glyphSupportLevel: GLYPH_SUPPORT_ENCODE,
    }),
    capability('brush', { brushSupportLevel: BRUSH_COLOR_8X8 }),
    capability('colorCache', { colorTableCacheSize: MAX_COLOR_TABLES }),
    capability('offscreenCache'),
  ];
}
