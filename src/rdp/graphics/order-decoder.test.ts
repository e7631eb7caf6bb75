import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { encodeBitmap } from '../codec/bitmap-encoder.ts';
import { RGB332_PALETTE } from '../codec/pack-pixels.ts';
import { type BitsPerPixel, fromRgb555, fromRgb565, OPAQUE, rgbx, toRgb565 } from '../codec/pixel.ts';
import { writeFrameMarker } from '../order/alternate-order.ts';
import { type CacheBitmap, WAITING_LIST, writeCacheBitmapRev1, writeCacheBitmapRev2 } from '../order/cache-bitmap.ts';
import { writeCacheBitmapRev3 } from '../order/cache-bitmap-rev3.ts';
import { writeCacheBrush } from '../order/cache-brush.ts';
import { writeCacheColorTable } from '../order/cache-color-table.ts';
import { writeCacheGlyphRev1, writeCacheGlyphRev2 } from '../order/cache-glyph.ts';
import { announcedOrders } from '../order/order-announcement.ts';
import { type OrderSupport, orderSupportOf } from '../order/order-support.ts';
import { writeFastPathOrders, writeSlowPathOrders } from '../order/orders-update.ts';
import { PrimaryOrderWriter } from '../order/primary-order-writer.ts';
import { type SecondaryOrder, writeSecondaryOrder } from '../order/secondary-order.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '../pdu/fast-path-output.ts';
import { writeDomainPdu } from '../pdu/mcs-domain.ts';
import { writePaletteUpdate } from '../pdu/palette-update.ts';
import { ShareControlType, writeShareControl } from '../pdu/share-control.ts';
import { ShareDataType, writeShareData } from '../pdu/share-data.ts';
import { fill } from './painter.ts';
import { type Rectangle, rectangle } from './rectangle.ts';
import { Screen } from './screen.ts';
import { ScreenDecoder } from './screen-decoder.ts';

const SUPPORT = orderSupportOf(announcedOrders())!;
const WIDTH = 40;
const HEIGHT = 24;
const RED = rgbx(255, 0, 0);
const BLUE = rgbx(0, 0, 255);
const WHITE = rgbx(255, 255, 255);
const BLACK = OPAQUE;
/** Wire colours of sessions of 24 and 32 bits: red lowest. */
const [red, blue, white] = [0x0000ff, 0xff0000, 0xffffff];

function open(depth = 32, support: OrderSupport = SUPPORT): ScreenDecoder {
  const decoder = new ScreenDecoder(WIDTH, HEIGHT, depth);
  decoder.configure({ width: WIDTH, height: HEIGHT, depth: depth, codecs: {}, orders: support });
  return decoder;
}

const fastPath = (...orders: Uint8Array[]) =>
  writeFastPathUpdate(FastPathUpdateCode.orders, writeFastPathOrders(orders), 60);
const slow = (payload: Uint8Array) =>
  writeDomainPdu({ kind: 'sendDataIndication', initiator: 1002, channelId: 1003, payload });
const slowPath = (...orders: Uint8Array[]) =>
  slow(writeShareData(0x103ea, 1002, ShareDataType.update, writeSlowPathOrders(orders)));

function apply(decoder: ScreenDecoder, ...orders: Uint8Array[]): void {
  for (const frame of fastPath(...orders)) decoder.apply(frame);
}

const secondary = (order: SecondaryOrder) => writeSecondaryOrder(order);

/** Requires what is shown; `expected` paints it on a black screen. */
function assertShows(decoder: ScreenDecoder, expected: (screen: Screen) => void): void {
  const screen = new Screen(WIDTH, HEIGHT);
  expected(screen);
  assert.deepEqual(decoder.screen.words, screen.words);
  assert.equal(decoder.undecodableBytes, 0, `${decoder.lastError}`);
}

/** Rows of dots and hashes as set bits, each row padded to whole bytes. */
const bitsOf = (...rows: string[]) =>
  Uint8Array.from(
    rows
      .flatMap((row) => row.match(/.{1,8}/g)!)
      .map((byte) => Number.parseInt(byte.replaceAll('#', '1').replaceAll('.', '0').padEnd(8, '0'), 2)),
  );

