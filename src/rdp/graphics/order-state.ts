/**
 * An order decoder's state as bytes, version 1: what was negotiated, the history of fields, the caches. Little-endian:
 *
 * u8 version | u32 primary orders (bit orderType each) | u8 flags (1 rev3, 2 brush cache, 4 frame markers) |
 * u8 colour tables | u8 n, n bitmap caches | u8 n, n glyph caches | fragment cache (a cache: u16 entries, u16 size) |
 * u8 last orderType | 4 × i16 bounds | the fields of every order in primary-layouts.ts, as they stand on the wire |
 * u16 n, n bitmaps: u8 cache, u16 entry, u16 width, u16 height, u8 bits per pixel, u8 compressed, u32 length, bytes |
 * u16 n, n glyphs: u8 cache, u8 entry, i16 x, i16 y, u16 width, u16 height, bits | u16 n, n fragments: u8 entry, u16 length,
 * bytes | u8 n, n brushes: u8 entry, u8 bits per pixel, u16 length, bytes | u8 n, n colour tables: u8 entry, 256 × u32
 */
import { Reader, Writer } from '../bytes.ts';
import { OPAQUE } from '../codec/pixel.ts';
import { glyphBytes } from '../order/cache-glyph.ts';
import { type CellCache, type OrderSupport, readOrderSupport } from '../order/order-support.ts';
import { type FieldValues, readField, writeField } from '../order/primary-field.ts';
import { primaryFields, primaryKindOf, primaryKinds, primaryLayouts } from '../order/primary-layouts.ts';
import type { PrimaryOrderHistory } from '../order/primary-order.ts';
import { BRUSHES, type OrderCaches } from './order-caches.ts';
import type { OrderDecoder } from './order-decoder.ts';

const VERSION = 1;
const Flag = { rev3: 1, brushCache: 2, frameMarkers: 4 } as const;
const sides = ['left', 'top', 'right', 'bottom'] as const;
const COLORS = 256;

/** Writes a decoder's state. */
export function writeOrderState({ support, history, caches }: OrderDecoder): Uint8Array {
  const writer = new Writer(64 * 1024).u8(VERSION);
  writeSupport(writer, support);
  writeHistory(writer, history);
  writeCaches(writer, caches);
  return writer.finish();
}

/**
 * Reads a state.
 * @param open makes a decoder with empty caches for what was negotiated
 * @throws DecodeError when the bytes are of another version, cut short, too long, or say what cannot be
 */
export function readOrderState(bytes: Uint8Array, open: (support: OrderSupport) => OrderDecoder): OrderDecoder {
  const reader = new Reader(bytes);
  const version = reader.u8('version');
  if (version !== VERSION) throw reader.error('version', `is ${version}, wanted ${VERSION}`);
  const decoder = open(readSupport(reader));
  readHistory(reader, decoder.history);
  readCaches(reader, decoder.caches);
  if (reader.remaining > 0) throw reader.error('end', `${reader.remaining} bytes too many`);
  return decoder;
}

function writeSupport(writer: Writer, support: OrderSupport): void {
  const flags =
    (support.bitmapCacheRev3 ? Flag.rev3 : 0) |
    (support.brushCache ? Flag.brushCache : 0) |
    (support.frameMarkers ? Flag.frameMarkers : 0);
  const primary = support.primary.reduce((bits, kind) => bits | (1 << primaryLayouts[kind].type), 0);
  writer.u32(primary).u8(flags).u8(support.colorTables);
  for (const caches of [support.bitmapCaches, support.glyphCaches]) {
    writer.u8(caches.length);
    for (const { entries, size } of caches) writer.u16(entries).u16(size);
  }
  writer.u16(support.fragmentCache.entries).u16(support.fragmentCache.size);
}

function readSupport(reader: Reader): OrderSupport {
  const primary = reader.u32('primary orders');
  const flags = reader.u8('flags');
  const colorTables = reader.u8('colour tables');
  const cache = (): CellCache => ({ entries: reader.u16('entries'), size: reader.u16('size') });
  const caches = () => Array.from({ length: reader.u8('caches') }, cache);
  return readOrderSupport({
    primary: primaryKinds.filter((kind) => primary & (1 << primaryLayouts[kind].type)),
    bitmapCaches: caches(),
    glyphCaches: caches(),
    fragmentCache: cache(),
    colorTables,
    bitmapCacheRev3: (flags & Flag.rev3) !== 0,
    brushCache: (flags & Flag.brushCache) !== 0,
    frameMarkers: (flags & Flag.frameMarkers) !== 0,
  });
}

