import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { ERROR_STATUS, type ErrorCode, ServiceError } from './errors.ts';
import { liveCloseOf, liveErrorOf } from './live-close.ts';
import { decodeLiveFrame, encodeLiveFrame, type LiveFrame, LiveFrameError } from './live-frames.ts';
import { LivePicture } from './live-picture.ts';

const image = { width: 2, height: 1, hotX: 1, hotY: 0, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
const frame: LiveFrame = {
  number: 0,
  timeUs: 2 ** 40,
  seq: 77,
  width: 4,
  height: 3,
  isWhole: true,
  isExact: true,
  rectangles: [
    { left: 0, top: 0, width: 4, height: 2 },
    { left: 3, top: 2, width: 1, height: 1 },
  ],
  pointer: { shown: 'shape', position: { x: 3, y: 2 }, image },
  deflated: Uint8Array.from(deflateRawSync(Uint8Array.from({ length: 36 }, (_, i) => (i % 4 === 3 ? 255 : i)))),
};

describe('frames of a live view', () => {
  test('come back as they were written', () => {
    for (const changes of [
      {},
      { isWhole: false, isExact: false, pointer: null },
      { pointer: { shown: 'hidden', position: null, image: null } as const, rectangles: [] },
    ]) {
      assert.deepEqual(decodeLiveFrame(encodeLiveFrame({ ...frame, ...changes })), { ...frame, ...changes });
    }
  });

  test('have the bytes that docs/live-view.md says', () => {
    const bytes = encodeLiveFrame({ ...frame, deflated: new Uint8Array(0) });
    const expected =
      '01 07 0200 00000000 0000000000010000 4d00000000000000 0400 0300 0000 0000 0400 0200 0300 0200 0100 0100 ' +
      '02 01 0300 0200 0200 0100 0100 0000 01020304 05060708';
    assert.equal(Buffer.from(bytes).toString('hex'), expected.replaceAll(' ', ''));
  });

  test('whatever the bytes are, they are read or refused with the field named', () => {
    const whole = encodeLiveFrame(frame);
    const altered = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }).map((changes) => {
      const bytes = whole.slice();
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
    const cut = fc.tuple(altered, fc.nat(whole.length)).map(([bytes, length]) => bytes.subarray(0, length));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), altered, cut), (bytes) => {
        try {
          const { width, height, rectangles } = decodeLiveFrame(bytes);
          for (const { left, top, width: w, height: h } of rectangles) {
            assert.ok(w > 0 && h > 0 && left + w <= width && top + h <= height);
          }
        } catch (error) {
          assert.ok(error instanceof LiveFrameError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a live picture', () => {
  test('is painted by rectangles, on black where a frame begins anew', async () => {
    const picture = new LivePicture();
    await picture.apply(frame);
    assert.deepEqual([picture.width, picture.height, picture.seq, picture.isExact], [4, 3, 77, true]);
    assert.deepEqual([...picture.pixels.subarray(0, 8)], [0, 1, 2, 255, 4, 5, 6, 255]);
    assert.deepEqual([...picture.pixels.subarray(32)], [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 32, 33, 34, 255]);
    assert.deepEqual(picture.pointer, frame.pointer);
    const patch = { ...frame, number: 1, isWhole: false, pointer: null, rectangles: [frame.rectangles[1]] };
    await picture.apply({ ...patch, deflated: deflateRawSync(Uint8Array.of(9, 8, 7, 255)) });
    assert.deepEqual([...picture.pixels.subarray(44)], [9, 8, 7, 255]);
    assert.equal(picture.pixels[1], 1);
  });

  test('takes no frame that is missing one before it, is of another size, or has other pixels than it says', async () => {
    const picture = new LivePicture();
    await picture.apply(frame);
    const refused: [Partial<LiveFrame>, RegExp][] = [
      [{ number: 2 }, /number: 2, wanted 1/],
      [{ number: 0 }, /number: 0, wanted 1/],
      [{ width: 5, isWhole: false }, /size: 5 × 3/],
      [{ deflated: deflateRawSync(new Uint8Array(35)) }, /pixels: 35 bytes, wanted 36/],
      [{ deflated: deflateRawSync(new Uint8Array(1 << 20)) }, /pixels: more than 36/],
      [{ deflated: Uint8Array.of(7, 7, 7) }, /pixels: cannot be inflated/],
      [{ deflated: frame.deflated.subarray(0, -2) }, /pixels/],
    ];
    const before = picture.pixels.slice();
    for (const [changes, words] of refused) {
      await assert.rejects(picture.apply({ ...frame, number: 1, ...changes }), (error: Error) => {
        assert.ok(error instanceof LiveFrameError, String(error));
        assert.match(error.message, words);
        return true;
      });
    }
    assert.deepEqual(picture.pixels, before);
    await picture.apply({ ...frame, number: 1 });
  });
});

test('a close of a live view carries an error there and back, its words cut where they do not fit', () => {
  for (const code of Object.keys(ERROR_STATUS) as ErrorCode[]) {
    const { code: number, reason } = liveCloseOf(new ServiceError(code, 'what is wrong'));
    assert.ok(number >= 4400 && number < 5000);
    const back = liveErrorOf(number, reason);
    assert.deepEqual([back?.code, back?.message], [code, 'what is wrong']);
  }
  assert.equal(liveErrorOf(1000, ''), null);
  assert.equal(liveErrorOf(1006, '')?.code, 'unavailable');
  assert.equal(liveErrorOf(4999, 'nonsense')?.code, 'unavailable');
  const { reason } = liveCloseOf(new ServiceError('conflict', '×'.repeat(200)));
  assert.ok(Buffer.byteLength(reason) <= 123 && Buffer.byteLength(reason) >= 121);
});
