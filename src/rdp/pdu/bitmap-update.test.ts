import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { BitmapFlag, bitmapDataSize, readBitmapUpdate, writeBitmapUpdate } from './bitmap-update.ts';

const u16 = () => fc.integer({ min: 0, max: 0xffff });

test('rectangles survive writing and reading, with and without the compression header', () => {
  const rectangle = fc.record(
    {
      left: u16(),
      top: u16(),
      right: u16(),
      bottom: u16(),
      width: u16(),
      height: u16(),
      bitsPerPixel: fc.constantFrom(8, 15, 16, 24, 32),
      flags: fc.constantFrom(0, BitmapFlag.compressed, BitmapFlag.compressed | BitmapFlag.noCompressionHeader),
      data: fc.uint8Array({ maxLength: 64 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(rectangle, { maxLength: 5 }), (rectangles) => {
      const bytes = writeBitmapUpdate(rectangles);
      assert.equal(
        bytes.length,
        rectangles.reduce((sum, one) => sum + bitmapDataSize(one), 4),
      );
      assert.deepEqual([...readBitmapUpdate(bytes)], rectangles);
    }),
  );
});

test('the compression header is left out of the data', () => {
  const bytes = Uint8Array.of(
    ...[1, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 1, 0, 16, 0, 1, 0, 10, 0],
    ...[0, 0, 2, 0, 8, 0, 8, 0, 0xf9, 0xfa],
  );
  assert.deepEqual([...readBitmapUpdate(bytes)][0].data, Uint8Array.of(0xf9, 0xfa));
});

test('random and mutated updates end in rectangles or a DecodeError', () => {
  const good = writeBitmapUpdate([
    { left: 0, top: 0, right: 3, bottom: 0, width: 4, height: 1, bitsPerPixel: 16, flags: 1, data: new Uint8Array(9) },
  ]);
  const mutated = fc
    .tuple(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length))
    .map(([at, value, length]) => good.with(at, value).subarray(0, length));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated), (bytes) => {
      try {
        for (const rectangle of readBitmapUpdate(bytes)) assert.ok(rectangle.data.length <= bytes.length);
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }),
  );
});