/** A gradient, as an encoded bitmap for a cache. */
function bitmapOf(
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

function blitTo(screen: Screen, source: Screen, left: number, top: number, convert = (word: number) => word): void {
  for (let y = 0; y < source.height; y++) {
    for (let x = 0; x < source.width; x++) {
      screen.words[(top + y) * WIDTH + left + x] = convert(source.words[y * source.width + x]);
    }
  }
}

const whole = { nLeftRect: 0, nTopRect: 0, nWidth: WIDTH, nHeight: HEIGHT };

test('rectangles: opaque, bounded, inverted, moved; on both paths', () => {
  const dirty: Rectangle[] = [];
  const decoder = open();
  decoder.listener = { dirty: (area) => dirty.push(area) };
  const writer = new PrimaryOrderWriter();
  const area = { nLeftRect: 2, nTopRect: 3, nWidth: 10, nHeight: 8 };
  apply(
    decoder,
    writer.write('opaqueRect', { ...area, redOrPaletteIndex: 255 }),
    writer.write('dstBlt', { ...whole, bRop: 0x55 }, { left: 0, top: 0, right: 5, bottom: 5 }),
  );
  decoder.apply(
    slowPath(
      writer.write('scrBlt', { nLeftRect: 20, nTopRect: 3, nWidth: 10, nHeight: 8, bRop: 0xcc, nXSrc: 2, nYSrc: 3 }),
    ),
  );
  assertShows(decoder, (screen) => {
    for (const left of [2, 20]) {
      fill(screen, rectangle(left, 3, 10, 8), RED);
      fill(screen, rectangle(left, 3, 4, 3), rgbx(0, 255, 255));
    }
    fill(screen, rectangle(0, 0, 6, 3), WHITE);
    fill(screen, rectangle(0, 3, 2, 3), WHITE);
  });
  assert.deepEqual(dirty, [rectangle(2, 3, 10, 8), rectangle(0, 0, 6, 6), rectangle(20, 3, 10, 8)]);
});

test("colours are of the session's depth", () => {
  const cases: [number, number, number][] = [
    [32, 0x123456, rgbx(0x56, 0x34, 0x12)],
    [24, 0x123456, rgbx(0x56, 0x34, 0x12)],
    [16, 0x8a51, fromRgb565(0x8a51)],
    [15, 0x4a51, fromRgb555(0x4a51)],
    [8, 0x51, RGB332_PALETTE[0x51]],
  ];
  for (const [depth, foreColor, expected] of cases) {
    const decoder = open(depth);
    const palette = new Uint8Array(768);
    for (const [i, word] of RGB332_PALETTE.entries())
      palette.set([word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff], 3 * i);
    for (const frame of writeFastPathUpdate(FastPathUpdateCode.palette, writePaletteUpdate(palette)))
      decoder.apply(frame);
    apply(decoder, new PrimaryOrderWriter().write('patBlt', { ...whole, bRop: 0xf0, foreColor }));
    assertShows(decoder, (screen) => fill(screen, screen.bounds, expected));
  }
});

test('cached bitmaps of each revision and depth', () => {
  const copy = { nLeftRect: 5, nTopRect: 4, nWidth: 8, nHeight: 6, bRop: 0xcc };
  const convert: Record<number, (word: number) => number> = {
    32: (word) => word,
    24: (word) => word,
    16: (word) => fromRgb565(toRgb565(word)),
  };
  for (const depth of [16, 24, 32] as const) {
    const { bitmap, source } = bitmapOf(depth, 7);
    for (const order of [writeCacheBitmapRev1(bitmap), writeCacheBitmapRev2(bitmap)]) {
      const decoder = open(depth);
      apply(decoder, secondary(order), new PrimaryOrderWriter().write('memBlt', { ...copy, cacheIndex: 7 }));
      assertShows(decoder, (screen) => blitTo(screen, source, 5, 4, convert[depth]));
    }
  }
});

test('revision 3 is for those who announced it, and for codecs that they did', () => {
  const data = Uint8Array.from({ length: 4 * 2 * 4 }, (_, i) => i);
  const order = { cacheId: 0, cacheIndex: 1, width: 4, height: 2, bitsPerPixel: 32, codecId: 0, data };
  const show = new PrimaryOrderWriter().write('memBlt', { nWidth: 4, nHeight: 2, bRop: 0xcc, cacheIndex: 1 });
  const without = open();
  apply(without, secondary(writeCacheBitmapRev3(order)), show);
  assert.match(`${without.lastError}`, /cacheIndex/);
  const announced = open(32, { ...SUPPORT, bitmapCacheRev3: true });
  apply(announced, secondary(writeCacheBitmapRev3(order)), show);
  assertShows(announced, (screen) => {
    for (let i = 0; i < 8; i++) {
      const at = 4 * ((i >> 2 ? 0 : 4) + (i & 3));
      screen.words[(i >> 2) * WIDTH + (i & 3)] = rgbx(data[at + 2], data[at + 1], data[at]);
    }
  });
  apply(announced, secondary(writeCacheBitmapRev3({ ...order, codecId: 3 })));
  assert.match(`${announced.lastError}`, /codecID/);
});

test('bitmaps of 8 bits take the colours of the table that MemBlt names, else of the palette', () => {
  const decoder = open(8);
  const data = Uint8Array.of(3, 4, 0, 0, 1, 2, 0, 0);
  const bitmap = { cacheId: 0, cacheIndex: 0, width: 2, height: 2, bitsPerPixel: 8, compressed: false, data };
  const colors = Uint32Array.from({ length: 256 }, (_, i) => rgbx(i, 2 * (i & 0x7f), 0));
  decoder.palette.fill(BLUE);
  const writer = new PrimaryOrderWriter();
  const at = (nLeftRect: number, table: number) =>
    writer.write('memBlt', { nLeftRect, nWidth: 2, nHeight: 2, bRop: 0xcc, cacheId: table << 8 });
  apply(
    decoder,
    secondary(writeCacheColorTable({ cacheIndex: 2, colors })),
    secondary(writeCacheBitmapRev1(bitmap)),
    at(0, 2),
    at(4, 1),
  );
  assertShows(decoder, (screen) => {
    fill(screen, rectangle(4, 0, 2, 2), BLUE);
    for (let i = 0; i < 4; i++) screen.words[(i >> 1) * WIDTH + (i & 1)] = colors[i + 1];
  });
});

test('the waiting list holds one bitmap a cache, besides the numbered ones', () => {
  const decoder = open();
  const first = bitmapOf(32, 0, 4, 4);
  const second = bitmapOf(32, WAITING_LIST, 4, 2);
  const writer = new PrimaryOrderWriter();
  const show = (nLeftRect: number, cacheIndex: number) =>
    writer.write('memBlt', { nLeftRect, nWidth: 4, nHeight: 4, bRop: 0xcc, cacheIndex });
  apply(decoder, secondary(writeCacheBitmapRev2(first.bitmap)), secondary(writeCacheBitmapRev2(second.bitmap)));
  apply(decoder, show(0, 0), show(8, WAITING_LIST));
  assertShows(decoder, (screen) => {
    blitTo(screen, first.source, 0, 0);
    blitTo(screen, second.source, 8, 0);
  });
});

test('brushes: in the order, hatched, cached in two colours or in many', () => {
  const rows = ['#.......', '.#......', '..#.....', '...#....', '....#...', '.....#..', '......#.', '.......#'];
  const bottomUp = bitsOf(...rows.toReversed());
  const expected = (screen: Screen, originX: number, originY: number) => {
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        screen.words[y * WIDTH + x] = ((x - originX) & 7) === ((y - originY) & 7) ? RED : BLUE;
      }
    }
  };
  const paint = { ...whole, bRop: 0xf0, foreColor: blue, backColor: red, brushOrgX: 3, brushOrgY: 250 };
  const inOrder = open();
  const extra = bottomUp.slice(1);
  apply(
    inOrder,
    new PrimaryOrderWriter().write('patBlt', { ...paint, brushStyle: 3, brushHatch: bottomUp[0], brushExtra: extra }),
  );
  assertShows(inOrder, (screen) => expected(screen, 3, 250));

  const cached = open();
  apply(
    cached,
    secondary(writeCacheBrush({ cacheEntry: 9, pattern: { bitsPerPixel: 1, data: bottomUp } })),
    new PrimaryOrderWriter().write('patBlt', { ...paint, brushStyle: 0x81, brushHatch: 9 }),
  );
  assertShows(cached, (screen) => expected(screen, 3, 250));

  const colored = open();
  const data = new Uint8Array(256);
  for (let i = 0; i < 64; i++) data.set((i & 7) === 7 - (i >> 3) ? [0, 0, 255, 0] : [255, 0, 0, 0], 4 * i);
  apply(
    colored,
    secondary(writeCacheBrush({ cacheEntry: 9, pattern: { bitsPerPixel: 32, data } })),
    new PrimaryOrderWriter().write('patBlt', { ...paint, brushStyle: 0x86, brushHatch: 9 }),
  );
  assertShows(colored, (screen) => expected(screen, 3, 250));

  const hatched = open();
  apply(
    hatched,
    new PrimaryOrderWriter().write('patBlt', { ...paint, brushOrgX: 0, brushOrgY: 0, brushStyle: 2, brushHatch: 0 }),
  );
  assertShows(hatched, (screen) => {
    fill(screen, screen.bounds, RED);
    for (let y = 3; y < HEIGHT; y += 8) fill(screen, rectangle(0, y, WIDTH, 1), BLUE);
  });
});

