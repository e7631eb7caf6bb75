import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError, Writer } from '../bytes.ts';
import { NsCodecDecoder } from './nscodec.ts';
import { encodeNsCodec } from './nscodec-encoder.ts';
import { OPAQUE, rgbx } from './pixel.ts';

const decoder = new NsCodecDecoder();

/** A stream of these planes. */
function stream(planes: number[][], colorLossLevel = 1, subsampling = 0): Uint8Array {
  const writer = new Writer();
  for (const plane of planes) writer.u32(plane.length);
  writer.u8(colorLossLevel).u8(subsampling).u16(0);
  for (const plane of planes) writer.raw(Uint8Array.from(plane));
  return writer.finish();
}

const channels = (word: number) => [word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff];

test('raw planes: luma, orange and green chroma become red, green and blue', () => {
  // Y 100, Co 10, Cg -5: R = Y + Co - Cg, G = Y + Cg, B = Y - Co - Cg
  const words = decoder.decode(stream([[100], [10], [251], []]), 1, 1);
  assert.deepEqual(channels(words[0]), [115, 95, 95]);
});

test('an absent plane is all 0xff', () => {
  const [word] = decoder.decode(stream([[], [0], [0], []]), 1, 1);
  assert.equal(word, rgbx(255, 255, 255));
});

test('run-length encoding: literals, short and long runs, four raw bytes at the end', () => {
  const flat = new Array<number>(400).fill(0);
  const luma = [7, 9, 9, 1, 5, 5, 0xff, 134, 1, 0, 0, 8, 1, 2, 3, 4];
  const values = [7, 9, 9, 9, ...new Array<number>(390).fill(5), 8, 1, 2, 3, 4];
  assert.equal(values.length, 399);
  const words = decoder.decode(stream([luma, flat.slice(1), flat.slice(1), []]), 399, 1);
  assert.deepEqual(
    [...words].map((word) => word & 0xff),
    values,
  );
});

test('colour loss scales chroma, which wraps at eight bits', () => {
  const words = decoder.decode(stream([[100, 100], [3, 40], [0, 0], []], 3), 2, 1);
  assert.deepEqual(channels(words[0]), [112, 100, 88]);
  assert.deepEqual(channels(words[1]), [4, 100, 196], '40 << 2 is -96');
});

test('subsampled chroma serves four pixels; rows of luma are padded to eight', () => {
  const luma = [1, 2, 3, 0, 0, 0, 0, 0, 11, 12, 13, 0, 0, 0, 0, 0, 21, 22, 23, 0, 0, 0, 0, 0];
  const orange = [10, 20, 0, 0, 30, 40, 0, 0];
  const green = new Array<number>(8).fill(0);
  const words = decoder.decode(stream([luma, orange, green, []], 1, 1), 3, 3);
  assert.deepEqual(
    [...words].map((word) => word & 0xff),
    [11, 12, 23, 21, 22, 33, 51, 52, 63],
  );
});

const picture = fc
  .record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 12 }), seed: fc.nat() })
  .map(({ width, height, seed }) => {
    let noise = seed;
    const words = new Uint32Array(width * height);
    for (let at = 0; at < words.length; ) {
      noise = (Math.imul(noise, 1103515245) + 12345) >>> 0;
      const run = 1 + ((noise >> 24) & 15);
      words.fill(OPAQUE | (noise & 0xffffff), at, at + run);
      at += run;
    }
    return { width, height, words };
  });

test('pictures come back but for the bits that the transform drops', () => {
  fc.assert(
    fc.property(picture, ({ width, height, words }) => {
      const shown = decoder.decode(
        encodeNsCodec(words, width, height, { colorLossLevel: 1, isSubsampled: false }),
        width,
        height,
      );
      const differences = [...words].flatMap((word, i) =>
        channels(word).map((v, c) => Math.abs(v - channels(shown[i])[c])),
      );
      assert.ok(Math.max(...differences) <= 5);
    }),
    { numRuns: 200 },
  );
});

test('hostile streams throw DecodeError or decode', () => {
  const attempt = (bytes: Uint8Array, width: number, height: number) => {
    try {
      assert.equal(decoder.decode(bytes, width, height).length, width * height);
    } catch (error) {
      assert.ok(error instanceof DecodeError, String(error));
    }
  };
  const changes = fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(picture, changes, fc.boolean(), fc.nat(1500), ({ width, height, words }, list, isSubsampled, cut) => {
      const bytes = encodeNsCodec(words, width, height, { colorLossLevel: 3, isSubsampled }).slice(0, cut);
      for (const [at, value] of list) if (bytes.length > 0) bytes[at % bytes.length] = value;
      attempt(bytes, width, height);
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => attempt(bytes, 5, 5)),
    { numRuns: 300 },
  );
});
