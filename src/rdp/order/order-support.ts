/**
 * What drawing orders a connection negotiated: taken from the client's Confirm Active as the server saw it, kept in the
 * recording's config, and all that a decoder understands of that recording.
 */
import { DecodeError } from '../bytes.ts';
import { type CapabilitySet, findCapability } from '../pdu/capability-set.ts';
import { type PrimaryKind, primaryKinds, primaryLayouts } from './primary-layouts.ts';

/** JSON as it stands in a config record. */
export interface OrderSupport {
  /** Primary orders that the server may send. */
  readonly primary: readonly PrimaryKind[];
  /** Bitmap caches by their id; sizes in pixels. */
  readonly bitmapCaches: readonly CellCache[];
  /** Whether bitmaps may come in a codec's form, as Cache Bitmap revision 3. */
  readonly bitmapCacheRev3: boolean;
  /** Glyph caches by their id, none where no glyphs are sent; sizes in bytes. */
  readonly glyphCaches: readonly CellCache[];
  /** Runs of glyphs that one order adds and later ones use again; size in bytes. */
  readonly fragmentCache: CellCache;
  /** Whether brushes are cached: 64 monochrome ones and 64 coloured ones. */
  readonly brushCache: boolean;
  /** Entries of the colour table cache, for sessions of 8 bits a pixel. */
  readonly colorTables: number;
  /** Whether the Frame Marker alternate secondary order may come. */
  readonly frameMarkers: boolean;
}

/** How many cells a cache has, and how large each is at most. */
export interface CellCache {
  readonly entries: number;
  readonly size: number;
}

/** Most that a decoder will hold: no announcement goes beyond (order-announcement.ts). */
export const ORDER_LIMITS = {
  /**
   * Entries of the bitmap caches of 16 × 16, 32 × 32 and 64 × 64 pixels: six MB of pixels in all. Ten times as many would
   * spare a fifth of the traffic under heavy work, and nothing of what is stored, but every keyframe holds the caches.
   */
  bitmapCacheEntries: [200, 200, 300],
  /** Bytes of a cell that a client may announce, and so pixels, as they may have a byte each. */
  bitmapCellSizes: [1024, 4096, 16_384],
  glyphCaches: 10,
  glyphs: 254,
  glyphBytes: 2048,
  fragments: 256,
  fragmentBytes: 256,
  colorTables: 6,
} as const;

/** orderFlags and orderSupportExFlags; the latter mean something only where the former have extraFlags. */
export const OrderFlag = { negotiateOrderSupport: 0x0002, zeroBoundsDeltas: 0x0008, extraFlags: 0x0080 } as const;
export const OrderExFlag = { cacheBitmapRev3: 0x0002, frameMarker: 0x0004 } as const;

/** cellInfo of the bitmap caches, revision 2: the entries; the highest bit says that they are kept on disk. */
export const CELL_INFO_ENTRIES = 0x7fffffff;
/** Pixels of a cell of bitmap cache 0, revision 2; each further cache's cells hold four times as many. */
const FIRST_CELL_PIXELS = 256;
const REV2_CACHES = 5;

/**
 * What the client's sets announce.
 * @returns null where they announce no drawing order
 */
export function orderSupportOf(sets: readonly CapabilitySet[]): OrderSupport | null {
  const order = findCapability(sets, 'order');
  const primary = primaryKinds.filter((kind) => order?.orderSupport[primaryLayouts[kind].negotiation]);
  if (order === undefined || primary.length === 0) return null;
  const exFlags = order.orderFlags & OrderFlag.extraFlags ? order.orderSupportExFlags : 0;
  return {
    primary,
    bitmapCaches: bitmapCachesOf(sets),
    bitmapCacheRev3: (exFlags & OrderExFlag.cacheBitmapRev3) !== 0,
    ...glyphCachesOf(sets),
    brushCache: (findCapability(sets, 'brush')?.brushSupportLevel ?? 0) > 0,
    colorTables: findCapability(sets, 'colorCache')?.colorTableCacheSize ?? 0,
    frameMarkers: (exFlags & OrderExFlag.frameMarker) !== 0,
  };
}

