import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OPAQUE, rgbx } from '#rdp/codec/pixel.ts';
import { DEFAULT_POINTER, drawPointer } from '#rdp/graphics/pointer-image.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { type PointerOnScreen, Stage } from './stage.ts';

const GREEN = rgbx(0, 255, 0);
const GREY = rgbx(48, 48, 48);
const wordsOf = (stage: Stage) => new Uint32Array(stage.frame.buffer);

/** Paints on the decoder's screen, and tells its listener, as decoding does. */
function paint(decoder: ScreenDecoder, left: number, top: number, side: number, color: number): void {
  const bitmap = new Uint32Array(side * side).fill(color);
  const area = { left, top, right: left + side, bottom: top + side };
  const painted = decoder.screen.blitBottomUp(bitmap, side, side, area);
  if (painted !== null) decoder.listener.dirty?.(painted);
}

test('a smaller desktop stands in the middle of grey, pixel for pixel', () => {
  const decoder = new ScreenDecoder(2, 2);
  const stage = new Stage({ width: 6, height: 4 }, 'rgb0');
  stage.attach(decoder);
  paint(decoder, 0, 0, 2, GREEN);
  assert.equal(stage.update(null, null), true);
  const [o, g] = [GREY, GREEN];
  assert.deepEqual(
    [...wordsOf(stage)],
    [...[o, o, o, o, o, o], ...[o, o, g, g, o, o], ...[o, o, g, g, o, o], ...[o, o, o, o, o, o]],
  );
  assert.equal(stage.update(null, null), false, 'nothing changed since');
});

test('a resized desktop leaves nothing behind', () => {
  const decoder = new ScreenDecoder(40, 40);
  const stage = new Stage({ width: 40, height: 40 }, 'rgb0');
  stage.attach(decoder);
  paint(decoder, 0, 0, 40, GREEN);
  stage.update(null, null);
  decoder.configure({ width: 10, height: 10, depth: 32, codecs: {} });
  assert.equal(stage.update(null, null), true);
  const words = wordsOf(stage);
  assert.equal(words.filter((word) => word === OPAQUE).length, 100, 'the new desktop is black');
  assert.equal(words.filter((word) => word === GREY).length, 1500);
});

test('a caption takes the place of the desktop, and gives it back with what changed meanwhile', () => {
  const decoder = new ScreenDecoder(200, 100);
  const stage = new Stage({ width: 200, height: 100 }, 'rgb0');
  stage.attach(decoder);
  stage.update(null, null);
  assert.equal(stage.update(null, 'The line was lost'), true);
  assert.ok(new Set(wordsOf(stage)).size >= 2, 'words on a ground');
  paint(decoder, 0, 0, 10, GREEN);
  assert.equal(stage.update(null, 'The line was lost'), false);
  assert.equal(stage.update(null, null), true);
  assert.deepEqual(wordsOf(stage), decoder.screen.words);
});

test('whatever is painted and pointed at, the frame is desktop and pointer', () => {
  const place = fc.integer({ min: -5, max: 90 });
  const act = fc.record({ x: place, y: place, side: fc.integer({ min: 1, max: 50 }), moves: fc.boolean() });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 12 }), (acts) => {
      const [width, height] = [90, 70];
      const decoder = new ScreenDecoder(width, height);
      const stage = new Stage({ width, height }, 'rgb0');
      stage.attach(decoder);
      let pointer: PointerOnScreen | null = null;
      for (const [i, { x, y, side, moves }] of acts.entries()) {
        if (moves) pointer = { image: DEFAULT_POINTER, x, y };
        else paint(decoder, Math.max(0, x), Math.max(0, y), side, rgbx(i * 20, 255 - i, 7));
        if (i % 3 === 2) continue;
        stage.update(pointer, null);
        const expected = decoder.screen.words.slice();
        if (pointer !== null) drawPointer(expected, width, height, pointer.image, pointer.x, pointer.y);
        assert.deepEqual(wordsOf(stage), expected);
      }
    }),
  );
});
