import { Worker } from 'node:worker_threads';
import type { SealStatus } from '#contract/chunk-processor.ts';
import type { SealJob, SealResult } from './worker.ts';

/** A run of 64 MiB takes a second or two; a thread that works on one this long hangs. */
const JOB_TIMEOUT_MS = 120_000;
/** JavaScript heap of a thread; buffers, which hold the run, are outside of it. */
const HEAP_MB = 256;
const PROGRAM = new URL('./worker.ts', import.meta.url);

/** One sealing thread, seen from outside: does one job at a time. */
export class SealThread {
  readonly #worker: Worker;
  readonly #startedAt = performance.now();
  #job: PromiseWithResolvers<SealResult[]> | null = null;
  /** What it threw. */
  #cause: Error | null = null;
  #isOver = false;
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;
  readonly #totals = { runs: 0, plain_bytes: 0, busy_ms: 0 };

  constructor(program: URL = PROGRAM) {
    this.#worker = new Worker(program, {
      name: 'seal',
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    // A thread that waits for work keeps nobody from leaving, and may die without taking this one along.
    this.#worker.unref();
    this.#worker.on('error', (error) => {
      this.#cause = error as Error;
    });
    this.#worker.on('message', (results: SealResult[]) => this.#job?.resolve(results));
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#isOver = true;
        this.#job?.reject(this.#cause ?? new Error(`the thread ended with code ${code}`));
        resolve();
      });
    });
  }

  get isBusy(): boolean {
    return this.#job !== null;
  }

  /** It can do a job now. */
  get isFree(): boolean {
    return !this.isBusy && !this.#isOver && this.#cause === null;
  }

  get status(): SealStatus['threads'][number] {
    const { busy_ms } = this.#totals;
    return { busy: this.isBusy, ...this.#totals, busy_share: busy_ms / (performance.now() - this.#startedAt) };
  }

  /**
   * Does a job; not to be called while another is done.
   * @returns what came of each request
   * @throws what brought the thread down; it ends then
   */
  async run(job: SealJob): Promise<SealResult[]> {
    const started = performance.now();
    this.#job = Promise.withResolvers();
    this.#worker.ref();
    const timer = setTimeout(() => this.#worker.terminate(), JOB_TIMEOUT_MS);
    try {
      this.#worker.postMessage(job);
      return await this.#job.promise;
    } finally {
      clearTimeout(timer);
      this.#worker.unref();
      this.#job = null;
      this.#totals.runs += job.requests.length;
      this.#totals.plain_bytes += job.requests.reduce((sum, { length }) => sum + length, 0);
      this.#totals.busy_ms += performance.now() - started;
    }
  }

  /** Ends the thread once its job is done or `deadlineMs` have passed. */
  async close(deadlineMs: number): Promise<void> {
    const timer = setTimeout(() => this.#worker.terminate(), deadlineMs);
    await this.#job?.promise.catch(() => {});
    clearTimeout(timer);
    await this.#worker.terminate();
  }
}
