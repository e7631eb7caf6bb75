import { Worker } from 'node:worker_threads';
import { ServiceError } from '#contract/errors.ts';
import type { Log } from '#platform/log.ts';
import type { SealJob, SealResult } from './worker.ts';

/** A run of 64 MiB takes a second or two; a thread that works on one this long hangs. */
const JOB_TIMEOUT_MS = 120_000;
/** JavaScript heap of a thread; buffers, which hold the run, are outside of it. */
const HEAP_MB = 256;
/** Times that a job may bring its thread down: the second time it is tried again as it is, the third without decoding. */
const MAX_ATTEMPTS = 3;

export interface PoolOptions {
  readonly workers: number;
  /** Runs, and bytes of them, that may wait. */
  readonly queueLimit: number;
  readonly queueBytes: number;
  readonly log: Log;
  /** The thread's program. */
  readonly program?: URL;
}

interface Task {
  readonly request: Uint8Array;
  attempt: number;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Threads that seal runs, started when they are first needed. A thread that dies or hangs is replaced and its job tried
 * again. Memory: what waits is bounded by `queueBytes`; a busy thread takes its run twice (here, for another try, and
 * there), the chunk, zstd's window (16 MiB and its tables) and the decoder's screen: about four times the run.
 */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #queue: Task[] = [];
  #queuedBytes = 0;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task>();
  #closed = false;
  /** Why the last run could not be sealed; null once one has been. */
  trouble: string | null = null;
  readonly totals = { chunks: 0, plainBytes: 0, storedBytes: 0, crashes: 0 };

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get isFull(): boolean {
    const { queueLimit, queueBytes } = this.#options;
    return this.#queue.length >= queueLimit || this.#queuedBytes >= queueBytes;
  }

  /**
   * Seals a run.
   * @param request a seal request, which must not be changed until it is answered
   * @throws ServiceError `unavailable` when the queue is full, `invalid_request` when the run does not hold together,
   *   `internal` when it brings every thread down
   */
  async seal(request: Uint8Array): Promise<Uint8Array> {
    if (this.#closed) throw new ServiceError('unavailable', 'the chunk processor stops');
    if (this.isFull) throw new ServiceError('unavailable', `${this.queued} runs wait to be sealed already: come again`);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#queue.push({ request, attempt: 0, resolve, reject });
    this.#queuedBytes += request.length;
    this.#next();
    return promise;
  }

  /** Refuses what waits, and ends the threads once what they work on is done or `deadlineMs` have passed. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    for (const task of this.#queue.splice(0)) task.reject(new ServiceError('unavailable', 'the chunk processor stops'));
    const deadline = performance.now() + deadlineMs;
    while (this.#busy.size > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    await Promise.all([...this.#idle, ...this.#busy.keys()].map((worker) => worker.terminate()));
  }

  #next(): void {
    if (this.#queue.length === 0) return;
    const worker = this.#idle.pop() ?? (this.#busy.size < this.#options.workers ? this.#start() : null);
    if (!worker) return;
    const task = this.#queue.shift()!;
    this.#queuedBytes -= task.request.length;
    this.#run(worker, task);
  }

  #start(): Worker {
    const worker = new Worker(this.#options.program ?? new URL('./worker.ts', import.meta.url), {
      name: 'seal',
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    // A thread that waits for work keeps nobody from leaving, and may die without taking this one along.
    worker.unref();
    worker.on('error', () => {});
    worker.once('exit', () => {
      const at = this.#idle.indexOf(worker);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return worker;
  }

  #run(worker: Worker, task: Task): void {
    task.attempt++;
    this.#busy.set(worker, task);
    worker.ref();
    const timer = setTimeout(() => worker.terminate(), JOB_TIMEOUT_MS);
    let cause: Error | null = null;
    const onError = (error: Error) => {
      cause = error;
    };
    const onExit = (code: number) => {
      done();
      this.#retry(task, cause ?? new Error(`the thread ended with code ${code}`));
    };
    const onMessage = (result: SealResult) => {
      done();
      worker.unref();
      this.#idle.push(worker);
      this.#answer(task, result);
      this.#next();
    };
    const done = () => {
      clearTimeout(timer);
      this.#busy.delete(worker);
      worker.off('error', onError);
      worker.off('exit', onExit);
      worker.off('message', onMessage);
    };
    worker.on('error', onError);
    worker.on('exit', onExit);
    worker.on('message', onMessage);
    const { attempt } = task;
    const job: SealJob = { request: ownBytes(task.request), attempt, decode: attempt < MAX_ATTEMPTS };
    worker.postMessage(job);
  }

  #answer(task: Task, result: SealResult): void {
    if ('refusal' in result) {
      task.reject(new ServiceError('invalid_request', result.refusal));
      return;
    }
    this.trouble = null;
    this.totals.chunks += result.chunks;
    this.totals.plainBytes += result.plain;
    this.totals.storedBytes += result.stored;
    task.resolve(result.answer);
  }

  #retry(task: Task, cause: Error): void {
    this.totals.crashes++;
    const again = task.attempt < MAX_ATTEMPTS && !this.#closed;
    this.#options.log.error({ err: cause, attempt: task.attempt, again }, 'a sealing thread died');
    if (again) {
      this.#queue.unshift(task);
      this.#queuedBytes += task.request.length;
    } else {
      this.trouble = `a run could not be sealed: ${cause.message}`;
      task.reject(new ServiceError('internal', this.trouble));
    }
    this.#next();
  }
}

/** Bytes in memory of their own: what is posted takes the whole memory that it is a view of with it. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}