/** A client that sends both revisions has the caches of the second. */
function bitmapCachesOf(sets: readonly CapabilitySet[]): CellCache[] {
  const rev2 = findCapability(sets, 'bitmapCacheRev2');
  if (rev2 !== undefined && rev2.numCellCaches > 0) {
    const view = new DataView(rev2.cellInfo.buffer, rev2.cellInfo.byteOffset);
    return Array.from({ length: Math.min(rev2.numCellCaches, REV2_CACHES) }, (_, i) => ({
      entries: view.getUint32(4 * i, true) & CELL_INFO_ENTRIES,
      size: FIRST_CELL_PIXELS << (2 * i),
    }));
  }
  const rev1 = findCapability(sets, 'bitmapCache');
  if (rev1 === undefined) return [];
  const depth = Math.max(8, findCapability(sets, 'bitmap')?.preferredBitsPerPixel ?? 8);
  const cell = (entries: number, bytes: number) => ({ entries, size: Math.floor(bytes / ((depth + 7) >> 3)) });
  return [
    cell(rev1.cache0Entries, rev1.cache0MaximumCellSize),
    cell(rev1.cache1Entries, rev1.cache1MaximumCellSize),
    cell(rev1.cache2Entries, rev1.cache2MaximumCellSize),
  ];
}

/** A TS_CACHE_DEFINITION each: u16 entries, u16 greatest size. */
function glyphCachesOf(sets: readonly CapabilitySet[]): Pick<OrderSupport, 'glyphCaches' | 'fragmentCache'> {
  const set = findCapability(sets, 'glyphCache');
  if (set === undefined || set.glyphSupportLevel === 0) {
    return { glyphCaches: [], fragmentCache: { entries: 0, size: 0 } };
  }
  const view = new DataView(set.glyphCache.buffer, set.glyphCache.byteOffset);
  return {
    glyphCaches: Array.from({ length: ORDER_LIMITS.glyphCaches }, (_, i) => ({
      entries: view.getUint16(4 * i, true),
      size: view.getUint16(4 * i + 2, true),
    })),
    fragmentCache: { entries: set.fragCache & 0xffff, size: set.fragCache >>> 16 },
  };
}

/**
 * Reads what a config record says. What is equal is the same in JSON, too: members in one order, and no others.
 * @param value as parsed from JSON
 * @throws DecodeError when it has another form, or wants more of a decoder than is ever announced
 */
export function readOrderSupport(value: unknown): OrderSupport {
  const support = value as Partial<Record<keyof OrderSupport, unknown>> | null;
  if (typeof support !== 'object' || support === null) throw malformed('orders', 'an object');
  const { primary, bitmapCaches, glyphCaches, fragmentCache, colorTables } = support;
  if (!Array.isArray(primary) || !primary.every((kind) => primaryKinds.includes(kind))) {
    throw malformed('orders.primary', 'names of primary orders');
  }
  const { bitmapCacheEntries, bitmapCellSizes } = ORDER_LIMITS;
  const areBitmapCaches =
    Array.isArray(bitmapCaches) &&
    bitmapCaches.length <= bitmapCacheEntries.length &&
    bitmapCaches.every((cache, i) => isCache(cache, bitmapCacheEntries[i], bitmapCellSizes[i]));
  if (!areBitmapCaches) throw malformed('orders.bitmapCaches', 'caches within the limits');
  const areGlyphCaches =
    Array.isArray(glyphCaches) &&
    glyphCaches.length <= ORDER_LIMITS.glyphCaches &&
    glyphCaches.every((cache) => isCache(cache, ORDER_LIMITS.glyphs, ORDER_LIMITS.glyphBytes));
  if (!areGlyphCaches) throw malformed('orders.glyphCaches', 'caches within the limits');
  if (!isCache(fragmentCache, ORDER_LIMITS.fragments, ORDER_LIMITS.fragmentBytes)) {
    throw malformed('orders.fragmentCache', 'a cache within the limits');
  }
  if (!isCount(colorTables, ORDER_LIMITS.colorTables)) throw malformed('orders.colorTables', 'at most 6');
  for (const flag of ['bitmapCacheRev3', 'brushCache', 'frameMarkers'] as const) {
    if (typeof support[flag] !== 'boolean') throw malformed(`orders.${flag}`, 'true or false');
  }
  const checked = support as OrderSupport;
  const cache = ({ entries, size }: CellCache): CellCache => ({ entries, size });
  return {
    primary: primaryKinds.filter((kind) => checked.primary.includes(kind)),
    bitmapCaches: checked.bitmapCaches.map(cache),
    bitmapCacheRev3: checked.bitmapCacheRev3,
    glyphCaches: checked.glyphCaches.map(cache),
    fragmentCache: cache(checked.fragmentCache),
    brushCache: checked.brushCache,
    colorTables: checked.colorTables,
    frameMarkers: checked.frameMarkers,
  };
}

const isCount = (value: unknown, most: number) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;

function isCache(value: unknown, entries: number, size: number): boolean {
  const cache = value as Partial<CellCache> | null | undefined;
  return typeof cache === 'object' && cache !== null && isCount(cache.entries, entries) && isCount(cache.size, size);
}

const malformed = (field: string, wanted: string) => new DecodeError(field, `is not as it should be: ${wanted}`, 0);
