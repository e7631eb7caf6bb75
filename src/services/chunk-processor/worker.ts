/** A sealing thread: takes one request at a time and answers it. */
import { parentPort } from 'node:worker_threads';
import { ServiceError } from '#contract/errors.ts';
import { decodeSealRequest, encodeSealAnswer } from '#contract/seal-message.ts';
import { FormatError } from '#evidence/format-error.ts';
import { serveSeal } from './serve-seal.ts';

/** What the pool sends. */
export interface SealJob {
  /** A seal request. */
  readonly request: Uint8Array;
  /** From 1 up: how often it has been given to a thread. */
  readonly attempt: number;
  /** False where decoding may have brought threads down. */
  readonly decode: boolean;
}

/** What a thread sends back: an answer with its figures, or why the request cannot be served. */
export type SealResult =
  | {
      readonly answer: Uint8Array<ArrayBuffer>;
      readonly chunks: number;
      readonly plain: number;
      readonly stored: number;
    }
  | { readonly refusal: string };

parentPort?.on('message', (job: SealJob) => {
  const result = serve(job);
  parentPort?.postMessage(result, 'answer' in result ? [result.answer.buffer] : []);
});

function serve({ request, decode }: SealJob): SealResult {
  try {
    const sealed = serveSeal(decodeSealRequest(request), { decode });
    const { chunks } = sealed.head;
    const sum = (of: (chunk: (typeof chunks)[number]) => number) =>
      chunks.reduce((total, chunk) => total + of(chunk), 0);
    return {
      answer: encodeSealAnswer(sealed),
      chunks: chunks.length,
      plain: sum((chunk) => chunk.plain_bytes),
      stored: sum((chunk) => chunk.bytes),
    };
  } catch (error) {
    if (error instanceof FormatError || error instanceof ServiceError) return { refusal: error.message };
    throw error;
  }
}
