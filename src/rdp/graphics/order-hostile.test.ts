/** Orders that cannot be, or should not: they are counted, and nothing else happens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  apply,
  bitmapOf,
  blue,
  DOT,
  fastPath,
  HEIGHT,
  open,
  RED,
  red,
  SUPPORT,
  secondary,
  session,
  slowPath,
  WIDTH,
  whole,
} from '../../../test/support/orders.ts';
import { DecodeError } from '../bytes.ts';
import { writeCacheBitmapRev1, writeCacheBitmapRev2 } from '../order/cache-bitmap.ts';
import { writeCacheBrush } from '../order/cache-brush.ts';
import { writeCacheColorTable } from '../order/cache-color-table.ts';
import { writeCacheGlyphRev1 } from '../order/cache-glyph.ts';
import { writeFastPathOrders } from '../order/orders-update.ts';
import { PrimaryOrderWriter } from '../order/primary-order-writer.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '../pdu/fast-path-output.ts';
import { ScreenDecoder } from './screen-decoder.ts';

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

test('an update that ends before its orders do is not whole', () => {
  const decoder = open();
  const update = writeFastPathOrders([
    new PrimaryOrderWriter().write('opaqueRect', { ...whole, redOrPaletteIndex: 255 }),
  ]);
  update[0] = 2;
  for (const frame of writeFastPathUpdate(FastPathUpdateCode.orders, update)) decoder.apply(frame);
  assert.ok(decoder.screen.words.every((word) => word === RED));
  assert.equal(decoder.undecodableBytes, 1);
});

test('painting a screen a thousand times over is refused, a heavy update is not', () => {
  const decoder = new ScreenDecoder(1920, 1080, 32);
  decoder.configure({ width: 1920, height: 1080, depth: 32, codecs: {}, orders: SUPPORT });
  const writer = new PrimaryOrderWriter();
  const first = writer.write('opaqueRect', { nWidth: 1920, nHeight: 1080 });
  const again = writer.write('opaqueRect', {});
  for (const frame of writeFastPathUpdate(
    FastPathUpdateCode.orders,
    writeFastPathOrders([first, ...Array(100).fill(again)]),
    16000,
  ))
    decoder.apply(frame);
  assert.equal(decoder.undecodableBytes, 0);
  for (const frame of writeFastPathUpdate(
    FastPathUpdateCode.orders,
    writeFastPathOrders(Array(1000).fill(again)),
    16000,
  ))
    decoder.apply(frame);
  assert.match(`${decoder.lastError}`, /paint more than/);
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
