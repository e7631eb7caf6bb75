import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SealAnswerHead, SealHead } from './chunk-processor.ts';
import { ServiceError } from './errors.ts';
import { decodeSealAnswer, decodeSealRequest, encodeSealAnswer, encodeSealRequest } from './seal-message.ts';

const head: SealHead = {
  session_id: '019aa000-0000-7000-8000-000000000000',
  stream: 'screen',
  recipient: 'age1x',
  level: 3,
  next_index: { screen: 2, keyframes: 1 },
  stored_bytes: { all: 100, keyframes: 10 },
  activity: [{ second: 4, keys: 1, clicks: 0 }],
};

const answerHead: SealAnswerHead = {
  chunks: [3, 2].map((bytes) => ({
    stream: 'screen',
    compression: 'zst',
    bytes,
    sha256: '0'.repeat(64),
    first_us: 0,
    last_us: 1,
    records: 1,
    plain_bytes: 9,
  })),
  decoded_bytes: 7,
  undecodable_bytes: 0,
};

test('a request keeps head, state and records that came in parts', () => {
  const parts = [Uint8Array.of(1, 2), Uint8Array.of(3)];
  const read = decodeSealRequest(encodeSealRequest(head, Uint8Array.of(9), parts));
  assert.deepEqual(read, { head, state: Uint8Array.of(9), records: Uint8Array.of(1, 2, 3) });
});

test('an answer keeps its chunks apart', () => {
  const chunks = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)];
  const read = decodeSealAnswer(encodeSealAnswer({ head: answerHead, state: new Uint8Array(0), chunks }));
  assert.deepEqual(read.chunks, chunks);
  assert.throws(
    () => decodeSealAnswer(encodeSealAnswer({ head: answerHead, state: new Uint8Array(0), chunks: [chunks[0]] })),
    /chunks: 3 bytes, the head says 5/,
  );
});

test('a head of another form is named', () => {
  const wrong = { ...head, level: 'high' } as unknown as SealHead;
  assert.throws(() => decodeSealRequest(encodeSealRequest(wrong, new Uint8Array(0), [])), /head\/level/);
});

test('whatever bytes come, the reader answers or refuses', () => {
  const whole = encodeSealRequest(head, new Uint8Array(40), [new Uint8Array(50)]);
  const damaged = fc
    .tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(whole.length))
    .map(([at, value, end]) => whole.with(at, value).subarray(0, end));
  const check = (read: (bytes: Uint8Array) => unknown) => (bytes: Uint8Array) => {
    try {
      read(bytes);
    } catch (error) {
      assert.ok(error instanceof ServiceError, String(error));
    }
  };
  for (const bytes of [damaged, fc.uint8Array({ maxLength: 200 })]) {
    fc.assert(fc.property(bytes, check(decodeSealRequest)));
    fc.assert(fc.property(bytes, check(decodeSealAnswer)));
  }
});
