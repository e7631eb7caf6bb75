import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { OPAQUE, rgbx } from '../codec/pixel.ts';
import type { PointerShape } from '../pdu/pointer-update.ts';
import { DEFAULT_POINTER, drawPointer, readPointerImage } from './pointer-image.ts';
import { PointerState } from './pointer-state.ts';

const palette = Uint32Array.from({ length: 256 }, (_, i) => rgbx(i, i, i));
const black = rgbx(0, 0, 0);
const white = rgbx(255, 255, 255);
const INVERT = 0xffffff;

const shape = (
  width: number,
  height: number,
  bitsPerPixel: number,
  xorMask: number[],
  andMask: number[],
): PointerShape => ({
  kind: 'shape',
  cacheIndex: 0,
  hotX: 0,
  hotY: 0,
  width,
  height,
  bitsPerPixel,
  xorMask: Uint8Array.from(xorMask),
  andMask: Uint8Array.from(andMask),
  large: false,
});
const words = (one: PointerShape) => [...readPointerImage(one, palette).words];

test('one bit: rows from the top; masks make black, white, nothing and inversion', () => {
  assert.deepEqual(words(shape(4, 2, 1, [0x50, 0, 0x80, 0], [0x30, 0, 0, 0])), [
    ...[black, white, 0, INVERT],
    ...[white, black, black, black],
  ]);
});

test('24 bits: rows from the bottom, padded to two bytes', () => {
  assert.deepEqual(words(shape(1, 2, 24, [1, 2, 3, 0, 4, 5, 6, 0], [0x80, 0, 0, 0])), [rgbx(6, 5, 4), 0x010203]);
});

test('4, 8 and 16 bits', () => {
  assert.deepEqual(words(shape(3, 1, 4, [0x12, 0x30], [])), [rgbx(1, 1, 1), rgbx(2, 2, 2), rgbx(3, 3, 3)]);
  assert.deepEqual(words(shape(1, 1, 8, [9, 0], [0, 0])), [rgbx(9, 9, 9)]);
  assert.deepEqual(words(shape(1, 1, 16, [0x00, 0xf8], [0, 0])), [rgbx(255, 0, 0)]);
});

test('32 bits: alpha counts when there is any, else the AND mask', () => {
  assert.deepEqual(words(shape(2, 1, 32, [1, 2, 3, 0x80, 9, 9, 9, 0], [0xc0, 0])), [0x80010203, 0]);
  assert.deepEqual(words(shape(2, 1, 32, [1, 2, 3, 0, 0, 0, 0, 0], [0x40, 0])), [rgbx(3, 2, 1), 0]);
});

test('a pointer is drawn clipped, blended and inverted', () => {
  const target = new Uint32Array(4).fill(rgbx(100, 100, 100));
  const image = { width: 2, height: 2, hotX: 1, hotY: 1, words: Uint32Array.of(1, INVERT, 0x800000ff, OPAQUE) };
  drawPointer(target, 2, 2, image, 0, 0);
  assert.deepEqual([...target], [OPAQUE, rgbx(100, 100, 100), rgbx(100, 100, 100), rgbx(100, 100, 100)]);
  drawPointer(target, 2, 2, image, 1, 1);
  assert.deepEqual([...target], [rgbx(1, 0, 0), rgbx(155, 155, 155), rgbx(178, 50, 50), OPAQUE]);
});

test('the default pointer is an arrow whose tip points', () => {
  assert.equal(DEFAULT_POINTER.words[0], OPAQUE);
  assert.ok(DEFAULT_POINTER.words.includes(white));
});

test('a hidden pointer has no image; an empty slot and a full cache are refused', () => {
  const state = new PointerState();
  assert.equal(state.image, DEFAULT_POINTER);
  state.apply({ kind: 'hidden' }, palette);
  assert.equal(state.image, null);
  assert.throws(() => state.apply({ kind: 'cached', cacheIndex: 1 }, palette), DecodeError);
  const big = shape(384, 384, 1, Array(384 * 48).fill(0), []);
  const fillAll = () => {
    for (let slot = 0; slot < 256; slot++) state.apply({ ...big, cacheIndex: slot }, palette);
  };
  assert.throws(fillAll, /pointer cache/);
  assert.throws(() => state.apply({ ...big, cacheIndex: 256 }, palette), /cacheIndex/);
});

test('random masks are read or refused', () => {
  const side = fc.integer({ min: 0, max: 40 });
  const mask = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(side, side, fc.constantFrom(1, 4, 8, 16, 24, 32, 2), mask, mask, (width, height, bpp, xor, and) => {
      try {
        assert.equal(words(shape(width, height, bpp, [...xor], [...and])).length, width * height);
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }),
  );
});
