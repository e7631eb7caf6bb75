import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPAQUE, rgbx } from '../codec/pixel.ts';
import { glyphOf } from './font.ts';
import { drawText, fill, frame, measureText, wrapText } from './painter.ts';
import { intersect, rectangle } from './rectangle.ts';
import { isScreenSize, Screen } from './screen.ts';

const ink = rgbx(255, 255, 255);
const show = (screen: Screen) =>
  Array.from({ length: screen.height }, (_, y) =>
    Array.from({ length: screen.width }, (_, x) => (screen.words[y * screen.width + x] === ink ? '#' : '.')).join(''),
  );

test('text is legible', () => {
  const screen = new Screen(16, 13);
  assert.deepEqual(drawText(screen, 0, 0, 'Aé', ink), rectangle(0, 0, 16, 13));
  assert.deepEqual(show(screen), [
    '................',
    '................',
    '...##.......#...',
    '..#..#.....#....',
    '.#....#.........',
    '.#....#...####..',
    '.#....#..#....#.',
    '.######..######.',
    '.#....#..#......',
    '.#....#..#....#.',
    '.#....#...####..',
    '................',
    '................',
  ]);
});

test('every character has a glyph of its own, others are question marks', () => {
  const glyphs = new Set<string>();
  for (let code = 0x21; code <= 0x7e; code++) glyphs.add(glyphOf(code).join());
  assert.equal(glyphs.size, 94);
  assert.ok(glyphOf(0x20).every((row) => row === 0));
  assert.deepEqual(glyphOf(0x20ac), glyphOf(0x3f));
  assert.ok(glyphOf(0xff).some((row) => row !== 0));
});

test('text scales and is clipped', () => {
  assert.deepEqual(measureText('abc', 2), { width: 48, height: 26 });
  const screen = new Screen(10, 10);
  assert.deepEqual(drawText(screen, -4, -4, 'XX', ink, 2), rectangle(0, 0, 10, 10));
  assert.equal(drawText(screen, 20, 0, 'X', ink), null);
});

test('fills and frames stay on the screen', () => {
  const screen = new Screen(5, 4);
  assert.deepEqual(frame(screen, rectangle(0, 0, 4, 4), ink), rectangle(0, 0, 4, 4));
  assert.deepEqual(show(screen), ['####.', '#..#.', '#..#.', '####.']);
  assert.deepEqual(fill(screen, rectangle(-5, 1, 7, 1), ink), rectangle(0, 1, 2, 1));
  assert.deepEqual(show(screen), ['####.', '##.#.', '#..#.', '####.']);
  assert.equal(fill(screen, rectangle(9, 9, 1, 1), ink), null);
});

test('text breaks at spaces, else anywhere', () => {
  assert.deepEqual(wrapText('one two three\nfour', 8), ['one two', 'three', 'four']);
  assert.deepEqual(wrapText('abcdefghij k', 4), ['abcd', 'efgh', 'ij k']);
});

test('rectangles', () => {
  assert.equal(intersect(rectangle(0, 0, 2, 2), rectangle(2, 0, 2, 2)), null);
  assert.deepEqual(intersect(rectangle(0, 0, 3, 2), rectangle(2, 1, 9, 9)), rectangle(2, 1, 1, 1));
});

test('a bitmap is cropped to its rectangle and to the screen', () => {
  const screen = new Screen(3, 3);
  const source = Uint32Array.from({ length: 16 }, (_, i) => i + 1);
  assert.deepEqual(screen.blitBottomUp(source, 4, 4, { left: 1, top: 1, right: 3, bottom: 9 }), rectangle(1, 1, 2, 2));
  assert.deepEqual([...screen.words], [OPAQUE, OPAQUE, OPAQUE, OPAQUE, 13, 14, OPAQUE, 9, 10]);
  assert.equal(screen.blitBottomUp(source, 4, 4, { left: 2, top: 2, right: 1, bottom: 1 }), null);
});

test('sizes that no desktop has are refused', () => {
  for (const [width, height] of [
    [0, 1],
    [1, -1],
    [8193, 1],
    [8192, 8192],
    [1.5, 1],
  ]) {
    assert.equal(isScreenSize(width, height), false);
    assert.throws(() => new Screen(width, height), RangeError);
  }
});
