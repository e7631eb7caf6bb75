import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { encodeBitmap } from '../codec/bitmap-encoder.ts';
import { RGB332_PALETTE } from '../codec/pack-pixels.ts';
import { type BitsPerPixel, fromRgb565, OPAQUE, rgbx, toRgb565 } from '../codec/pixel.ts';
import { writeDemandActive } from '../pdu/active.ts';
import { BitmapFlag, writeBitmapUpdate } from '../pdu/bitmap-update.ts';
import { capability } from '../pdu/capability-set.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '../pdu/fast-path-output.ts';
import { writeDomainPdu } from '../pdu/mcs-domain.ts';
import { writePaletteUpdate } from '../pdu/palette-update.ts';
import { fastPathPointer, type PointerUpdate, writePointerPdu } from '../pdu/pointer-update.ts';
import { ShareControlType, writeShareControl } from '../pdu/share-control.ts';
import { ShareDataType, writeShareData } from '../pdu/share-data.ts';
import { drawText, fill } from './painter.ts';
import type { Rectangle } from './rectangle.ts';
import { rectangle } from './rectangle.ts';
import { Screen } from './screen.ts';
import { ScreenDecoder } from './screen-decoder.ts';

const slow = (payload: Uint8Array) =>
  writeDomainPdu({ kind: 'sendDataIndication', initiator: 1002, channelId: 1003, payload });
const update = (body: Uint8Array) => slow(writeShareData(0x103ea, 1002, ShareDataType.update, body));
const demandActive = (width: number, height: number, depth: number) =>
  slow(
    writeDemandActive({
      shareId: 0x103ea,
      sourceDescriptor: Uint8Array.of(82, 68, 80, 0),
      capabilitySets: [
        capability('bitmap', { desktopWidth: width, desktopHeight: height, preferredBitsPerPixel: depth }),
      ],
      rest: new Uint8Array(4),
    }),
  );

/** A screen with something on it. */
function painted(width: number, height: number): Screen {
  const screen = new Screen(width, height);
  fill(screen, screen.bounds, rgbx(20, 60, 90));
  fill(screen, rectangle(5, 5, 30, 20), rgbx(250, 250, 250));
  drawText(screen, 8, 8, 'Lucid', rgbx(0, 0, 0));
  return screen;
}

/** A bitmap update that shows part of a screen, padded as xrdp pads it. */
function bitmapUpdate(screen: Screen, area: Rectangle, depth: BitsPerPixel): Uint8Array {
  const columns = area.right - area.left;
  const rows = area.bottom - area.top;
  const width = (columns + 3) & ~3;
  const wide = new Uint32Array(width * rows).fill(rgbx(255, 0, 255));
  for (let y = 0; y < rows; y++) {
    const from = (area.top + y) * screen.width + area.left;
    wide.set(screen.words.subarray(from, from + columns), y * width);
  }
  return writeBitmapUpdate([
    {
      left: area.left,
      top: area.top,
      right: area.right - 1,
      bottom: area.bottom - 1,
      width,
      height: rows,
      bitsPerPixel: depth,
      flags: BitmapFlag.compressed | BitmapFlag.noCompressionHeader,
      data: encodeBitmap(wide, width, 0, 0, width, rows, depth),
    },
  ]);
}

const quantised = (screen: Screen) => screen.words.map((word) => fromRgb565(toRgb565(word)));

test('a desktop is shown over both paths, padding cropped, dirty rectangles told', () => {
  const screen = painted(50, 40);
  const dirty: Rectangle[] = [];
  const decoder = new ScreenDecoder();
  decoder.listener = { dirty: (area) => dirty.push(area) };
  decoder.apply(demandActive(50, 40, 16));
  assert.deepEqual([decoder.width, decoder.height, decoder.depth], [50, 40, 16]);
  decoder.apply(update(bitmapUpdate(screen, rectangle(0, 0, 50, 20), 16)));
  for (const frame of writeFastPathUpdate(
    FastPathUpdateCode.bitmap,
    bitmapUpdate(screen, rectangle(0, 20, 50, 20), 16),
    40,
  )) {
    decoder.apply(frame);
  }
  assert.deepEqual(decoder.screen.words, quantised(screen));
  assert.deepEqual(dirty, [rectangle(0, 0, 50, 20), rectangle(0, 20, 50, 20)]);
  assert.equal(decoder.undecodableBytes, 0);
  assert.equal(decoder.lastError, null);
});

