import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { FastPathUpdateCode } from './fast-path-output.ts';
import { readPaletteUpdate, writePaletteUpdate } from './palette-update.ts';
import {
  fastPathPointer,
  type PointerUpdate,
  readFastPathPointer,
  readPointerPdu,
  writePointerPdu,
} from './pointer-update.ts';

const updates: PointerUpdate[] = [
  { kind: 'hidden' },
  { kind: 'default' },
  { kind: 'position', x: 12, y: 700 },
  { kind: 'cached', cacheIndex: 3 },
  ...[false, true].map((large) => ({
    kind: 'shape' as const,
    cacheIndex: 7,
    hotX: 1,
    hotY: 2,
    width: 3,
    height: 2,
    bitsPerPixel: 32,
    xorMask: new Uint8Array(24).fill(9),
    andMask: new Uint8Array(4).fill(5),
    large,
  })),
];

test('pointer updates survive both paths', () => {
  for (const update of updates) {
    const { code, data } = fastPathPointer(update);
    assert.deepEqual(readFastPathPointer(code, data), update);
    assert.deepEqual(readPointerPdu(writePointerPdu(update)), update);
  }
});

test('a colour pointer has 24 bits and no depth field', () => {
  const data = Uint8Array.of(1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 2, 0, 4, 0, 0xaa, 0xbb, 0xcc, 0, 0x80, 0);
  const update = readFastPathPointer(FastPathUpdateCode.pointerColor, data);
  assert.equal(update?.kind, 'shape');
  assert.deepEqual(update.bitsPerPixel, 24);
  assert.deepEqual(update.andMask, Uint8Array.of(0x80, 0));
});

test('what is not a pointer update is null; a giant one is refused', () => {
  assert.equal(readFastPathPointer(FastPathUpdateCode.bitmap, new Uint8Array(9)), null);
  assert.equal(readPointerPdu(Uint8Array.of(99, 0, 0, 0)), null);
  const giant = { ...updates[4], width: 385 } as PointerUpdate;
  assert.throws(() => readPointerPdu(writePointerPdu(giant)), DecodeError);
});

test('a palette survives; another length is refused', () => {
  const colours = Uint8Array.from({ length: 768 }, (_, i) => i & 0xff);
  assert.deepEqual(readPaletteUpdate(writePaletteUpdate(colours)), colours);
  assert.throws(() => readPaletteUpdate(writePaletteUpdate(colours).subarray(0, 700)), DecodeError);
  assert.throws(() => writePaletteUpdate(new Uint8Array(3)), RangeError);
});

test('random pointer and palette bytes end in an update or a DecodeError', () => {
  fc.assert(
    fc.property(fc.nat(15), fc.uint8Array({ maxLength: 60 }), (code, bytes) => {
      for (const read of [
        () => readFastPathPointer(code, bytes),
        () => readPointerPdu(bytes),
        () => readPaletteUpdate(bytes),
      ])
        try {
          read();
        } catch (error) {
          assert.ok(error instanceof DecodeError);
        }
    }),
  );
});
