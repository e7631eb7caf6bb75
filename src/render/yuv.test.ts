import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rgbx } from '#rdp/codec/pixel.ts';
import { convertToYuv, yuvBytes } from './yuv.ts';

function convert(words: number[], width: number, height: number): number[] {
  const target = new Uint8Array(yuvBytes(width, height));
  convertToYuv(Uint32Array.from(words), width, height, { left: 0, top: 0, right: width, bottom: height }, target);
  return [...target];
}

const plain = (word: number) => convert([word, word, word, word], 2, 2).slice(3);

test('the colours of BT.709 bars', () => {
  // ITU-R BT.709-6, 8 bits: white, black, and the primaries at full amplitude, in the nearest integers.
  assert.deepEqual(plain(rgbx(255, 255, 255)), [235, 128, 128]);
  assert.deepEqual(plain(rgbx(0, 0, 0)), [16, 128, 128]);
  assert.deepEqual(plain(rgbx(255, 0, 0)), [63, 102, 240]);
  assert.deepEqual(plain(rgbx(0, 255, 0)), [173, 42, 26]);
  assert.deepEqual(plain(rgbx(0, 0, 255)), [32, 240, 118]);
});

test('luma for each pixel, chroma from the mean of four', () => {
  const [black, white] = [rgbx(0, 0, 0), rgbx(255, 255, 255)];
  assert.deepEqual(convert([black, white, white, black], 2, 2), [16, 235, 235, 16, 128, 128]);
  assert.deepEqual(convert([rgbx(255, 0, 0), black, black, black], 2, 2).slice(4), [122, 156]);
});

test('only the area changes', () => {
  const target = new Uint8Array(yuvBytes(4, 4));
  convertToYuv(new Uint32Array(16).fill(rgbx(255, 255, 255)), 4, 4, { left: 2, top: 2, right: 4, bottom: 4 }, target);
  const changed = [...target.keys()].filter((i) => target[i] !== 0);
  assert.deepEqual(changed, [10, 11, 14, 15, 16 + 3, 20 + 3]);
});