test('a masked bitmap: Mem3Blt with source, brush and destination', () => {
  const decoder = open();
  const mask = new Screen(4, 1);
  mask.words.set([WHITE, BLACK, WHITE, BLACK]);
  const data = encodeBitmap(mask.words, 4, 0, 0, 4, 1, 32);
  const writer = new PrimaryOrderWriter();
  apply(
    decoder,
    writer.write('opaqueRect', { ...whole, blue: 255 }),
    secondary(
      writeCacheBitmapRev2({
        cacheId: 0,
        cacheIndex: 3,
        width: 4,
        height: 1,
        bitsPerPixel: 32,
        compressed: true,
        data,
      }),
    ),
    // where the source is white the brush, else the destination
    writer.write('mem3Blt', { nLeftRect: 6, nWidth: 4, nHeight: 1, bRop: 0xe2, foreColor: red, cacheIndex: 3 }),
  );
  assertShows(decoder, (screen) => {
    fill(screen, screen.bounds, BLUE);
    screen.words[6] = RED;
    screen.words[8] = RED;
  });
});

test('lines leave out their end, and follow their operation', () => {
  const decoder = open();
  const writer = new PrimaryOrderWriter();
  apply(
    decoder,
    writer.write('lineTo', { nXStart: 1, nYStart: 1, nXEnd: 6, nYEnd: 6, bRop2: 13, penColor: red }),
    writer.write('lineTo', { nXStart: 30, nYStart: 10, nXEnd: 20, nYEnd: 10, bRop2: 13, penColor: white }),
    writer.write('lineTo', { nXStart: 25, nYStart: 8, nXEnd: 25, nYEnd: 30000, bRop2: 7, penColor: white }),
    writer.write('lineTo', { nXStart: 0, nYStart: 0, nXEnd: 0, nYEnd: 0 }),
    writer.write('lineTo', { nXEnd: 9, penStyle: 5 }),
  );
  assertShows(decoder, (screen) => {
    for (let i = 1; i < 6; i++) screen.words[i * WIDTH + i] = RED;
    fill(screen, rectangle(21, 10, 10, 1), WHITE);
    fill(screen, rectangle(25, 8, 1, HEIGHT - 8), WHITE);
    screen.words[10 * WIDTH + 25] = BLACK;
  });
});