test('a new Demand Active of another size blackens the screen, of the same size keeps it', () => {
  const sizes: number[][] = [];
  const decoder = new ScreenDecoder(50, 40, 32);
  decoder.listener = { resized: (...size) => sizes.push(size) };
  const screen = painted(50, 40);
  decoder.apply(update(bitmapUpdate(screen, screen.bounds, 32)));
  decoder.apply(slow(writeShareControl(ShareControlType.deactivateAll, 1002, new Uint8Array(0))));
  decoder.apply(demandActive(50, 40, 32));
  assert.deepEqual(decoder.screen.words, screen.words);
  decoder.apply(demandActive(60, 30, 32));
  assert.deepEqual(sizes, [[60, 30]]);
  assert.ok(decoder.screen.words.every((word) => word === OPAQUE));
  assert.equal(decoder.undecodableBytes, 0);
});

test('a config of a size that cannot be changes nothing', () => {
  const decoder = new ScreenDecoder(8, 8);
  decoder.configure({ width: 0, height: 70_000, depth: 32, codecs: {} });
  assert.deepEqual([decoder.width, decoder.height], [8, 8]);
  assert.match(decoder.lastError!.message, /0 x 70000/);
});

test('8-bit pixels take the palette of the time', () => {
  const screen = new Screen(8, 8);
  fill(screen, screen.bounds, RGB332_PALETTE[0x5a]);
  const colors = Uint8Array.from({ length: 768 }, (_, i) => RGB332_PALETTE[Math.floor(i / 3)] >> (8 * (i % 3)));
  const decoder = new ScreenDecoder(8, 8, 8);
  decoder.apply(update(writePaletteUpdate(colors)));
  decoder.apply(update(bitmapUpdate(screen, screen.bounds, 8)));
  assert.deepEqual(decoder.screen.words, screen.words);
});

test('what is not of the profile counts as undecodable and the rest is applied', () => {
  const screen = painted(50, 40);
  const decoder = new ScreenDecoder(50, 40, 32);
  const orders = writeFastPathUpdate(FastPathUpdateCode.orders, Uint8Array.of(1, 0, 9, 9))[0];
  decoder.apply(orders);
  assert.equal(decoder.undecodableBytes, 4);
  assert.match(decoder.lastError!.message, /orders: were not announced/);
  const whole = bitmapUpdate(screen, screen.bounds, 32);
  const broken = whole.slice();
  broken[20]--;
  decoder.apply(update(broken));
  assert.ok(decoder.undecodableBytes > 4);
  const lost = decoder.undecodableBytes;
  decoder.apply(update(whole));
  assert.equal(decoder.undecodableBytes, lost);
  assert.deepEqual(decoder.screen.words, screen.words);
});

test('licensing and set-up PDUs are ignored, not undecodable', () => {
  const decoder = new ScreenDecoder(8, 8);
  const license = slow(Uint8Array.of(0x80, 0, 0, 0, 0xff, 3, 16, 0, 7, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0));
  const synchronize = slow(writeShareData(0x103ea, 1002, ShareDataType.synchronize, Uint8Array.of(1, 0, 0, 0)));
  const ultimatum = writeDomainPdu({ kind: 'disconnectProviderUltimatum', reason: 3 });
  for (const pdu of [license, synchronize, ultimatum]) decoder.apply(pdu);
  assert.equal(decoder.undecodableBytes, 0);
  assert.ok(decoder.counts.ignored > 30);
});

const pointers: PointerUpdate[] = [
  {
    kind: 'shape',
    cacheIndex: 3,
    hotX: 1,
    hotY: 1,
    width: 2,
    height: 1,
    bitsPerPixel: 24,
    xorMask: Uint8Array.of(1, 2, 3, 255, 255, 255),
    andMask: Uint8Array.of(0x40, 0),
    large: false,
  },
  { kind: 'default' },
  { kind: 'cached', cacheIndex: 3 },
  { kind: 'position', x: 7, y: 9 },
];

