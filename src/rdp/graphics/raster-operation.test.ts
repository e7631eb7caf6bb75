import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromRgb555, fromRgb565, OPAQUE } from '../codec/pixel.ts';
import { binary, combine, ternary } from './raster-operation.ts';

/** The definition, bit by bit. */
function slowly(code: number, destination: number, source: number, pattern: number): number {
  let result = 0;
  for (let bit = 0; bit < 32; bit++) {
    const index = (((pattern >>> bit) & 1) << 2) | (((source >>> bit) & 1) << 1) | ((destination >>> bit) & 1);
    result |= ((code >> index) & 1) << bit;
  }
  return result;
}

const word = fc.integer({ min: 0, max: 0xffffffff });

test('all 256 ternary operations are their truth tables', () => {
  fc.assert(
    fc.property(word, word, word, (d, s, p) => {
      for (let code = 0; code < 256; code++) assert.equal(combine(ternary(code), d, s, p), slowly(code, d, s, p));
    }),
    { numRuns: 20 },
  );
});

test('operations by their names', () => {
  const [d, s, p] = [0x0f0f0f0f, 0x00ff00ff, 0x33333333];
  const named: [number, number][] = [
    [0x00, 0],
    [0x55, ~d],
    [0x5a, d ^ p],
    [0x66, d ^ s],
    [0x88, d & s],
    [0xaa, d],
    [0xb8, (((p ^ d) & s) ^ p) | 0],
    [0xcc, s],
    [0xee, d | s],
    [0xf0, p],
    [0xff, ~0],
  ];
  for (const [code, expected] of named) assert.equal(combine(ternary(code), d, s, p), expected, code.toString(16));
});

test('what an operation needs is what changes its result', () => {
  for (let code = 0; code < 256; code++) {
    const { usesDestination, usesSource, usesPattern } = ternary(code);
    const depends = (bit: number) =>
      [0, 1, 2, 3, 4, 5, 6, 7].some((index) => ((code >> index) & 1) !== ((code >> (index ^ bit)) & 1));
    assert.deepEqual([usesDestination, usesSource, usesPattern], [depends(1), depends(2), depends(4)]);
  }
});

test('the sixteen binary operations, of a pen and the destination', () => {
  const [d, p] = [0x0f0f0f0f, 0x33333333];
  const expected = [
    0,
    ~(d | p),
    d & ~p,
    ~p,
    p & ~d,
    ~d,
    d ^ p,
    ~(d & p),
    d & p,
    ~(d ^ p),
    d,
    d | ~p,
    p,
    p | ~d,
    d | p,
    ~0,
  ];
  for (const [i, result] of expected.entries()) {
    assert.equal(combine(binary(i + 1)!, d, 0x5555, p), result, `R2 ${i + 1}`);
  }
  assert.equal(binary(0), null);
  assert.equal(binary(17), null);
});

test('operations on widened pixels give widened results', () => {
  const pixel = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(pixel, pixel, pixel, fc.integer({ min: 0, max: 255 }), (d, s, p, code) => {
      const operation = ternary(code);
      for (const widen of [fromRgb565, fromRgb555]) {
        const narrow = combine(operation, d, s, p) & 0xffff;
        assert.equal((combine(operation, widen(d), widen(s), widen(p)) | OPAQUE) >>> 0, widen(narrow));
      }
    }),
  );
});
