import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { OPAQUE } from '../codec/pixel.ts';
import { FrameMarkerAction, readAlternateOrder, writeFrameMarker } from './alternate-order.ts';
import {
  readCacheBitmapRev1,
  readCacheBitmapRev2,
  WAITING_LIST,
  writeCacheBitmapRev1,
  writeCacheBitmapRev2,
} from './cache-bitmap.ts';
import { readCacheBitmapRev3, writeCacheBitmapRev3 } from './cache-bitmap-rev3.ts';
import { readCacheBrush, writeCacheBrush } from './cache-brush.ts';
import { readCacheColorTable, writeCacheColorTable } from './cache-color-table.ts';
import { glyphBytes, readCacheGlyph, writeCacheGlyphRev1, writeCacheGlyphRev2 } from './cache-glyph.ts';
import { readFastPathOrders, readSlowPathOrders, writeFastPathOrders, writeSlowPathOrders } from './orders-update.ts';
import { readSecondaryOrder, type SecondaryOrder, writeSecondaryOrder } from './secondary-order.ts';
import {
  readFourByteUnsigned,
  readTwoByteSigned,
  readTwoByteUnsigned,
  writeFourByteUnsigned,
  writeTwoByteSigned,
  writeTwoByteUnsigned,
} from './variable-fields.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));

/** Through the bytes of the wire. */
function sent(order: SecondaryOrder): SecondaryOrder {
  const reader = new Reader(writeSecondaryOrder(order));
  assert.equal(reader.u8('controlFlags'), 3);
  const read = readSecondaryOrder(reader);
  assert.equal(reader.remaining, 0);
  return read;
}

test('numbers of variable size', () => {
  const encodings = [
    [readTwoByteUnsigned, writeTwoByteUnsigned, fc.integer({ min: 0, max: 0x7fff })],
    [readTwoByteSigned, writeTwoByteSigned, fc.integer({ min: -0x3fff, max: 0x3fff })],
    [readFourByteUnsigned, writeFourByteUnsigned, fc.integer({ min: 0, max: 0x3fffffff })],
  ] as const;
  for (const [read, write, values] of encodings) {
    fc.assert(
      fc.property(values, (value) => {
        const writer = new Writer();
        write(writer, value);
        const reader = new Reader(writer.finish());
        assert.equal(read(reader, 'value'), value);
        assert.equal(reader.remaining, 0);
      }),
    );
  }
  // of the specification's text: 0x1a1b is 9a 1b, -2 is 42, 0x89abcdef has no form
  assert.equal(readTwoByteUnsigned(new Reader(hex('9a1b')), 'value'), 0x1a1b);
  assert.equal(readTwoByteSigned(new Reader(hex('42')), 'value'), -2);
  assert.equal(readFourByteUnsigned(new Reader(hex('c0123456')), 'value'), 0x123456);
  assert.throws(() => writeTwoByteUnsigned(new Writer(), 0x8000), RangeError);
  assert.throws(() => writeTwoByteSigned(new Writer(), -0x4000), RangeError);
  assert.throws(() => writeFourByteUnsigned(new Writer(), 0x40000000), RangeError);
});

const u8 = fc.integer({ min: 0, max: 0xff });
const data = fc.uint8Array({ maxLength: 300 });
const bitmap = fc.record({
  cacheId: fc.integer({ min: 0, max: 7 }),
  cacheIndex: fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.constant(WAITING_LIST)),
  width: u8,
  height: u8,
  bitsPerPixel: fc.constantFrom(8, 15, 16, 24, 32),
  data,
});

test('bitmaps of the three revisions', () => {
  fc.assert(
    fc.property(bitmap, fc.boolean(), fc.integer({ min: 0, max: 0xff }), (fields, compressed, codecId) => {
      const plain = { ...fields, compressed };
      assert.deepEqual(readCacheBitmapRev1(sent(writeCacheBitmapRev1(plain))), plain);
      assert.deepEqual(readCacheBitmapRev2(sent(writeCacheBitmapRev2(plain)), fields.bitsPerPixel), plain);
      const coded = { ...fields, codecId };
      assert.deepEqual(readCacheBitmapRev3(sent(writeCacheBitmapRev3(coded))), coded);
    }),
  );
});

test('a compression header and a key are skipped, and the lengths of xrdp understood', () => {
  const header = '0000' + '0200' + '0400' + '0800';
  const rev1 = { type: 2, extraFlags: 0, body: hex(`010004021002000500${header}abcd`) };
  assert.deepEqual(readCacheBitmapRev1(rev1).data, hex('abcd'));
  assert.equal(readCacheBitmapRev1(rev1).cacheIndex, 5);
  const key = '0102030405060708';
  const rev2 = { type: 5, extraFlags: 0x1a2, body: hex(`${key}040a05${header}abcd`) };
  assert.deepEqual(readCacheBitmapRev2(rev2, 16), {
    cacheId: 2,
    cacheIndex: 5,
    width: 4,
    height: 4,
    bitsPerPixel: 16,
    compressed: true,
    data: hex('abcd'),
  });
  // xrdp: length 2 as 40 02, index 5 as 80 05
  const xrdp = { type: 5, extraFlags: 0x422, body: hex('040440028005abcd') };
  assert.deepEqual(readCacheBitmapRev2(xrdp, 15), {
    ...readCacheBitmapRev2(rev2, 15),
    bitsPerPixel: 15,
  });
});

