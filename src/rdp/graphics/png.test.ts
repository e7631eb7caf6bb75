import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { rgbx } from '../codec/pixel.ts';
import { crc32 } from './crc32.ts';
import { drawText, fill } from './painter.ts';
import { openPng, type Picture, pngPixels, readPng, writePng } from './png.ts';
import { rectangle } from './rectangle.ts';
import { Screen } from './screen.ts';
import { shrink } from './thumbnail.ts';

const deflate = (bytes: Uint8Array) => zlib.deflateSync(bytes);
const inflate = (bytes: Uint8Array, limit: number) => zlib.inflateSync(bytes, { maxOutputLength: limit });

const picture = (width: number, height: number, random: () => number): Picture => ({
  width,
  height,
  pixels: Uint8Array.from({ length: width * height * 4 }, (_, i) => ((i & 3) === 3 ? 255 : random())),
});
const pictures = fc
  .record({ width: fc.integer({ min: 1, max: 20 }), height: fc.integer({ min: 1, max: 9 }), seed: fc.nat() })
  .map(({ width, height, seed }) => {
    let state = seed;
    return picture(width, height, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return seed & 1 ? state >>> 24 : (state >>> 30) * 80;
    });
  });

test('pictures come back', () => {
  fc.assert(fc.property(pictures, (one) => assert.deepEqual(readPng(writePng(one, deflate), inflate), one)));
});

test('a screen of text is small (1.2 MB raw)', () => {
  const screen = new Screen(640, 480);
  fill(screen, screen.bounds, rgbx(30, 30, 60));
  for (let y = 0; y < 480; y += 13)
    drawText(screen, 0, y, 'The quick brown fox jumps over the lazy dog. '.repeat(2), rgbx(240, 240, 240));
  const file = writePng({ width: 640, height: 480, pixels: screen.pixels }, deflate);
  assert.ok(file.length < 16_000, `${file.length} bytes`);
});

const hasConvert = (() => {
  try {
    execFileSync('convert', ['-version']);
    return true;
  } catch {
    return false;
  }
})();

test('ImageMagick reads what is written, and is read, alpha or not', { skip: !hasConvert && 'no ImageMagick' }, () => {
  const one = picture(17, 9, () => Math.random() * 256);
  const file = writePng(one, deflate);
  const rgba = execFileSync('convert', ['png:-', '-depth', '8', 'rgba:-'], { input: file });
  assert.deepEqual(new Uint8Array(rgba), one.pixels);
  for (const format of ['png24', 'png32']) {
    for (const quality of [90, 91, 92, 93, 94, 95]) {
      const input = execFileSync('convert', ['png:-', '-quality', `${quality}`, `${format}:-`], { input: file });
      assert.deepEqual(readPng(input, inflate), one);
    }
  }
  const grey = execFileSync('convert', ['png:-', '-colorspace', 'gray', '-depth', '16', 'png:-'], { input: file });
  assert.throws(() => readPng(grey, inflate), /16-bit grey/);
});

test('all filters are undone', () => {
  const width = 2;
  const opened = { width, height: 5, channels: 3, compressed: new Uint8Array(), scanlineBytes: 35 } as const;
  const lines = Uint8Array.of(
    ...[0, 10, 20, 30, 40, 50, 60],
    ...[1, 10, 20, 30, 1, 2, 3],
    ...[2, 1, 1, 1, 255, 255, 255],
    ...[3, 5, 5, 5, 5, 5, 5],
    ...[4, 1, 2, 3, 4, 5, 6],
  );
  assert.deepEqual(
    [...pngPixels(opened, lines).pixels].filter((_, i) => i % 4 !== 3),
    [
      ...[10, 20, 30, 40, 50, 60],
      ...[10, 20, 30, 11, 22, 33],
      ...[11, 21, 31, 10, 21, 32],
      ...[10, 15, 20, 15, 23, 31],
      ...[11, 17, 23, 19, 28, 37],
    ],
  );
  assert.throws(() => pngPixels(opened, lines.with(7, 5)), /filter type: 5/);
});

test('damage and what is not read are refused in words', () => {
  const file = writePng({ width: 2, height: 1, pixels: new Uint8Array(8).fill(255) }, deflate);
  assert.throws(() => readPng(file.with(0, 0), inflate), /signature/);
  assert.throws(() => readPng(file.with(45, file[45] ^ 1), inflate), /IDAT: has a wrong CRC/);
  assert.throws(() => readPng(file.subarray(0, 40), inflate), DecodeError);
  const bomb = writePng({ width: 2, height: 1, pixels: new Uint8Array(8) }, () =>
    zlib.deflateSync(new Uint8Array(1e7)),
  );
  assert.throws(() => readPng(bomb, inflate), /IDAT: cannot be inflated/);
});

test('random and mutated files are read or refused', () => {
  const file = writePng(
    picture(3, 3, () => 77),
    deflate,
  );
  const mutated = fc
    .tuple(fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 3 }), fc.boolean())
    .map(([changes, fixCrc]) => {
      const bytes = file.slice();
      for (const [at, value] of changes) bytes[at] = value;
      // Damage that a checksum hides must be survived too.
      if (fixCrc) new DataView(bytes.buffer).setUint32(29, crc32(bytes.subarray(12, 29)));
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 100 })), (bytes) => {
      try {
        const opened = openPng(bytes);
        if (opened.scanlineBytes < 1e6) readPng(bytes, inflate);
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('a thumbnail is the mean of its pixels', () => {
  const screen = new Screen(400, 200);
  fill(screen, rectangle(0, 0, 200, 200), rgbx(200, 100, 0));
  const small = shrink({ width: 400, height: 200, pixels: screen.pixels }, 3, 100);
  assert.deepEqual([small.width, small.height], [3, 2]);
  assert.deepEqual([...small.pixels.subarray(0, 12)], [200, 100, 0, 255, 101, 50, 0, 255, 0, 0, 0, 255]);
  assert.equal(shrink(small, 3, 2), small);
});
