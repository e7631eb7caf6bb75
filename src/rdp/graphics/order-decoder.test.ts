import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  apply,
  assertShows,
  BLACK,
  BLUE,
  bitmapOf,
  bitsOf,
  blitTo,
  blue,
  fastPath,
  HEIGHT,
  open,
  RED,
  red,
  SUPPORT,
  secondary,
  slowPath,
  WHITE,
  WIDTH,
  white,
  whole,
} from '../../../test/support/orders.ts';
import { encodeBitmap } from '../codec/bitmap-encoder.ts';
import { RGB332_PALETTE } from '../codec/pack-pixels.ts';
import { fromRgb555, fromRgb565, rgbx, toRgb565 } from '../codec/pixel.ts';
import { writeFrameMarker } from '../order/alternate-order.ts';
import { WAITING_LIST, writeCacheBitmapRev1, writeCacheBitmapRev2 } from '../order/cache-bitmap.ts';
import { writeCacheBitmapRev3 } from '../order/cache-bitmap-rev3.ts';
import { writeCacheBrush } from '../order/cache-brush.ts';
import { writeCacheColorTable } from '../order/cache-color-table.ts';
import { PrimaryOrderWriter } from '../order/primary-order-writer.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '../pdu/fast-path-output.ts';
import { writePaletteUpdate } from '../pdu/palette-update.ts';
import { fill } from './painter.ts';
import { type Rectangle, rectangle } from './rectangle.ts';
import { Screen } from './screen.ts';
import { ScreenDecoder } from './screen-decoder.ts';

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