const LETTER = { x: 1, y: -5, width: 3, height: 5, bits: Uint8Array.of(0xe0, 0x80, 0xc0, 0x80, 0xe0, 0, 0, 0) };
const DOT = { x: 0, y: -1, width: 1, height: 1, bits: Uint8Array.of(0x80, 0, 0, 0) };

function paintLetter(screen: Screen, x: number, y: number, color: number): void {
  for (const [row, bits] of LETTER.bits.subarray(0, 5).entries()) {
    for (let column = 0; column < 3; column++) {
      if (bits & (0x80 >> column)) screen.words[(y - 5 + row) * WIDTH + x + 1 + column] = color;
    }
  }
}

test('text: glyphs of both revisions at their advances, on an opaque rectangle', () => {
  for (const write of [writeCacheGlyphRev1, writeCacheGlyphRev2]) {
    const decoder = open();
    const glyphs = [
      { cacheIndex: 4, glyph: LETTER },
      { cacheIndex: 5, glyph: DOT },
    ];
    const text = { cacheId: 7, flAccel: 0x03, backColor: white, foreColor: blue, x: 3, y: 12 };
    const opaque = { opLeft: 2, opTop: 6, opRight: 20, opBottom: 14 };
    apply(
      decoder,
      secondary(write({ cacheId: 7, glyphs })),
      new PrimaryOrderWriter().write('glyphIndex', {
        ...text,
        ...opaque,
        variableBytes: Uint8Array.of(4, 0, 5, 6, 4, 0x80, 3, 0),
      }),
    );
    assertShows(decoder, (screen) => {
      fill(screen, rectangle(2, 6, 18, 8), BLUE);
      paintLetter(screen, 3, 12, WHITE);
      screen.words[11 * WIDTH + 9] = WHITE;
      paintLetter(screen, 12, 12, WHITE);
    });
  }
});

