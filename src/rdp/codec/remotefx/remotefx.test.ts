import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../../bytes.ts';
import { drawText, fill } from '../../graphics/painter.ts';
import { type Rectangle, rectangle } from '../../graphics/rectangle.ts';
import { Screen } from '../../graphics/screen.ts';
import { rgbx } from '../pixel.ts';
import { forwardDwt } from './forward-dwt.ts';
import { inverseDwt } from './inverse-dwt.ts';
import { RemoteFxDecoder } from './remotefx-decoder.ts';
import { DEFAULT_QUANT, FINEST_QUANT, RemoteFxEncoder } from './remotefx-encoder.ts';
import { decodeRlgr, EntropyAlgorithm } from './rlgr.ts';
import { encodeRlgr } from './rlgr-encoder.ts';

const algorithms = Object.values(EntropyAlgorithm);
const WIDTH = 150;
const HEIGHT = 100;

/** A desktop whose tiles are cut off at the right and at the bottom. */
function desktop(): Screen {
  const screen = new Screen(WIDTH, HEIGHT);
  fill(screen, screen.bounds, rgbx(40, 70, 110));
  fill(screen, rectangle(20, 10, 100, 60), rgbx(245, 245, 240));
  drawText(screen, 24, 14, 'RemoteFX', rgbx(10, 10, 10));
  fill(screen, rectangle(130, 80, 20, 20), rgbx(220, 30, 30));
  return screen;
}

/** What a decoder shows of a message on a screen, and the tiles that it painted. */
function show(decoder: RemoteFxDecoder, screen: Screen, message: Uint8Array): number {
  let tiles = 0;
  decoder.decode(message, (words, left, top, region) => {
    tiles++;
    for (const part of region) screen.blit(words, 64, rectangle(left, top, 64, 64), part);
  });
  return tiles;
}

function greatestDifference(a: Screen, b: Screen): number {
  return a.pixels.reduce((most, value, i) => Math.max(most, Math.abs(value - b.pixels[i])), 0);
}

for (const algorithm of algorithms) {
  test(`RLGR${algorithm === 1 ? 1 : 3}: coefficients come back`, () => {
    const value = fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 4, arbitrary: fc.integer({ min: -3, max: 3 }) },
      { weight: 1, arbitrary: fc.integer({ min: -4096, max: 4096 }) },
    );
    const run = fc.tuple(value, fc.integer({ min: 1, max: 60 })).map(([v, n]) => new Array<number>(n).fill(v));
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 60 }), fc.nat(3), (runs, shift) => {
        const coefficients = Int16Array.from(runs.flat());
        const encoded = encodeRlgr(algorithm, coefficients);
        const within = new Uint8Array(encoded.length + shift + 2).fill(0x5a);
        within.set(encoded, shift);
        const out = new Int16Array(coefficients.length);
        decodeRlgr(algorithm, within, shift, shift + encoded.length, out);
        assert.deepEqual(out, coefficients);
      }),
      { numRuns: 200 },
    );
  });

  for (const imageMode of [false, true]) {
    test(`RLGR${algorithm === 1 ? 1 : 3}, ${imageMode ? 'image' : 'video'} mode: frames come back`, () => {
      const source = desktop();
      const encoder = new RemoteFxEncoder(WIDTH, HEIGHT, {
        entropyAlgorithm: algorithm,
        imageMode,
        quant: FINEST_QUANT,
      });
      const decoder = new RemoteFxDecoder();
      const shown = new Screen(WIDTH, HEIGHT);
      const first = encoder.encode(source.words, WIDTH, [source.bounds]);
      assert.equal(show(decoder, shown, first), 6);
      assert.ok(greatestDifference(source, shown) <= 6);
      fill(source, rectangle(70, 70, 10, 10), rgbx(0, 200, 0));
      const second = encoder.encode(source.words, WIDTH, [rectangle(70, 70, 10, 10)]);
      assert.equal(show(decoder, shown, second), 1);
      assert.ok(greatestDifference(source, shown) <= 6);
      const afresh = () => show(new RemoteFxDecoder(), shown, second);
      if (imageMode) assert.equal(afresh(), 1);
      else assert.throws(afresh, /TS_RFX_CONTEXT/);
      const resumed = new RemoteFxDecoder();
      resumed.context = decoder.context;
      assert.equal(show(resumed, shown, second), 1);
    });
  }
}