test('a length that xrdp cannot write is that of the rest', () => {
  const pixels = new Uint8Array(64 * 64 * 4).fill(7);
  const head = hex('404040008005');
  const body = new Uint8Array([...head, ...pixels]);
  assert.deepEqual(readCacheBitmapRev2({ type: 4, extraFlags: 0x32, body }, 32).data, pixels);
});

test('glyphs of both revisions', () => {
  const small = fc.integer({ min: 0, max: 40 });
  const offset = fc.integer({ min: -0x3fff, max: 0x3fff });
  const glyph = fc
    .record({ x: offset, y: offset, width: small, height: small }, { noNullPrototype: true })
    .chain((size) => {
      const bytes = glyphBytes(size.width, size.height);
      return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((bits) => ({ ...size, bits }));
    });
  const glyphs = fc.array(fc.record({ cacheIndex: u8, glyph }, { noNullPrototype: true }), { maxLength: 5 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9 }), glyphs, (cacheId, list) => {
      const order = { cacheId, glyphs: list };
      assert.deepEqual(readCacheGlyph(sent(writeCacheGlyphRev1(order))), order);
      assert.deepEqual(readCacheGlyph(sent(writeCacheGlyphRev2(order))), order);
    }),
  );
});

test('brushes: monochrome, coloured, of four colours', () => {
  const sizes = [
    [1, 8],
    [8, 64],
    [15, 128],
    [16, 128],
    [24, 192],
    [32, 256],
  ];
  for (const [bitsPerPixel, size] of sizes) {
    const brush = { cacheEntry: 3, pattern: { bitsPerPixel, data: Uint8Array.from({ length: size }, (_, i) => i) } };
    assert.deepEqual(readCacheBrush(sent(writeCacheBrush(brush)), bitsPerPixel), brush);
  }
  // the first row shows each colour twice, the rest the last colour
  const four = hex(`000408080018${'1b1b'}${'ff'.repeat(14)}${'0100020003000400'}`);
  const { pattern } = readCacheBrush({ type: 7, extraFlags: 0, body: four }, 16);
  assert.deepEqual(pattern.data, hex(`01000200030004000100020003000400${'0400'.repeat(56)}`));
  assert.throws(() => readCacheBrush({ type: 7, extraFlags: 0, body: hex('0001100800200000') }, 16), /16 x 8/);
  assert.throws(() => readCacheBrush({ type: 7, extraFlags: 0, body: hex('000108080009') }, 16), /iBytes/);
});

test('colour tables, frame markers, updates on both paths', () => {
  const table = { cacheIndex: 2, colors: Uint32Array.from({ length: 256 }, (_, i) => OPAQUE | (i * 0x010305)) };
  assert.deepEqual(readCacheColorTable(sent(writeCacheColorTable(table))), table);
  const short = { type: 1, extraFlags: 0, body: hex('0010000000') };
  assert.throws(() => readCacheColorTable(short), /numberColors: is 16/);
  const marker = new Reader(writeFrameMarker(FrameMarkerAction.end));
  assert.equal(readAlternateOrder(marker, marker.u8('controlFlags'), true), FrameMarkerAction.end);
  const orders = [writeFrameMarker(0), writeFrameMarker(1)];
  for (const update of [
    readFastPathOrders(writeFastPathOrders(orders)),
    readSlowPathOrders(writeSlowPathOrders(orders)),
  ]) {
    assert.equal(update.count, 2);
    assert.deepEqual(update.reader.rest(), hex('36000000003601000000'));
  }
  assert.throws(() => readSlowPathOrders(hex('0100000000000000')), /updateType/);
});

test('lengths that cannot be are refused', () => {
  assert.throws(() => readSecondaryOrder(new Reader(hex('f8ff000000'))), /orderLength/);
  assert.throws(() => readSecondaryOrder(new Reader(hex('0100000000'))), DecodeError);
});

test('random bytes are read or refused', () => {
  const flags = fc.integer({ min: 0, max: 0xffff });
  const readers = [
    readCacheBitmapRev1,
    (order: SecondaryOrder) => readCacheBitmapRev2(order, 16),
    readCacheBitmapRev3,
    readCacheGlyph,
    (order: SecondaryOrder) => readCacheBrush(order, 16),
    readCacheColorTable,
    ({ body }: SecondaryOrder) => readSecondaryOrder(new Reader(body)),
    ({ body }: SecondaryOrder) => readSlowPathOrders(body),
  ];
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8 }), flags, data, (type, extraFlags, body) => {
      for (const read of readers) {
        try {
          read({ type, extraFlags, body });
        } catch (error) {
          assert.ok(error instanceof DecodeError);
        }
      }
    }),
  );
});
