import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeNsCodec } from '../codec/nscodec-encoder.ts';
import { rgbx, swapRedBlue } from '../codec/pixel.ts';
import { RemoteFxEncoder } from '../codec/remotefx/remotefx-encoder.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '../pdu/fast-path-output.ts';
import {
  FrameAction,
  type SurfaceBits,
  type SurfaceCommand,
  SurfaceCommandType,
  writeSurfaceCommands,
} from '../pdu/surface-commands.ts';
import { drawText, fill } from './painter.ts';
import { type Rectangle, rectangle } from './rectangle.ts';
import { Screen } from './screen.ts';
import { ScreenDecoder } from './screen-decoder.ts';

const WIDTH = 100;
const HEIGHT = 80;
const codecs = { 1: 'nscodec', 3: 'remotefx', 4: 'image-remotefx', 7: 'h264', x: 'nscodec', '-1': 'nscodec' };

function desktop(): Screen {
  const screen = new Screen(WIDTH, HEIGHT);
  fill(screen, screen.bounds, rgbx(60, 60, 60));
  drawText(screen, 4, 4, 'surface', rgbx(200, 200, 200));
  return screen;
}

function decoderOf(): ScreenDecoder {
  const decoder = new ScreenDecoder();
  decoder.configure({ width: WIDTH, height: HEIGHT, depth: 32, codecs });
  return decoder;
}

function bits(codecId: number, area: Rectangle, data: Uint8Array): SurfaceBits {
  const { left, top, right, bottom } = area;
  const [width, height] = [right - left, bottom - top];
  const type = SurfaceCommandType.streamSurfaceBits;
  return { kind: 'bits', type, left, top, right, bottom, bitsPerPixel: 32, codecId, width, height, data };
}

function send(decoder: ScreenDecoder, ...commands: SurfaceCommand[]): void {
  const data = writeSurfaceCommands(commands);
  for (const pdu of writeFastPathUpdate(FastPathUpdateCode.surfaceCommands, data, 900)) decoder.apply(pdu);
}

const remoteFx = (options = { imageMode: false }) =>
  new RemoteFxEncoder(WIDTH, HEIGHT, { entropyAlgorithm: 4, ...options });

/** The picture bottom row first. */
function upsideDown({ words, width, height }: Screen): Uint32Array {
  return words.map((_, i) => words[(height - 1 - Math.floor(i / width)) * width + (i % width)]);
}

function near(a: Screen, b: Screen, most: number): boolean {
  return a.pixels.every((value, i) => Math.abs(value - b.pixels[i]) <= most);
}

test('RemoteFX, NSCodec and uncompressed bitmaps are shown, each under its announced number', () => {
  const source = desktop();
  const whole = source.bounds;
  const nscodec = encodeNsCodec(upsideDown(source), WIDTH, HEIGHT, { colorLossLevel: 1, isSubsampled: false });
  const cases: [SurfaceBits, number][] = [
    [bits(3, whole, remoteFx().encode(source.words, WIDTH, [whole])), 12],
    [bits(4, whole, remoteFx({ imageMode: true }).encode(source.words, WIDTH, [whole])), 12],
    [bits(1, whole, nscodec), 4],
  ];
  for (const [command, most] of cases) {
    const decoder = decoderOf();
    send(decoder, command);
    assert.ok(near(source, decoder.screen, most), `codec ${command.codecId}`);
    assert.equal(decoder.undecodableBytes, 0);
  }
  const decoder = decoderOf();
  fill(source, rectangle(50, 40, 20, 20), rgbx(60, 120, 250));
  send(decoder, bits(0, whole, new Uint8Array(upsideDown(source).map(swapRedBlue).buffer)));
  assert.deepEqual(decoder.screen.words, source.words);
});

test('frames that end are told with their numbers, once all before them is painted', () => {
  const source = desktop();
  const decoder = decoderOf();
  const told: (number | string)[] = [];
  decoder.listener = { dirty: () => told.push('dirty'), frameEnded: (id) => told.push(id) };
  const part = rectangle(0, 0, 10, 10);
  send(
    decoder,
    { kind: 'frameMarker', action: FrameAction.begin, frameId: 5 },
    bits(3, source.bounds, remoteFx().encode(source.words, WIDTH, [part])),
    { kind: 'frameMarker', action: FrameAction.end, frameId: 5 },
  );
  assert.deepEqual(told, ['dirty', 5]);
});

