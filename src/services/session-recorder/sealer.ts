import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import { decodeSealBatchAnswer, encodeSealBatch, MAX_BATCH_ITEMS } from '#contract/seal-batch.ts';
import { decodeSealAnswer, type SealAnswer } from '#contract/seal-message.ts';

/** Requests up to this size go together with others; larger ones by themselves, without a copy. */
const SMALL_REQUEST_BYTES = 256 * 1024;
/** The most bytes of a batch, and batches under way at a time. */
const BATCH_BYTES = 8 * 1024 * 1024;
const BATCHES = 2;

interface Waiting {
  readonly request: Uint8Array;
  readonly resolve: (answer: SealAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Has runs sealed by the chunk processor. Small ones of all recordings share requests: a batch takes all that has come while
 * the ones before it were under way, so there is no timer, and the more there is to do, the larger batches get.
 */
export class Sealer {
  readonly #processor: Peers['chunk-processor'];
  #waiting: Waiting[] = [];
  #underWay = 0;
  #isScheduled = false;

  constructor(processor: Peers['chunk-processor']) {
    this.#processor = processor;
  }

  /** @throws ServiceError as the route `seal` */
  async seal(request: Uint8Array): Promise<SealAnswer> {
    if (request.length > SMALL_REQUEST_BYTES) return decodeSealAnswer(await this.#processor.seal({ body: request }));
    const { promise, resolve, reject } = Promise.withResolvers<SealAnswer>();
    this.#waiting.push({ request, resolve, reject });
    this.#schedule();
    return promise;
  }

  /** In a turn of its own, so that a batch takes all that comes in this one. */
  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      while (this.#underWay < BATCHES && this.#waiting.length > 0) this.#send(this.#take());
    });
  }

  #take(): Waiting[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ request }, i) => {
      bytes += request.length;
      return i === MAX_BATCH_ITEMS || bytes > BATCH_BYTES;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    this.#underWay++;
    try {
      const body = encodeSealBatch(batch.map(({ request }) => request));
      const answers = decodeSealBatchAnswer(await this.#processor.sealBatch({ body }), batch.length);
      for (const [i, { resolve, reject }] of batch.entries()) {
        const answer = answers[i];
        if (answer instanceof ServiceError) reject(answer);
        // Copied: a view would keep the whole batch in memory until the last of it is stored.
        else resolve(decodeSealAnswer(answer.slice()));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#underWay--;
      this.#schedule();
    }
  }
}
