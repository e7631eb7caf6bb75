import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { BitmapDecoder } from './bitmap-decoder.ts';
import { encodeBitmap } from './bitmap-encoder.ts';
import { encodeInterleavedRle } from './interleaved-rle-encoder.ts';
import { packPixels, RGB332_PALETTE } from './pack-pixels.ts';
import { type BitsPerPixel, fromRgb555, fromRgb565, OPAQUE, rgbx, toRgb555, toRgb565 } from './pixel.ts';
import { encodePlanar } from './planar-encoder.ts';
import { encodeUncompressed } from './uncompressed.ts';

const depths: BitsPerPixel[] = [8, 15, 16, 24, 32];
const decoder = new BitmapDecoder();

/** Pixels in which all orders pay: runs, repeated lines, two-colour text, noise. */
const screenContent = (max: number) =>
  fc
    .record({
      width: fc.integer({ min: 1, max }),
      height: fc.integer({ min: 1, max: 24 }),
      colors: fc.array(fc.integer({ min: 0, max: 0xffffff }), { minLength: 1, maxLength: 4 }),
      runs: fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 90 }), fc.nat(0xffffff)), {
        minLength: 1,
        maxLength: 40,
      }),
    })
    .map(({ width, height, colors, runs }) => {
      const pixels = new Uint32Array(width * height).fill(OPAQUE);
      let at = 0;
      for (const [kind, length, seed] of runs) {
        let noise = seed;
        for (const stop = Math.min(at + length, pixels.length); at < stop; at++) {
          noise = (Math.imul(noise, 1103515245) + 12345) & 0xffffff;
          if (kind < 3) pixels[at] = OPAQUE | colors[kind % colors.length];
          else if (kind < 6) pixels[at] = at >= width ? pixels[at - width] : OPAQUE;
          else if (kind < 8) pixels[at] = OPAQUE | colors[(noise >> 16) % colors.length];
          else pixels[at] = OPAQUE | noise;
        }
      }
      return { width, height, pixels };
    });

/** What a client of this depth shows of `word`. */
function quantised(word: number, depth: BitsPerPixel): number {
  if (depth === 8) return RGB332_PALETTE[(word & 0xe0) | ((word & 0xe000) >> 11) | ((word & 0xc00000) >> 22)];
  if (depth === 15) return fromRgb555(toRgb555(word));
  if (depth === 16) return fromRgb565(toRgb565(word));
  return word;
}

/** Rows of `pixels` bottom-up, quantised. */
function expected(pixels: Uint32Array, width: number, height: number, depth: BitsPerPixel): Uint32Array {
  return Uint32Array.from(pixels, (_, i) =>
    quantised(pixels[(height - 1 - Math.floor(i / width)) * width + (i % width)], depth),
  );
}

for (const depth of depths) {
  test(`compressed bitmaps of ${depth} bits come back`, () => {
    fc.assert(
      fc.property(screenContent(140), ({ width, height, pixels }) => {
        const data = encodeBitmap(pixels, width, 0, 0, width, height, depth);
        const bitmap = { width, height, bitsPerPixel: depth, compressed: true, data };
        assert.deepEqual(decoder.decode(bitmap, RGB332_PALETTE), expected(pixels, width, height, depth));
      }),
      { numRuns: 300 },
    );
  });

  test(`uncompressed bitmaps of ${depth} bits come back, rows padded`, () => {
    fc.assert(
      fc.property(screenContent(9), ({ width, height, pixels }) => {
        const data = encodeUncompressed(packPixels(pixels, width, 0, 0, width, height, depth), width, height, depth);
        assert.equal(data.length % (4 * height), 0);
        const bitmap = { width, height, bitsPerPixel: depth, compressed: false, data };
        assert.deepEqual(decoder.decode(bitmap, RGB332_PALETTE), expected(pixels, width, height, depth));
        const short = { ...bitmap, data: data.subarray(1) };
        assert.throws(() => decoder.decode(short, RGB332_PALETTE), DecodeError);
      }),
    );
  });

  for (const compressed of [true, false]) {
    test(`${compressed ? 'compressed' : 'uncompressed'} random bytes at ${depth} bits decode or are refused`, () => {
      const mutated = screenContent(64).chain(({ width, height, pixels }) => {
        const data = encodeBitmap(pixels, width, 0, 0, width, height, depth);
        const flips = fc.array(fc.tuple(fc.nat(data.length - 1), fc.nat(255)), { maxLength: 6 });
        return flips.map((list) => {
          const bytes = data.slice();
          for (const [at, value] of list) bytes[at] = value;
          return { width, height, data: bytes };
        });
      });
      const random = fc.record({
        width: fc.nat(70),
        height: fc.nat(70),
        data: fc.uint8Array({ maxLength: 300 }),
      });
      fc.assert(
        fc.property(fc.oneof(random, mutated), ({ width, height, data }) => {
          try {
            const words = decoder.decode({ width, height, bitsPerPixel: depth, compressed, data }, RGB332_PALETTE);
            assert.equal(words.length, width * height);
            assert.ok(words.every((word) => word >>> 24 === 0xff));
          } catch (error) {
            assert.ok(error instanceof DecodeError, String(error));
          }
        }),
        { numRuns: 500 },
      );
    });
  }
}

test('a missing alpha plane changes nothing', () => {
  fc.assert(
    fc.property(screenContent(60), ({ width, height, pixels }) => {
      const data = encodePlanar(packPixels(pixels, width, 0, 0, width, height, 32), width);
      const bitmap = { width, height, bitsPerPixel: 32, compressed: true, data };
      assert.deepEqual(decoder.decode(bitmap, RGB332_PALETTE), expected(pixels, width, height, 32));
    }),
  );
});

test('runs longer than an order can say are split, and bitmaps of one colour stay small', () => {
  for (const color of [0, 0xffffff, 0x123456]) {
    const pixels = new Uint32Array(1024 * 200).fill(OPAQUE | color);
    const data = encodeBitmap(pixels, 1024, 0, 0, 1024, 200, 24);
    assert.ok(data.length < 40, `${data.length} bytes`);
    const bitmap = { width: 1024, height: 200, bitsPerPixel: 24, compressed: true, data };
    assert.deepEqual(decoder.decode(bitmap, RGB332_PALETTE), pixels);
  }
});

test('hostile sizes are refused before memory is taken', () => {
  const data = new Uint8Array(8);
  for (const bitsPerPixel of [16, 32, 7]) {
    const bitmap = { width: 65535, height: 65535, bitsPerPixel, compressed: true, data };
    assert.throws(() => decoder.decode(bitmap, RGB332_PALETTE), DecodeError);
  }
});

test('channels widen by bit replication', () => {
  assert.equal(fromRgb565(0xffff), rgbx(255, 255, 255));
  assert.equal(fromRgb565(0x8410), rgbx(0x84, 0x82, 0x84));
  assert.equal(fromRgb555(0x4210), rgbx(0x84, 0x84, 0x84));
  for (let value = 0; value < 0x10000; value++) {
    assert.equal(toRgb565(fromRgb565(value)), value);
    assert.equal(toRgb555(fromRgb555(value)), value & 0x7fff);
  }
});

test('text costs less than a byte and a half for eight pixels', () => {
  const pixels = Uint32Array.from({ length: 640 }, (_, i) => (Math.imul(i, 2654435761) & 0x10000 ? 0xffff : 0));
  assert.ok(encodeInterleavedRle(pixels, 64, 16).length < 120);
});
