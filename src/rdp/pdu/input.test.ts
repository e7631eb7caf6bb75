import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { readFastPathInput, writeFastPathInput } from './fast-path-input.ts';
import { type InputEvent, readInputPdu, writeInputPdu } from './input.ts';

const u16 = () => fc.integer({ min: 0, max: 0xffff });
const i16 = () => fc.integer({ min: -0x8000, max: 0x7fff });
const plain = { noNullPrototype: true };
const key = { release: fc.boolean(), extended: fc.boolean(), extended1: fc.boolean(), code: fc.nat(255) };
const slowEvent: fc.Arbitrary<InputEvent> = fc.oneof(
  fc.record({ kind: fc.constant('scancode' as const), ...key }, plain),
  fc.record({ kind: fc.constant('unicode' as const), release: fc.boolean(), code: u16() }, plain),
  fc.record(
    { kind: fc.constantFrom('mouse' as const, 'extendedMouse' as const), flags: u16(), x: u16(), y: u16() },
    plain,
  ),
  fc.record({ kind: fc.constant('relativeMouse' as const), flags: u16(), dx: i16(), dy: i16() }, plain),
  fc.record({ kind: fc.constant('synchronize' as const), toggleFlags: fc.nat(15) }, plain),
);
const qoe = fc.record({ kind: fc.constant('qoeTimestamp' as const), timestamp: fc.nat() }, plain);

test('events survive the fast path', () => {
  const events = fc.array(fc.oneof(slowEvent, qoe), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(events, (given) => {
      assert.deepEqual(readFastPathInput(writeFastPathInput(given)), given);
    }),
  );
});

test('events survive the slow path, unknown ones too', () => {
  const unknown = { kind: 'unknown' as const, messageType: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  fc.assert(
    fc.property(fc.array(slowEvent, { maxLength: 40 }), (given) => {
      assert.deepEqual(readInputPdu(writeInputPdu([...given, unknown])), [...given, unknown]);
    }),
  );
});

test("the specification's fast-path mouse event", () => {
  // MS-RDPBCGR 4.5 describes the layout; FASTPATH_INPUT_EVENT_MOUSE, move to 26, 1
  const frame = Uint8Array.of(0x04, 0x09, 0x20, 0x00, 0x08, 0x1a, 0x00, 0x01, 0x00);
  assert.deepEqual(readFastPathInput(frame), [{ kind: 'mouse', flags: 0x0800, x: 26, y: 1 }]);
});

test('no event, too many events and what has no slow form are refused', () => {
  const event: InputEvent = { kind: 'qoeTimestamp', timestamp: 1 };
  assert.throws(() => writeFastPathInput([]), RangeError);
  assert.throws(() => writeFastPathInput(Array(256).fill(event)), RangeError);
  assert.throws(() => writeInputPdu([event]), RangeError);
  assert.throws(() => readFastPathInput(Uint8Array.of(0x04, 3, 0xe0)), { name: 'DecodeError', field: 'eventCode' });
});

test('random input ends in events or a DecodeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const read of [readFastPathInput, readInputPdu])
        try {
          read(bytes);
        } catch (error) {
          assert.ok(error instanceof DecodeError);
        }
    }),
  );
});
