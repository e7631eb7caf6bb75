import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import { decodeSealBatch, encodeSealBatchAnswer } from '#contract/seal-batch.ts';
import { SealAnswerWriter } from '#contract/seal-message.ts';
import { Sealer } from './sealer.ts';

const KIB = 1024;

/** Answers with a state of the request's first byte; refuses a request that begins with 0. */
function answerTo(request: Uint8Array): Uint8Array | ServiceError {
  if (request[0] === 0) return new ServiceError('invalid_request', 'begins with 0');
  return new SealAnswerWriter([], request.subarray(0, 1)).finish({
    chunks: [],
    decoded_bytes: 0,
    undecodable_bytes: 0,
  });
}

/** A processor that answers when it is told to, and notes how many runs each call has brought. */
class Processor {
  readonly calls: number[] = [];
  readonly #held: (() => void)[] = [];
  readonly peer = {
    seal: async ({ body }: { body: Uint8Array }) => {
      await this.#hold(1);
      return answerTo(body) as Uint8Array;
    },
    sealBatch: async ({ body }: { body: Uint8Array }) => {
      const requests = decodeSealBatch(body);
      await this.#hold(requests.length);
      return encodeSealBatchAnswer(requests.map(answerTo));
    },
  } as unknown as Peers['chunk-processor'];

  async #hold(runs: number): Promise<void> {
    this.calls.push(runs);
    await new Promise<void>((resolve) => this.#held.push(resolve));
  }

  answer(): void {
    for (const resolve of this.#held.splice(0)) resolve();
  }
}

const small = (byte: number) => new Uint8Array(KIB).fill(byte);

test('small runs gather while batches are under way, and each gets its own answer', async () => {
  const processor = new Processor();
  const sealer = new Sealer(processor.peer);
  const answers = [];
  for (const byte of [1, 2, 3]) {
    answers.push(sealer.seal(small(byte)));
    await nextTurn();
  }
  for (const byte of [4, 5, 6]) answers.push(sealer.seal(small(byte)));
  await nextTurn();
  assert.deepEqual(processor.calls, [1, 1], 'two at a time');
  processor.answer();
  await Promise.all(answers.slice(0, 2));
  await nextTurn();
  assert.deepEqual(processor.calls, [1, 1, 4]);
  processor.answer();
  const states = (await Promise.all(answers)).map(({ state }) => state[0]);
  assert.deepEqual(states, [1, 2, 3, 4, 5, 6]);
});

test('a run that is refused does not keep the others of its batch', async () => {
  const processor = new Processor();
  const sealer = new Sealer(processor.peer);
  const results = Promise.allSettled([1, 0, 2].map((byte) => sealer.seal(small(byte))));
  await nextTurn();
  processor.answer();
  const [one, zero, two] = await results;
  assert.deepEqual(processor.calls, [3]);
  assert.ok(one.status === 'fulfilled' && two.status === 'fulfilled');
  assert.ok(zero.status === 'rejected' && zero.reason instanceof ServiceError);
  assert.equal(zero.reason.code, 'invalid_request');
});

test('a large run goes by itself, and a batch has a limit', async () => {
  const processor = new Processor();
  const sealer = new Sealer(processor.peer);
  const large = sealer.seal(new Uint8Array(257 * KIB).fill(9));
  assert.deepEqual(processor.calls, [1]);
  const others = Array.from({ length: 40 }, () => sealer.seal(new Uint8Array(256 * KIB).fill(8)));
  await nextTurn();
  assert.deepEqual(processor.calls, [1, 32, 8], '8 MiB a batch');
  processor.answer();
  assert.equal((await large).state[0], 9);
  await Promise.all(others);
});