test('only the region is shown', () => {
  const source = desktop();
  const encoder = new RemoteFxEncoder(WIDTH, HEIGHT, { entropyAlgorithm: 1, imageMode: true });
  const shown = new Screen(WIDTH, HEIGHT);
  const region = [rectangle(60, 20, 10, 5), rectangle(100, 80, 3, 3)];
  show(new RemoteFxDecoder(), shown, encoder.encode(source.words, WIDTH, region));
  const inRegion = (x: number, y: number) =>
    region.some((r) => x >= r.left && x < r.right && y >= r.top && y < r.bottom);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++)
      assert.equal(shown.words[y * WIDTH + x] !== rgbx(0, 0, 0), inRegion(x, y), `${x}, ${y}`);
  }
});

test('a region without rectangles is the whole channel', () => {
  const encoder = new RemoteFxEncoder(WIDTH, HEIGHT, { entropyAlgorithm: 1, imageMode: true });
  const message = encoder.encode(desktop().words, WIDTH, [rectangle(0, 0, WIDTH, HEIGHT)]);
  const regionAt = message.findIndex((_, i) => message[i] === 0xc6 && message[i + 1] === 0xcc);
  message[regionAt + 9] = 0;
  const regions: (readonly Rectangle[])[] = [];
  new RemoteFxDecoder().decode(message, (_words, _left, _top, region) => regions.push(region));
  assert.deepEqual(regions[0], [rectangle(0, 0, WIDTH, HEIGHT)]);
});

test('the wavelet transform comes back but for the bits that high-pass coefficients lose', () => {
  fc.assert(
    // Amplitudes whose low-pass coefficients, up to 1.5 times the samples in each direction and level, fit 16 bits
    fc.property(fc.nat(), fc.integer({ min: 1, max: 2800 }), (seed, amplitude) => {
      let noise = seed;
      const samples = Int16Array.from({ length: 4096 }, () => {
        noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
        return Math.floor((noise / 2 ** 32) * (2 * amplitude + 1)) - amplitude;
      });
      const bands = samples.slice();
      forwardDwt(bands);
      inverseDwt(bands, new Int16Array(4096));
      // Each level adds at most 5: 1 in each row, then 1 in each column, where the high-pass rows' error counts thrice
      const worst = samples.reduce((most, sample, i) => Math.max(most, Math.abs(sample - bands[i])), 0);
      assert.ok(worst <= 15, `${worst}`);
    }),
    { numRuns: 50 },
  );
});

test('hostile messages throw DecodeError or paint: they do nothing else', () => {
  const source = desktop();
  const messages = algorithms.flatMap((entropyAlgorithm) => {
    const encoder = new RemoteFxEncoder(WIDTH, HEIGHT, { entropyAlgorithm, imageMode: true, quant: DEFAULT_QUANT });
    return [
      encoder.encode(source.words, WIDTH, [source.bounds]),
      encoder.encode(source.words, WIDTH, [rectangle(3, 3, 9, 9)]),
    ];
  });
  const mutations = fc.array(fc.tuple(fc.nat(20_000), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom(...messages), mutations, fc.nat(20_000), (message, changes, cut) => {
      const bytes = message.slice(0, cut < message.length ? cut : undefined);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      tryToShow(bytes);
    }),
    { numRuns: 300 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), tryToShow), { numRuns: 300 });
});

function tryToShow(bytes: Uint8Array): void {
  try {
    show(new RemoteFxDecoder(), new Screen(WIDTH, HEIGHT), bytes);
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error));
  }
}

test('more tiles in more rectangles than any desktop has are refused', () => {
  const source = desktop();
  const encoder = new RemoteFxEncoder(WIDTH, HEIGHT, { entropyAlgorithm: 1, imageMode: true });
  const region = new Array<Rectangle>(65_535).fill(rectangle(0, 0, 1, 1));
  const message = encoder.encode(source.words, WIDTH, region);
  const tileSet = message.findLastIndex((_, i) => message[i] === 0xc2 && message[i + 1] === 0xca);
  // One tile of 23 bytes, 65 times
  assert.ok(tileSet > 0);
  const many = withTiles(message, tileSet, 65);
  assert.throws(() => show(new RemoteFxDecoder(), new Screen(WIDTH, HEIGHT), many), /numTiles/);
});

/** The message with its only tile set replaced by one of `count` copies of a tile that is nothing but padding. */
function withTiles(message: Uint8Array, tileSet: number, count: number): Uint8Array {
  const tile = Uint8Array.of(0xc3, 0xca, 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0);
  const head = message.slice(0, tileSet + 19);
  const view = new DataView(head.buffer);
  view.setUint32(tileSet - 6, 27 + tile.length * count, true);
  view.setUint16(tileSet + 8, count, true);
  const bytes = new Uint8Array(head.length + tile.length * count);
  bytes.set(head);
  for (let i = 0; i < count; i++) bytes.set(tile, head.length + i * tile.length);
  return bytes;
}