test('text: fixed advances, widths of glyphs, downwards, the background itself', () => {
  const decoder = open();
  const writer = new PrimaryOrderWriter();
  const variableBytes = Uint8Array.of(5, 5);
  apply(
    decoder,
    secondary(writeCacheGlyphRev2({ cacheId: 0, glyphs: [{ cacheIndex: 5, glyph: DOT }] })),
    writer.write('glyphIndex', { backColor: white, ulCharInc: 7, x: 2, y: 3, variableBytes }),
    writer.write('glyphIndex', { flAccel: 0x20, ulCharInc: 0, x: 2, y: 6 }),
    writer.write('glyphIndex', { flAccel: 0x24, x: 2, y: 10 }),
    writer.write('glyphIndex', {
      fOpRedundant: 1,
      foreColor: red,
      bkLeft: 20,
      bkTop: 20,
      bkRight: 23,
      bkBottom: 22,
      variableBytes: new Uint8Array(0),
    }),
  );
  assertShows(decoder, (screen) => {
    for (const [x, y] of [
      [2, 2],
      [9, 2],
      [2, 5],
      [3, 5],
      [2, 9],
      [2, 10],
    ]) {
      screen.words[y * WIDTH + x] = WHITE;
    }
    fill(screen, rectangle(20, 20, 3, 2), RED);
  });
});

test('text: a fragment is added by one order and used by the next', () => {
  const decoder = open();
  const writer = new PrimaryOrderWriter();
  apply(
    decoder,
    secondary(writeCacheGlyphRev2({ cacheId: 0, glyphs: [{ cacheIndex: 5, glyph: DOT }] })),
    writer.write('glyphIndex', { backColor: white, x: 2, y: 3, variableBytes: Uint8Array.of(5, 0, 5, 4, 0xff, 1, 4) }),
    writer.write('glyphIndex', { y: 9, variableBytes: Uint8Array.of(5, 0, 0xfe, 1, 10, 5, 2) }),
  );
  assertShows(decoder, (screen) => {
    for (const x of [2, 6]) screen.words[2 * WIDTH + x] = WHITE;
    for (const x of [2, 12, 16, 18]) screen.words[8 * WIDTH + x] = WHITE;
  });
  apply(decoder, writer.write('glyphIndex', { variableBytes: Uint8Array.of(0xfe, 2) }));
  assert.match(`${decoder.lastError}`, /fragment: entry 2 is empty/);
});

test('without an announcement orders are undecodable; a frame marker only where it was announced', () => {
  const bitmapsOnly = new ScreenDecoder(WIDTH, HEIGHT, 32);
  const update = fastPath(writeFrameMarker(0))[0];
  bitmapsOnly.apply(update);
  assert.ok(bitmapsOnly.undecodableBytes > 0);
  const marked = open();
  marked.apply(update);
  assert.equal(marked.undecodableBytes, 0);
  const unmarked = open(32, { ...SUPPORT, frameMarkers: false });
  unmarked.apply(update);
  assert.equal(unmarked.undecodableBytes, 5);
});

