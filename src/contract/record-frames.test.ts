import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc, { type Arbitrary } from 'fast-check';
import {
  decodeGatewayFrame,
  decodeRecorderFrame,
  encodeGatewayFrame,
  encodeRecorderFrame,
  encodeRecords,
  FrameError,
  type GatewayFrame,
  type RecorderFrame,
} from './record-frames.ts';

const writer = fc.nat(0xffff_ffff);
const id = fc.uuid();
const number = fc.maxSafeNat();
/** Records as the readers make them: with a prototype. */
const record = <T>(model: { [K in keyof T]: Arbitrary<T[K]> }) => fc.record(model, { noNullPrototype: true });
const words = fc.string({ maxLength: 300, unit: 'binary' });

test('gateway messages are read as they were written', () => {
  const attach = record({ kind: fc.constant('attach' as const), writer, session: id, connection: id });
  const close = record({ kind: fc.constant('close' as const), writer });
  fc.assert(
    fc.property(fc.oneof(attach, close), (frame) =>
      assert.deepEqual(decodeGatewayFrame(encodeGatewayFrame(frame)), frame as GatewayFrame),
    ),
  );
});

test('records keep type, time and body, and are numbered from the first', () => {
  const newRecord = record({
    type: fc.constantFrom(0x01, 0x02, 0x10, 0x20),
    flags: fc.constant(0),
    timeUs: number,
    body: fc.uint8Array(),
  });
  fc.assert(
    fc.property(writer, fc.nat(), fc.array(newRecord), (writer, first, records) => {
      const read = decodeGatewayFrame(encodeRecords(writer, first, records));
      assert.ok(read.kind === 'records' && read.writer === writer);
      assert.deepEqual(
        read.records.map(({ type, flags, time, seq, body }) => ({ type, flags, timeUs: time, seq, body })),
        records.map((record, i) => ({ ...record, seq: first + i })),
      );
    }),
  );
});

test('recorder messages are read as they were written', () => {
  const frame = fc.oneof(
    record({ kind: fc.constant('attached' as const), writer, nowUs: number }),
    record({ kind: fc.constant('acknowledged' as const), writer, number }),
    record({ kind: fc.constant('failed' as const), writer, reason: words }),
    record({ kind: fc.constant('closed' as const), writer }),
    record({
      kind: fc.constant('refused' as const),
      writer,
      code: fc.constant('conflict' as const),
      message: words,
    }),
  );
  fc.assert(
    fc.property(frame, (frame) =>
      assert.deepEqual(decodeRecorderFrame(encodeRecorderFrame(frame)), frame as RecorderFrame),
    ),
  );
});

test('whatever bytes come, the readers answer or refuse', () => {
  const records = encodeRecords(1, 0, [{ type: 2, flags: 0, timeUs: 5, body: new Uint8Array(30) }]);
  const damaged = fc
    .tuple(fc.nat(records.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(records.length))
    .map(([at, value, end]) => records.with(at, value).subarray(0, end));
  const check = (read: (bytes: Uint8Array) => unknown) => (bytes: Uint8Array) => {
    try {
      read(bytes);
    } catch (error) {
      assert.ok(error instanceof FrameError, String(error));
    }
  };
  for (const bytes of [damaged, fc.uint8Array({ maxLength: 100 })]) {
    fc.assert(fc.property(bytes, check(decodeGatewayFrame)));
    fc.assert(fc.property(bytes, check(decodeRecorderFrame)));
  }
});