test('pointers over both paths leave the pixels alone', () => {
  for (const path of ['slow', 'fast']) {
    const decoder = new ScreenDecoder(8, 8);
    let changes = 0;
    decoder.listener = { pointerChanged: () => changes++ };
    for (const pointer of pointers) {
      const { code, data } = fastPathPointer(pointer);
      const fast = writeFastPathUpdate(code, data)[0];
      decoder.apply(
        path === 'fast' ? fast : slow(writeShareData(1, 1002, ShareDataType.pointer, writePointerPdu(pointer))),
      );
    }
    assert.equal(changes, 4);
    assert.equal(decoder.pointer.shown, 3);
    assert.deepEqual(decoder.pointer.position, { x: 7, y: 9 });
    assert.deepEqual([...decoder.pointer.image!.words], [rgbx(3, 2, 1), 0xffffff]);
    assert.ok(decoder.screen.words.every((word) => word === OPAQUE));
    assert.equal(decoder.undecodableBytes, 0);
  }
});

test('a saved decoder goes on as the original, also within a fragmented update', () => {
  const screen = painted(50, 40);
  const pdus = [
    demandActive(50, 40, 16),
    update(bitmapUpdate(screen, rectangle(0, 0, 50, 11), 16)),
    ...pointers.map((pointer) => {
      const { code, data } = fastPathPointer(pointer);
      return writeFastPathUpdate(code, data)[0];
    }),
    ...writeFastPathUpdate(FastPathUpdateCode.bitmap, bitmapUpdate(screen, screen.bounds, 16), 60),
  ];
  const whole = new ScreenDecoder();
  for (const pdu of pdus) whole.apply(pdu);
  for (const withPixels of [true, false]) {
    let moved = new ScreenDecoder();
    for (const pdu of pdus) {
      moved.apply(pdu);
      const state = moved.save(withPixels);
      const pixels = moved.pixels;
      moved = ScreenDecoder.restore(state, withPixels ? undefined : pixels);
    }
    assert.deepEqual(moved.save(), whole.save());
    assert.deepEqual(moved.pixels, whole.pixels);
  }
  assert.throws(() => ScreenDecoder.restore(whole.save(false)), /pixels: are not in the state/);
  assert.throws(() => ScreenDecoder.restore(whole.save(false), new Uint8Array(4)), DecodeError);
});

test('states that were changed are refused or restored, never worse', () => {
  const decoder = new ScreenDecoder(3, 2);
  for (const pointer of pointers) {
    const { code, data } = fastPathPointer(pointer);
    decoder.apply(writeFastPathUpdate(code, data)[0]);
  }
  const good = decoder.save();
  const changed = fc
    .tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(good.length))
    .map(([changes, length]) => {
      const bytes = good.slice(0, length > good.length - 20 ? good.length : length);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 2000 })), (bytes) => {
      try {
        ScreenDecoder.restore(bytes);
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('random and mutated PDUs never throw, never lose count', () => {
  const screen = painted(50, 40);
  const good = [
    demandActive(50, 40, 24),
    ...([8, 15, 16, 24, 32] as const).map((depth) => update(bitmapUpdate(screen, screen.bounds, depth))),
    ...writeFastPathUpdate(FastPathUpdateCode.bitmap, bitmapUpdate(screen, screen.bounds, 32), 100),
    ...pointers.map((pointer) => slow(writeShareData(1, 1002, ShareDataType.pointer, writePointerPdu(pointer)))),
  ];
  const mutated = fc
    .tuple(fc.constantFrom(...good), fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 5 }))
    .map(([pdu, changes]) => {
      const bytes = pdu.slice();
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes;
    });
  fc.assert(
    fc.property(fc.array(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), { maxLength: 12 }), (pdus) => {
      const decoder = new ScreenDecoder(50, 40, 16);
      for (const pdu of pdus) decoder.apply(pdu);
      const { decoded, ignored, undecodable } = decoder.counts;
      assert.equal(
        decoded + ignored + undecodable,
        pdus.reduce((sum, pdu) => sum + pdu.length, 0),
      );
    }),
    { numRuns: 1000 },
  );
});