test('an order that cannot be applied is counted, and those after it are applied', () => {
  const decoder = open();
  const writer = new PrimaryOrderWriter();
  const broken = [
    writer.write('memBlt', { ...whole, bRop: 0xcc, cacheIndex: 77 }),
    writer.write('memBlt', { cacheId: 9 }),
    writer.write('dstBlt', { ...whole, bRop: 0xcc }),
    writer.write('scrBlt', { ...whole, bRop: 0xf0 }),
    writer.write('patBlt', { ...whole, bRop: 0xf0, brushStyle: 1 }),
    writer.write('lineTo', { nXEnd: 5, bRop2: 17 }),
    writer.write('lineTo', { bRop2: 13, penStyle: 1 }),
    writer.write('glyphIndex', { brushStyle: 2 }),
    secondary({ type: 6, extraFlags: 0, body: new Uint8Array(9) }),
    secondary(writeCacheBitmapRev1({ ...bitmapOf(32, 200).bitmap })),
    secondary(writeCacheBitmapRev1({ ...bitmapOf(32, 0, 20, 20).bitmap })),
    secondary(writeCacheBrush({ cacheEntry: 64, pattern: { bitsPerPixel: 1, data: new Uint8Array(8) } })),
    secondary(writeCacheColorTable({ cacheIndex: 6, colors: new Uint32Array(256) })),
    secondary(writeCacheGlyphRev1({ cacheId: 10, glyphs: [{ cacheIndex: 0, glyph: DOT }] })),
    secondary(writeCacheGlyphRev1({ cacheId: 0, glyphs: [{ cacheIndex: 254, glyph: DOT }] })),
  ];
  decoder.apply(slowPath(...broken, writer.write('opaqueRect', { ...whole, redOrPaletteIndex: 255 })));
  assert.equal(
    decoder.undecodableBytes,
    broken.reduce((sum, order) => sum + order.length, 0),
  );
  assert.ok(decoder.screen.words.every((word) => word === RED));
});

test('painting a screen a thousand times over is refused, a heavy update is not', () => {
  const decoder = new ScreenDecoder(1920, 1080, 32);
  decoder.configure({ width: 1920, height: 1080, depth: 32, codecs: {}, orders: SUPPORT });
  const writer = new PrimaryOrderWriter();
  const first = writer.write('opaqueRect', { nWidth: 1920, nHeight: 1080 });
  const again = writer.write('opaqueRect', {});
  for (const frame of writeFastPathUpdate(0, writeFastPathOrders([first, ...Array(100).fill(again)]), 16000))
    decoder.apply(frame);
  assert.equal(decoder.undecodableBytes, 0);
  for (const frame of writeFastPathUpdate(0, writeFastPathOrders(Array(1000).fill(again)), 16000)) decoder.apply(frame);
  assert.match(`${decoder.lastError}`, /paint more than/);
});

