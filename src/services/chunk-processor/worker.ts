/** A sealing thread: takes one job at a time and answers it. */
import { parentPort } from 'node:worker_threads';
import { ServiceError } from '#contract/errors.ts';
import { decodeSealRequest } from '#contract/seal-message.ts';
import { FormatError } from '#evidence/format-error.ts';
import { type SealOptions, type Stage, serveSeal } from './serve-seal.ts';

/** What the pool sends. */
export interface SealJob extends SealOptions {
  /** Seal requests, in memory that both sides see. */
  readonly requests: readonly Uint8Array[];
  /** From 1 up: how often they have been given to a thread. */
  readonly attempt: number;
}

/** What came of one request: an answer with its figures, or why the request cannot be served. */
export type SealResult =
  | {
      readonly answer: Uint8Array<ArrayBuffer>;
      readonly chunks: readonly SealedSize[];
      readonly stagesMs: Readonly<Record<Stage, number>>;
    }
  | { readonly refusal: string };

/** What statistics keep of a chunk. */
export interface SealedSize {
  readonly plain: number;
  readonly stored: number;
  readonly isRaw: boolean;
}

parentPort?.on('message', ({ requests, decode, level }: SealJob) => {
  const results = requests.map((request) => serve(request, { decode, level }));
  const memory = results.flatMap((result) => ('answer' in result ? [result.answer.buffer] : []));
  parentPort?.postMessage(results, memory);
});

function serve(request: Uint8Array, options: SealOptions): SealResult {
  try {
    const { answer, chunks, stagesMs } = serveSeal(decodeSealRequest(request), options);
    const sizes = chunks.map(({ plain_bytes, bytes, compression }) => {
      return { plain: plain_bytes, stored: bytes, isRaw: compression === 'raw' };
    });
    return { answer, chunks: sizes, stagesMs };
  } catch (error) {
    if (error instanceof FormatError || error instanceof ServiceError) return { refusal: error.message };
    throw error;
  }
}
