import type { SealStatus } from '#contract/chunk-processor.ts';
import { ServiceError } from '#contract/errors.ts';
import type { Log } from '#platform/log.ts';
import type { LevelChooser } from './level-chooser.ts';
import { SealThread } from './seal-thread.ts';
import { SealStatistics } from './statistics.ts';
import type { SealResult } from './worker.ts';

/** Runs up to this size share a job with others, so that they do not pay a message and a wake-up each. */
const SMALL_RUN_BYTES = 256 * 1024;
/** The most bytes, and runs, of a shared job. */
const SHARED_JOB_BYTES = 2 * 1024 * 1024;
const SHARED_JOB_RUNS = 64;
/** Times that a run may bring its thread down: the second time it is tried by itself, the third without decoding. */
const MAX_ATTEMPTS = 3;

export interface PoolOptions {
  readonly workers: number;
  /** Runs, and bytes of them, that may wait. */
  readonly queueLimit: number;
  readonly queueBytes: number;
  readonly levels: LevelChooser;
  readonly log: Log;
  /** The thread's program. */
  readonly program?: URL;
}

interface Task {
  /** In memory that threads see too. */
  readonly request: Uint8Array;
  readonly since: number;
  attempt: number;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Threads that seal runs, started when they are first needed. A thread that dies or hangs is replaced and its runs tried
 * again. Memory: what waits is bounded by `queueBytes`; docs/sealing.md says what a busy thread takes.
 */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #queue: Task[] = [];
  #queuedBytes = 0;
  readonly #threads = new Set<SealThread>();
  #closed = false;
  /** Why the last run could not be sealed; null once one has been. */
  trouble: string | null = null;
  readonly statistics = new SealStatistics();

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

  get status(): SealStatus {
    const { workers, queueLimit, queueBytes } = this.#options;
    return {
      workers,
      queued: this.#queue.length,
      queued_bytes: this.#queuedBytes,
      queue_limit: queueLimit,
      queue_limit_bytes: queueBytes,
      ...this.statistics.totals,
      threads: [...this.#threads].map((thread) => thread.status),
    };
  }

  /**
   * Seals a run.
   * @param request a seal request, which must not be changed until it is answered; not copied where its memory is shared
   * @throws ServiceError `unavailable` when the queue is full, `invalid_request` when the run does not hold together,
   *   `internal` when it brings every thread down
   */
  async seal(request: Uint8Array): Promise<Uint8Array> {
    if (this.#closed) throw new ServiceError('unavailable', 'the chunk processor stops');
    if (this.isFull) throw new ServiceError('unavailable', `${this.queued} runs wait to be sealed already: come again`);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#queue.push({ request: shared(request), since: performance.now(), attempt: 0, resolve, reject });
    this.#queuedBytes += request.length;
    // In a turn of its own, so that small runs that come together are given to a thread together.
    queueMicrotask(() => this.#next());
    return promise;
  }

  /** Refuses what waits, and ends the threads once what they work on is done or `deadlineMs` have passed. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    for (const task of this.#queue.splice(0)) task.reject(new ServiceError('unavailable', 'the chunk processor stops'));
    this.#queuedBytes = 0;
    await Promise.all([...this.#threads].map((thread) => thread.close(deadlineMs)));
  }

  #next(): void {
    while (this.#queue.length > 0) {
      const thread = this.#freeThread();
      if (!thread) return;
      this.#run(thread, this.#takeJob());
    }
  }

  #freeThread(): SealThread | null {
    for (const thread of this.#threads) if (thread.isFree) return thread;
    if (this.#threads.size >= this.#options.workers) return null;
    const thread = new SealThread(this.#options.program);
    this.#threads.add(thread);
    thread.ended.then(() => this.#threads.delete(thread));
    return thread;
  }

  /** The next run; where it is small, others that wait with it: this thread's share of them. */
  #takeJob(): Task[] {
    const free = this.#options.workers - [...this.#threads].filter(({ isBusy }) => isBusy).length;
    const share = Math.min(SHARED_JOB_RUNS, Math.ceil(this.#queue.length / free));
    let bytes = this.#queue[0].request.length;
    let count = 1;
    if (mayShare(this.#queue[0])) {
      while (count < share && mayShare(this.#queue[count])) {
        bytes += this.#queue[count].request.length;
        if (bytes > SHARED_JOB_BYTES) break;
        count++;
      }
    }
    return this.#queue.splice(0, count);
  }

  async #run(thread: SealThread, tasks: readonly Task[]): Promise<void> {
    const { levels, workers } = this.#options;
    const level = levels.choose(this.#queuedBytes, workers);
    for (const task of tasks) {
      task.attempt++;
      this.#queuedBytes -= task.request.length;
    }
    const [{ attempt }] = tasks;
    const requests = tasks.map(({ request }) => request);
    const started = performance.now();
    this.statistics.jobs++;
    try {
      const results = await thread.run({ requests, attempt, decode: attempt < MAX_ATTEMPTS, level });
      for (const [i, task] of tasks.entries()) this.#answer(task, results[i], level, started - task.since);
    } catch (error) {
      this.#retry(tasks, error as Error);
    }
    this.#next();
  }

  #answer(task: Task, result: SealResult, level: number, waitMs: number): void {
    if ('refusal' in result) {
      task.reject(new ServiceError('invalid_request', result.refusal));
      return;
    }
    this.trouble = null;
    this.statistics.add(result, level, waitMs);
    this.#options.levels.learn(level, task.request.length, result.stagesMs.compress);
    task.resolve(result.answer);
  }

  #retry(tasks: readonly Task[], cause: Error): void {
    this.statistics.crashes++;
    const [{ attempt }] = tasks;
    const again = attempt < MAX_ATTEMPTS && !this.#closed;
    this.#options.log.error({ err: cause, attempt, runs: tasks.length, again }, 'a sealing thread died');
    if (again) {
      this.#queue.unshift(...tasks);
      for (const { request } of tasks) this.#queuedBytes += request.length;
    } else {
      this.trouble = `a run could not be sealed: ${cause.message}`;
      for (const task of tasks) task.reject(new ServiceError('internal', this.trouble));
    }
  }
}

/** Which of several runs has brought a thread down is not known: after that each goes by itself. */
function mayShare({ request, attempt }: Task): boolean {
  return request.length <= SMALL_RUN_BYTES && attempt === 0;
}

/** The same bytes in memory that threads see without a copy. */
function shared(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