/** A session of every order, cut anywhere. */
function session(): Uint8Array[] {
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

test('a decoder that was saved at any order goes on as the other', () => {
  const orders = session();
  const played = open();
  for (const order of orders) apply(played, order);
  assert.equal(played.undecodableBytes, 0, `${played.lastError}`);
  for (let cut = 0; cut <= orders.length; cut++) {
    const before = open();
    for (const order of orders.slice(0, cut)) apply(before, order);
    const restored = ScreenDecoder.restore(before.save(false), before.pixels);
    assert.deepEqual(restored.save(), before.save());
    for (const order of orders.slice(cut)) apply(restored, order);
    assert.deepEqual(restored.screen.words, played.screen.words);
    assert.deepEqual(restored.save(), played.save());
  }
});

test('a new activation begins the history anew and keeps the caches; another announcement empties them', () => {
  const { bitmap, source } = bitmapOf(32, 4);
  const decoder = open();
  const show = () => new PrimaryOrderWriter().write('memBlt', { nWidth: 8, nHeight: 6, bRop: 0xcc, cacheIndex: 4 });
  apply(
    decoder,
    secondary(writeCacheBitmapRev2(bitmap)),
    new PrimaryOrderWriter().write('memBlt', { nLeftRect: 9, cacheIndex: 4 }),
  );
  decoder.apply(slow(writeShareControl(ShareControlType.deactivateAll, 1002, new Uint8Array(0))));
  decoder.configure({ width: WIDTH, height: HEIGHT, depth: 32, codecs: {}, orders: structuredClone(SUPPORT) });
  apply(decoder, show());
  assertShows(decoder, (screen) => blitTo(screen, source, 0, 0));
  decoder.configure({ width: WIDTH, height: HEIGHT, depth: 32, codecs: {}, orders: { ...SUPPORT, colorTables: 1 } });
  apply(decoder, show());
  assert.match(`${decoder.lastError}`, /entry 4 of bitmap cache 0 is empty/);
});

test('announcements beyond the limits are refused, wherever they come from', () => {
  const refused: unknown[] = [
    null,
    7,
    {},
    { ...SUPPORT, primary: ['multiDstBlt'] },
    { ...SUPPORT, bitmapCaches: [{ entries: 201, size: 256 }] },
    { ...SUPPORT, bitmapCaches: [{ entries: 1, size: 1e9 }] },
    { ...SUPPORT, bitmapCaches: Array(4).fill({ entries: 1, size: 1 }) },
    { ...SUPPORT, glyphCaches: [{ entries: 1.5, size: 4 }] },
    { ...SUPPORT, fragmentCache: null },
    { ...SUPPORT, colorTables: 7 },
    { ...SUPPORT, brushCache: 'yes' },
  ];
  for (const support of refused) {
    const decoder = new ScreenDecoder(WIDTH, HEIGHT, 32);
    decoder.configure({ width: WIDTH, height: HEIGHT, depth: 32, codecs: {}, orders: support });
    assert.ok(decoder.lastError instanceof DecodeError, JSON.stringify(support));
  }
});

test('random changes to a session do no harm', () => {
  const frames = fastPath(...session());
  const change = fc.record({ frame: fc.nat(), at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), fc.constantFrom(8, 15, 16, 24, 32), (changes, depth) => {
      const decoder = open(depth);
      const changed = frames.map((frame) => frame.slice());
      // beyond the header, whose length has to be right for anything to be read
      for (const { frame, at, byte } of changes) {
        const bytes = changed[frame % changed.length];
        bytes[6 + (at % (bytes.length - 6))] = byte;
      }
      for (const frame of changed) decoder.apply(frame);
      const { decoded, ignored, undecodable } = decoder.counts;
      assert.equal(
        decoded + ignored + undecodable,
        frames.reduce((sum, frame) => sum + frame.length, 0),
      );
      assert.deepEqual(ScreenDecoder.restore(decoder.save()).save(), decoder.save());
    }),
    { numRuns: 300 },
  );
});

test('random orders with any coordinates do no harm', () => {
  const i16 = fc.integer({ min: -0x8000, max: 0x7fff });
  const fields = fc.record({
    nLeftRect: i16,
    nTopRect: i16,
    nWidth: i16,
    nHeight: i16,
    bRop: fc.integer({ min: 0, max: 255 }),
  });
  const sources = fc.record({ nXSrc: i16, nYSrc: i16, cacheIndex: fc.constantFrom(4, 5), foreColor: fc.constant(red) });
  const line = fc.record({
    nXStart: i16,
    nYStart: i16,
    nXEnd: i16,
    nYEnd: i16,
    bRop2: fc.integer({ min: 0, max: 17 }),
  });
  const bounds = fc.option(fc.record({ left: i16, top: i16, right: i16, bottom: i16 }));
  fc.assert(
    fc.property(fields, sources, line, bounds, (blt, source, lineTo, within) => {
      const writer = new PrimaryOrderWriter();
      const decoder = open();
      apply(decoder, secondary(writeCacheBitmapRev2(bitmapOf(32, 4).bitmap)));
      apply(
        decoder,
        writer.write('mem3Blt', { ...blt, ...source }, within),
        writer.write('scrBlt', { ...blt, nXSrc: source.nXSrc, nYSrc: source.nYSrc }, within),
        writer.write('patBlt', { ...blt, foreColor: blue }, within),
        writer.write('lineTo', lineTo, within),
      );
      assert.ok(decoder.screen.words.every((word) => word >>> 24 === 0xff));
    }),
  );
});

test('random states are read or refused', () => {
  const decoder = open();
  for (const order of session()) apply(decoder, order);
  const state = decoder.save();
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (at, byte, length) => {
      const changed = state.slice(0, length % 3 === 0 ? length % state.length : state.length);
      if (changed.length > 0) changed[at % Math.min(changed.length, 4000)] = byte;
      try {
        const restored = ScreenDecoder.restore(changed);
        for (const order of session()) apply(restored, order);
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }),
    { numRuns: 400 },
  );
});
