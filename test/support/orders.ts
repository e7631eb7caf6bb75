/** Drawing orders to test with, and a decoder that they are applied to. */
import assert from 'node:assert/strict';
import { encodeBitmap } from '#rdp/codec/bitmap-encoder.ts';
import { RGB332_PALETTE } from '#rdp/codec/pack-pixels.ts';
import { type BitsPerPixel, OPAQUE, rgbx } from '#rdp/codec/pixel.ts';
import { Screen } from '#rdp/graphics/screen.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { type CacheBitmap, WAITING_LIST, writeCacheBitmapRev2 } from '#rdp/order/cache-bitmap.ts';
import { writeCacheBrush } from '#rdp/order/cache-brush.ts';
import { writeCacheColorTable } from '#rdp/order/cache-color-table.ts';
import { writeCacheGlyphRev2 } from '#rdp/order/cache-glyph.ts';
import { announcedOrders } from '#rdp/order/order-announcement.ts';
import { type OrderSupport, orderSupportOf } from '#rdp/order/order-support.ts';
import { writeFastPathOrders, writeSlowPathOrders } from '#rdp/order/orders-update.ts';
import { PrimaryOrderWriter } from '#rdp/order/primary-order-writer.ts';
import { type SecondaryOrder, writeSecondaryOrder } from '#rdp/order/secondary-order.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '#rdp/pdu/fast-path-output.ts';
import { writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { ShareDataType, writeShareData } from '#rdp/pdu/share-data.ts';

export const SUPPORT = orderSupportOf(announcedOrders())!;
export const WIDTH = 40;
export const HEIGHT = 24;
export const RED = rgbx(255, 0, 0);
export const BLUE = rgbx(0, 0, 255);
export const WHITE = rgbx(255, 255, 255);
export const BLACK = OPAQUE;
/** Wire colours of sessions of 24 and 32 bits: red lowest. */
export const [red, blue, white] = [0x0000ff, 0xff0000, 0xffffff];

/** A decoder of a small desktop where these orders were negotiated. */
export function open(depth = 32, support: OrderSupport = SUPPORT): ScreenDecoder {
  const decoder = new ScreenDecoder(WIDTH, HEIGHT, depth);
  decoder.configure({ width: WIDTH, height: HEIGHT, depth, codecs: {}, orders: support });
  return decoder;
}

/** Fast-path PDUs of one update, in small fragments. */
export const fastPath = (...orders: Uint8Array[]) =>
  writeFastPathUpdate(FastPathUpdateCode.orders, writeFastPathOrders(orders), 60);
/** A PDU of the I/O channel. */
export const slow = (payload: Uint8Array) =>
  writeDomainPdu({ kind: 'sendDataIndication', initiator: 1002, channelId: 1003, payload });
/** The slow-path PDU of one update. */
export const slowPath = (...orders: Uint8Array[]) =>
  slow(writeShareData(0x103ea, 1002, ShareDataType.update, writeSlowPathOrders(orders)));

export function apply(decoder: ScreenDecoder, ...orders: Uint8Array[]): void {
  for (const frame of fastPath(...orders)) decoder.apply(frame);
}

export const secondary = (order: SecondaryOrder) => writeSecondaryOrder(order);

/** Requires what is shown; `expected` paints it on a black screen. */
export function assertShows(decoder: ScreenDecoder, expected: (screen: Screen) => void): void {
  const screen = new Screen(WIDTH, HEIGHT);
  expected(screen);
  assert.deepEqual(decoder.screen.words, screen.words);
  assert.equal(decoder.undecodableBytes, 0, `${decoder.lastError}`);
}

/** Rows of dots and hashes as set bits, each row padded to whole bytes. */
export const bitsOf = (...rows: string[]) =>
  Uint8Array.from(
    rows
      .flatMap((row) => row.match(/.{1,8}/g)!)
      .map((byte) => Number.parseInt(byte.replaceAll('#', '1').replaceAll('.', '0').padEnd(8, '0'), 2)),
  );

/** A gradient, as an encoded bitmap for a cache. */
export function bitmapOf(
  depth: BitsPerPixel,
  cacheIndex: number,
  width = 8,
  height = 6,
): { bitmap: CacheBitmap; source: Screen } {
  const source = new Screen(width, height);
  for (let i = 0; i < width * height; i++) source.words[i] = rgbx((i * 5) & 0xff, (i * 11) & 0xff, (i * 31) & 0xff);
  const data = encodeBitmap(source.words, width, 0, 0, width, height, depth);
  return { source, bitmap: { cacheId: 0, cacheIndex, width, height, bitsPerPixel: depth, compressed: true, data } };
}

export function blitTo(
  screen: Screen,
  source: Screen,
  left: number,
  top: number,
  convert = (word: number) => word,
): void {
  for (let y = 0; y < source.height; y++) {
    for (let x = 0; x < source.width; x++) {
      screen.words[(top + y) * WIDTH + left + x] = convert(source.words[y * source.width + x]);
    }
  }
}

export const whole = { nLeftRect: 0, nTopRect: 0, nWidth: WIDTH, nHeight: HEIGHT };

export const LETTER = { x: 1, y: -5, width: 3, height: 5, bits: Uint8Array.of(0xe0, 0x80, 0xc0, 0x80, 0xe0, 0, 0, 0) };
export const DOT = { x: 0, y: -1, width: 1, height: 1, bits: Uint8Array.of(0x80, 0, 0, 0) };

/** A session of every order, cut anywhere. */
export function session(): Uint8Array[] {
  const writer = new PrimaryOrderWriter();
  const { bitmap } = bitmapOf(32, 4);
  return [
    secondary(writeCacheBitmapRev2(bitmap)),
    secondary(writeCacheBitmapRev2({ ...bitmapOf(32, WAITING_LIST, 4, 4).bitmap, cacheId: 1 })),
    secondary(
      writeCacheBrush({ cacheEntry: 3, pattern: { bitsPerPixel: 1, data: bitsOf(...Array(8).fill('#..#.##.')) } }),
    ),
    secondary(writeCacheBrush({ cacheEntry: 3, pattern: { bitsPerPixel: 24, data: new Uint8Array(192).fill(77) } })),
    secondary(writeCacheGlyphRev2({ cacheId: 2, glyphs: [{ cacheIndex: 5, glyph: LETTER }] })),
    secondary(writeCacheColorTable({ cacheIndex: 1, colors: RGB332_PALETTE })),
    writer.write('opaqueRect', { ...whole, green: 90 }),
    writer.write('glyphIndex', {
      cacheId: 2,
      backColor: white,
      x: 4,
      y: 9,
      variableBytes: Uint8Array.of(5, 0, 5, 5, 0xff, 3, 4),
    }),
    writer.write('memBlt', { nLeftRect: 9, nTopRect: 9, nWidth: 8, nHeight: 6, bRop: 0x66, cacheIndex: 4 }),
    writer.write('memBlt', { nLeftRect: 12 }, { left: 10, top: 10, right: 30, bottom: 12 }),
    writer.write(
      'memBlt',
      { nTopRect: 2, cacheId: 1, cacheIndex: WAITING_LIST },
      { left: 10, top: 0, right: 30, bottom: 12 },
    ),
    writer.write('patBlt', {
      nLeftRect: 30,
      nWidth: 8,
      nHeight: 20,
      bRop: 0xf0,
      foreColor: red,
      brushStyle: 0x81,
      brushHatch: 3,
    }),
    writer.write('patBlt', { nLeftRect: 22, bRop: 0x5a, brushStyle: 0x85 }),
    writer.write('mem3Blt', {
      nLeftRect: 1,
      nTopRect: 14,
      nWidth: 8,
      nHeight: 6,
      bRop: 0xb8,
      foreColor: blue,
      cacheIndex: 4,
    }),
    writer.write('scrBlt', { nLeftRect: 3, nTopRect: 2, nWidth: 30, nHeight: 20, bRop: 0xcc, nXSrc: 1, nYSrc: 1 }),
    writer.write('lineTo', { nXStart: 2, nYStart: 20, nXEnd: 38, nYEnd: 3, bRop2: 13, penColor: white }),
    writer.write('glyphIndex', { y: 20, variableBytes: Uint8Array.of(0xfe, 3, 2) }),
    writer.write(
      'dstBlt',
      { nLeftRect: 5, nTopRect: 5, nWidth: 9, nHeight: 9, bRop: 0x55 },
      { left: 10, top: 0, right: 30, bottom: 12 },
    ),
  ];
}
