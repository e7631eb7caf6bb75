import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canvasOf, fitCanvas, placeOn } from './canvas.ts';
import { RESOLUTIONS } from './settings.ts';

test('the canvas is as wide as the widest and as high as the highest, and even', () => {
  assert.deepEqual(canvasOf([{ width: 1024, height: 768 }]), { width: 1024, height: 768 });
  const sizes = [
    { width: 1021, height: 707 },
    { width: 640, height: 1023 },
  ];
  assert.deepEqual(canvasOf(sizes), { width: 1022, height: 1024 });
});

test('smaller desktops stand in the middle', () => {
  assert.deepEqual(placeOn({ width: 1024, height: 768 }, { width: 801, height: 600 }), {
    ...{ left: 111, top: 84 },
    ...{ width: 801, height: 600 },
  });
});

test('native frames are the canvas itself', () => {
  const canvas = { width: 1022, height: 1024 };
  assert.deepEqual(fitCanvas(canvas, 'native'), { frame: canvas, picture: { ...canvas, left: 0, top: 0 } });
});

test('4:3 in 1080p has bars at its sides, portrait too, and small desktops are enlarged', () => {
  assert.deepEqual(fitCanvas({ width: 1024, height: 768 }, '1080p').picture, {
    ...{ left: 240, top: 0 },
    ...{ width: 1440, height: 1080 },
  });
  assert.deepEqual(fitCanvas({ width: 1080, height: 1920 }, '720p').picture, {
    ...{ left: 436, top: 0 },
    ...{ width: 406, height: 720 },
  });
  assert.deepEqual(fitCanvas({ width: 3840, height: 1080 }, '1080p').picture, {
    ...{ left: 0, top: 270 },
    ...{ width: 1920, height: 540 },
  });
});

test('any canvas fits into any frame, evenly and in proportion', () => {
  const side = fc.integer({ min: 1, max: 4096 }).map((half) => 2 * half);
  fc.assert(
    fc.property(side, side, fc.constantFrom(...RESOLUTIONS), (width, height, resolution) => {
      const { frame, picture } = fitCanvas({ width, height }, resolution);
      assert.ok(picture.left >= 0 && picture.left + picture.width <= frame.width);
      assert.ok(picture.top >= 0 && picture.top + picture.height <= frame.height);
      for (const value of Object.values(picture)) assert.equal(value % 2, 0);
      assert.ok(picture.width > 0 && picture.height > 0);
      // No more than rounding away from the right proportion.
      const scale = Math.min(frame.width / width, frame.height / height);
      assert.ok(Math.abs(picture.width - width * scale) <= 2 && Math.abs(picture.height - height * scale) <= 2);
    }),
  );
});