test('a command paints relative to its place; what lies outside the desktop is cut off', () => {
  const source = desktop();
  const decoder = decoderOf();
  const areas: Rectangle[] = [];
  decoder.listener = { dirty: (area) => areas.push(area) };
  const message = remoteFx().encode(source.words, WIDTH, [source.bounds]);
  send(decoder, bits(3, rectangle(90, 70, WIDTH, HEIGHT), message));
  assert.deepEqual(areas, [rectangle(90, 70, 10, 10)]);
  assert.equal(decoder.undecodableBytes, 0);
});

test('a decoder that goes on elsewhere knows codecs and headers', () => {
  const source = desktop();
  const encoder = remoteFx();
  const first = decoderOf();
  send(first, bits(3, source.bounds, encoder.encode(source.words, WIDTH, [source.bounds])));
  fill(source, rectangle(30, 30, 20, 20), rgbx(250, 120, 10));
  const second = bits(3, source.bounds, encoder.encode(source.words, WIDTH, [rectangle(30, 30, 20, 20)]));
  const resumed = ScreenDecoder.restore(first.save(false), first.pixels);
  assert.deepEqual(resumed.save(), first.save());
  for (const decoder of [first, resumed]) send(decoder, second);
  assert.deepEqual(resumed.screen.words, first.screen.words);
  assert.ok(near(source, resumed.screen, 12));
  assert.equal(resumed.undecodableBytes, 0);
});

test('what cannot be decoded is counted, and the commands after it are painted', () => {
  const source = desktop();
  const whole = source.bounds;
  const good = bits(3, whole, remoteFx().encode(source.words, WIDTH, [whole]));
  const bad: [SurfaceBits, RegExp][] = [
    [bits(9, whole, new Uint8Array(50)), /codecID: 9 was not announced/],
    [bits(7, whole, new Uint8Array(50)), /codecID: 7 was not announced/],
    [bits(1, whole, new Uint8Array(50)), /ColorLossLevel/],
    [bits(0, whole, new Uint8Array(50)), /uncompressed|bitmapData|data/i],
    [{ ...bits(0, whole, new Uint8Array(50)), bitsPerPixel: 16 }, /bpp/],
    [bits(1, rectangle(0, 0, 60_000, 60_000), new Uint8Array(50)), /larger than the desktop/],
    [bits(4, whole, good.data.subarray(0, 60)), /block|TS_RFX|blockLen/],
  ];
  for (const [command, reason] of bad) {
    const decoder = decoderOf();
    send(decoder, command, good);
    assert.match(String(decoder.lastError), reason);
    assert.equal(decoder.undecodableBytes, command.data.length);
    assert.ok(near(source, decoder.screen, 12));
  }
});

test('hostile commands never throw and never paint outside', () => {
  const source = desktop();
  const messages = [
    bits(3, source.bounds, remoteFx().encode(source.words, WIDTH, [source.bounds])),
    bits(1, source.bounds, encodeNsCodec(source.words, WIDTH, HEIGHT, { colorLossLevel: 3, isSubsampled: true })),
  ];
  const changes = fc.array(fc.tuple(fc.nat(6000), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...messages), changes, (message, list) => {
      const data = writeSurfaceCommands([message]).slice();
      for (const [at, value] of list) data[at % data.length] = value;
      const decoder = decoderOf();
      decoder.listener = {
        dirty: ({ left, top, right, bottom }) => assert.ok(left >= 0 && top >= 0 && right <= WIDTH && bottom <= HEIGHT),
      };
      for (const pdu of writeFastPathUpdate(FastPathUpdateCode.surfaceCommands, data)) decoder.apply(pdu);
      ScreenDecoder.restore(decoder.save());
    }),
    { numRuns: 300 },
  );
});
