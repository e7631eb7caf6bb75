import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BitmapFlag, writeBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import { writeFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '#rdp/pdu/fast-path-output.ts';
import { type InputEvent, PointerFlag, writeInputPdu } from '#rdp/pdu/input.ts';
import { writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { ShareDataType, writeShareData } from '#rdp/pdu/share-data.ts';
import { handsOf } from './input-events.ts';
import { inspectPdu } from './inspect-pdu.ts';

function bitmaps(...rectangles: [width: number, height: number, bytes?: number][]): Uint8Array {
  return writeBitmapUpdate(
    rectangles.map(([width, height, bytes = 4]) => ({
      ...{ left: 10, top: 20, right: 10 + width - 1, bottom: 20 + height - 1 },
      ...{ width, height, bitsPerPixel: 32, flags: BitmapFlag.noCompressionHeader },
      data: new Uint8Array(bytes),
    })),
  );
}

const slowPath = (kind: 'sendDataIndication' | 'sendDataRequest', type: number, body: Uint8Array) =>
  writeDomainPdu({ kind, initiator: 1002, channelId: 1003, payload: writeShareData(1, 1002, type, body) });

test('painted pixels on both paths', () => {
  const body = bitmaps([64, 64], [2, 3]);
  const [fast] = writeFastPathUpdate(FastPathUpdateCode.bitmap, body);
  assert.deepEqual(inspectPdu(fast), { size: null, painted: 64 * 64 + 6 });
  const slow = slowPath('sendDataIndication', ShareDataType.update, body);
  assert.deepEqual(inspectPdu(slow), { size: null, painted: 64 * 64 + 6 });
});

test('what is cut into fragments may paint anything', () => {
  const [first] = writeFastPathUpdate(FastPathUpdateCode.bitmap, bitmaps([64, 64, 20_000]));
  assert.equal(inspectPdu(first).painted, Number.POSITIVE_INFINITY);
});

test('the pointer goes where the mouse does, on both paths', () => {
  const events: InputEvent[] = [
    { kind: 'mouse', flags: PointerFlag.move, x: 7, y: 8 },
    { kind: 'mouse', flags: PointerFlag.wheel | 120, x: 0, y: 0 },
  ];
  const wanted = { active: true, pointer: { x: 7, y: 8 } };
  assert.deepEqual(handsOf(writeFastPathInput(events)), wanted);
  const slow = slowPath('sendDataRequest', ShareDataType.input, writeInputPdu(events));
  assert.deepEqual(handsOf(slow), wanted);
});

test('keys are activity without a place; toggle keys told by the client are not', () => {
  const key: InputEvent = { kind: 'scancode', release: false, extended: false, extended1: false, code: 30 };
  assert.deepEqual(handsOf(writeFastPathInput([key])), { active: true, pointer: null });
  assert.deepEqual(handsOf(writeFastPathInput([{ kind: 'synchronize', toggleFlags: 2 }])), {
    active: false,
    pointer: null,
  });
});

test('noise is read as nothing, or as something: it never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      inspectPdu(noise);
      handsOf(noise);
    }),
  );
});
