import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SealAnswerHead, SealHead } from './chunk-processor.ts';
import { ServiceError } from './errors.ts';
import { decodeSealBatch, decodeSealBatchAnswer, encodeSealBatch, encodeSealBatchAnswer } from './seal-batch.ts';
import { decodeSealAnswer, decodeSealRequest, encodeSealRequest, SealAnswerWriter } from './seal-message.ts';

const head: SealHead = {
  session_id: '019aa000-0000-7000-8000-000000000000',
  stream: 'screen',
  recipient: 'age1x',
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

/** An answer with chunks and state of these bytes. */
function answer(chunks: readonly Uint8Array[], state: Uint8Array): Uint8Array {
  const writer = new SealAnswerWriter(
    chunks.map(({ length }) => length),
    state,
  );
  for (const [i, chunk] of chunks.entries()) writer.places[i].set(chunk);
  return writer.finish(answerHead);
}

test('an answer keeps its chunks and the state apart', () => {
  const chunks = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)];
  const state = Uint8Array.of(7, 8);
  assert.deepEqual(decodeSealAnswer(answer(chunks, state)), { head: answerHead, state, chunks });
  assert.throws(() => decodeSealAnswer(answer([chunks[0]], state)), /chunks: 3 bytes, the head says 5/);
});

test('a batch keeps its requests apart, and its answers from its refusals', () => {
  const requests = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)];
  assert.deepEqual(decodeSealBatch(encodeSealBatch(requests)), requests);
  const refusal = new ServiceError('invalid_request', 'record.header: truncated');
  const [sealed, refused] = decodeSealBatchAnswer(encodeSealBatchAnswer([requests[0], refusal]), 2);
  assert.deepEqual(sealed, requests[0]);
  assert.ok(refused instanceof ServiceError);
  assert.deepEqual([refused.code, refused.message], ['invalid_request', 'record.header: truncated']);
  assert.throws(() => decodeSealBatchAnswer(encodeSealBatchAnswer([]), 1), /0 items, wanted 1/);
});

test('a head of another form is named', () => {
  const wrong = { ...head, recipient: 7 } as unknown as SealHead;
  assert.throws(() => decodeSealRequest(encodeSealRequest(wrong, new Uint8Array(0), [])), /head\/recipient/);
});

test('whatever bytes come, the readers answer or refuse', () => {
  const check = (read: (bytes: Uint8Array) => unknown) => (bytes: Uint8Array) => {
    try {
      read(bytes);
    } catch (error) {
      assert.ok(error instanceof ServiceError, String(error));
    }
  };
  const request = encodeSealRequest(head, new Uint8Array(40), [new Uint8Array(50)]);
  const sealed = answer([new Uint8Array(3), new Uint8Array(2)], new Uint8Array(4));
  const readers: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
    [request, decodeSealRequest],
    [sealed, decodeSealAnswer],
    [encodeSealBatch([request, request]), decodeSealBatch],
    [encodeSealBatchAnswer([sealed, new ServiceError('internal', 'no')]), (bytes) => decodeSealBatchAnswer(bytes, 2)],
  ];
  for (const [whole, read] of readers) {
    const damaged = fc
      .tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(whole.length))
      .map(([at, value, end]) => whole.with(at, value).subarray(0, end));
    fc.assert(fc.property(damaged, check(read)));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check(read)));
  }
});
