import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DirtyTiles } from './dirty-tiles.ts';

test('neighbours in a row are one area, cut at the border', () => {
  const tiles = new DirtyTiles(100, 70);
  tiles.mark({ left: 40, top: 10, right: 41, bottom: 11 });
  tiles.mark({ left: 90, top: 60, right: 300, bottom: 300 });
  tiles.mark({ left: 64, top: 0, right: 70, bottom: 1 });
  assert.deepEqual(
    [...tiles.take()],
    [
      { left: 32, top: 0, right: 96, bottom: 32 },
      { left: 64, top: 32, right: 100, bottom: 64 },
      { left: 64, top: 64, right: 100, bottom: 70 },
    ],
  );
  assert.equal(tiles.any, false);
  assert.deepEqual([...tiles.take()], []);
});

test('what lies outside is left out', () => {
  const tiles = new DirtyTiles(64, 64);
  tiles.mark({ left: -50, top: -50, right: -1, bottom: 10 });
  tiles.mark({ left: 64, top: 0, right: 80, bottom: 10 });
  tiles.mark({ left: 0, top: 64, right: 10, bottom: 80 });
  assert.equal(tiles.any, false);
});

test('every marked pixel is in exactly one area', () => {
  const side = fc.integer({ min: -40, max: 200 });
  const area = fc.record({ left: side, top: side, right: side, bottom: side });
  fc.assert(
    fc.property(fc.array(area, { maxLength: 6 }), (areas) => {
      const [width, height] = [130, 90];
      const tiles = new DirtyTiles(width, height);
      for (const one of areas) tiles.mark(one);
      const hits = new Uint8Array(width * height);
      for (const { left, top, right, bottom } of tiles.take()) {
        for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) hits[y * width + x]++;
      }
      assert.ok(hits.every((count) => count <= 1));
      for (const { left, top, right, bottom } of areas) {
        for (let y = Math.max(0, top); y < Math.min(height, bottom); y++) {
          for (let x = Math.max(0, left); x < Math.min(width, right); x++) assert.equal(hits[y * width + x], 1);
        }
      }
    }),
  );
});