function writeHistory(writer: Writer, history: PrimaryOrderHistory): void {
  writer.u8(primaryLayouts[history.kind].type);
  for (const side of sides) writer.i16(history.bounds[side]);
  for (const kind of primaryKinds) {
    const fields = history.fieldsOf(kind) as unknown as FieldValues;
    for (const [name, field] of primaryFields(kind)) writeField(writer, field, fields[name], null);
  }
}

function readHistory(reader: Reader, history: PrimaryOrderHistory): void {
  const type = reader.u8('orderType');
  const kind = primaryKindOf(type);
  if (kind === undefined) throw reader.error('orderType', `${type} is none`);
  history.kind = kind;
  for (const side of sides) history.bounds[side] = reader.i16(side);
  for (const each of primaryKinds) {
    const fields = history.fieldsOf(each) as unknown as FieldValues;
    for (const [name, field] of primaryFields(each)) fields[name] = readField(reader, name, field, null);
  }
}

function writeCaches(writer: Writer, caches: OrderCaches): void {
  const bitmaps = [...caches.bitmaps.entries()];
  writer.u16(bitmaps.length);
  for (const { cacheId, cacheIndex, width, height, bitsPerPixel, compressed, data } of bitmaps) {
    writer
      .u8(cacheId)
      .u16(cacheIndex)
      .u16(width)
      .u16(height)
      .u8(bitsPerPixel)
      .u8(compressed ? 1 : 0);
    writer.u32(data.length).raw(data);
  }
  const glyphs = [...caches.glyphs.glyphs()];
  writer.u16(glyphs.length);
  for (const { cacheId, cacheIndex, glyph } of glyphs) {
    writer.u8(cacheId).u8(cacheIndex).i16(glyph.x).i16(glyph.y).u16(glyph.width).u16(glyph.height).raw(glyph.bits);
  }
  const fragments = [...caches.glyphs.fragments()];
  writer.u16(fragments.length);
  for (const [entry, bytes] of fragments) writer.u8(entry).u16(bytes.length).raw(bytes);
  writer.u8(caches.brushes.size);
  for (const [entry, { bitsPerPixel, data }] of caches.brushes) {
    writer
      .u8(entry % BRUSHES)
      .u8(bitsPerPixel)
      .u16(data.length)
      .raw(data);
  }
  writer.u8(caches.colorTables.size);
  for (const [entry, colors] of caches.colorTables) {
    writer.u8(entry);
    for (const word of colors) writer.u32(word);
  }
}

function readCaches(reader: Reader, caches: OrderCaches): void {
  for (let left = reader.u16('bitmaps'); left > 0; left--) {
    caches.bitmaps.restore({
      cacheId: reader.u8('bitmap cache'),
      cacheIndex: reader.u16('bitmap entry'),
      width: reader.u16('bitmap width'),
      height: reader.u16('bitmap height'),
      bitsPerPixel: reader.u8('bitmap depth'),
      compressed: reader.u8('bitmap compressed') !== 0,
      data: reader.take(reader.u32('bitmap length'), 'bitmap'),
    });
  }
  for (let left = reader.u16('glyphs'); left > 0; left--) {
    const [cacheId, cacheIndex] = [reader.u8('glyph cache'), reader.u8('glyph entry')];
    const [x, y] = [reader.i16('glyph x'), reader.i16('glyph y')];
    const [width, height] = [reader.u16('glyph width'), reader.u16('glyph height')];
    const bits = reader.take(glyphBytes(width, height), 'glyph');
    caches.glyphs.store(cacheId, cacheIndex, { x, y, width, height, bits });
  }
  for (let left = reader.u16('fragments'); left > 0; left--) {
    caches.glyphs.storeFragment(reader.u8('fragment entry'), reader.take(reader.u16('fragment length'), 'fragment'));
  }
  for (let left = reader.u8('brushes'); left > 0; left--) {
    const [entry, bitsPerPixel] = [reader.u8('brush entry'), reader.u8('brush depth')];
    caches.storeBrush(entry, { bitsPerPixel, data: reader.take(reader.u16('brush length'), 'brush') });
  }
  for (let left = reader.u8('colour tables'); left > 0; left--) {
    const entry = reader.u8('colour table entry');
    caches.storeColorTable(
      entry,
      Uint32Array.from({ length: COLORS }, () => reader.u32('colours') | OPAQUE),
    );
  }
}
