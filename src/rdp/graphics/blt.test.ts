import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OPAQUE } from '../codec/pixel.ts';
import { type BltSource, bitBlt } from './blt.ts';
import type { Pattern } from './pattern.ts';
import { combine, ternary } from './raster-operation.ts';
import { intersect, type Rectangle, rectangle } from './rectangle.ts';
import { Screen } from './screen.ts';

const WIDTH = 23;
const HEIGHT = 17;

const word = fc.integer({ min: 0, max: 0xffffff }).map((color) => (OPAQUE | color) >>> 0);
const words = (count: number) =>
  fc.array(word, { minLength: count, maxLength: count }).map((list) => Uint32Array.from(list));
const place = fc.integer({ min: -30, max: 30 });
const size = fc.integer({ min: -2, max: 40 });
const area = fc.tuple(place, place, size, size).map((sides) => rectangle(...sides));
const clip = area.map((wanted) => intersect(wanted, rectangle(0, 0, WIDTH, HEIGHT))).filter((some) => some !== null);
const code = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x00, 0x5a, 0x66, 0xaa, 0xcc, 0xf0, 0xff));
const tile = fc.record({ words: words(64), originX: place, originY: place });
const bitmap = fc.record({
  words: words(12 * 9),
  width: fc.constant(12),
  height: fc.constant(9),
  left: place,
  top: place,
});

/** Pixel by pixel. */
function slowly(
  before: Uint32Array,
  target: Rectangle,
  within: Rectangle,
  operation: number,
  source: BltSource,
  pattern: Pattern,
): Uint32Array {
  const after = before.slice();
  const rop = ternary(operation);
  for (let y = within.top; y < within.bottom; y++) {
    for (let x = within.left; x < within.right; x++) {
      if (x < target.left || x >= target.right || y < target.top || y >= target.bottom) continue;
      const [sx, sy] = [x - target.left + source.left, y - target.top + source.top];
      const isThere = sx >= 0 && sy >= 0 && sx < source.width && sy < source.height;
      if (rop.usesSource && !isThere) continue;
      const color = isThere ? source.words[sy * source.width + sx] : 0;
      const brush =
        typeof pattern === 'number'
          ? pattern
          : pattern.words[((((y - pattern.originY) % 8) + 8) % 8) * 8 + ((((x - pattern.originX) % 8) + 8) % 8)];
      after[y * WIDTH + x] = OPAQUE | combine(rop, before[y * WIDTH + x], color, brush);
    }
  }
  return after;
}

function assertBlt(
  before: Uint32Array,
  target: Rectangle,
  within: Rectangle,
  operation: number,
  source: (screen: Screen) => BltSource,
  pattern: Pattern,
): void {
  const screen = new Screen(WIDTH, HEIGHT);
  screen.words.set(before);
  const from = source(screen);
  const painted = bitBlt(screen, target, within, ternary(operation), from, pattern);
  const unpainted = { ...from, words: from.words === screen.words ? before : from.words };
  assert.deepEqual(screen.words, slowly(before, target, within, operation, unpainted, pattern));
  for (let i = 0; i < before.length; i++) {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    const isInside = painted && x >= painted.left && x < painted.right && y >= painted.top && y < painted.bottom;
    if (!isInside) assert.equal(screen.words[i], before[i], `pixel ${x}, ${y} is outside of what was painted`);
  }
}

test('a bitmap, a brush and the screen, by any operation, clipped anyhow', () => {
  fc.assert(
    fc.property(
      words(WIDTH * HEIGHT),
      area,
      clip,
      code,
      bitmap,
      fc.oneof(word, tile),
      (before, target, within, ...rest) => {
        const [operation, source, pattern] = rest;
        assertBlt(before, target, within, operation, () => source, pattern);
      },
    ),
  );
});

test('the screen onto itself, overlapping in any direction', () => {
  fc.assert(
    fc.property(
      words(WIDTH * HEIGHT),
      area,
      clip,
      code,
      place,
      place,
      (before, target, within, operation, left, top) => {
        const source = (screen: Screen) => ({ words: screen.words, width: WIDTH, height: HEIGHT, left, top });
        assertBlt(before, target, within, operation, source, 0);
      },
    ),
  );
});

test('rows that are long enough for the engine', () => {
  const screen = new Screen(300, 2);
  const source = { words: new Uint32Array(600).fill(OPAQUE | 5), width: 300, height: 2, left: 0, top: 0 };
  assert.deepEqual(bitBlt(screen, screen.bounds, screen.bounds, ternary(0xcc), source, 0), screen.bounds);
  assert.ok(screen.words.every((each) => each === (OPAQUE | 5) >>> 0));
});
