import type { Priority } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { Log } from '#platform/log.ts';
import { PriorityQueue } from './priority-queue.ts';
import type { ProcessingErrors } from './processing-errors.ts';
import { isAllSealed } from './progress.ts';
import type { SessionStore } from './session-store.ts';

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 60_000;

export interface ProcessingOptions {
  store: SessionStore;
  errors: ProcessingErrors;
  recorder: Peers['session-recorder'];
  log: Log;
  workers: number;
  attempts: number;
  firstDelayMs?: number;
}

/** Where a session is in the queue. */
export interface QueuePosition {
  /** 1 is next; null: it is not in line. */
  place: number | null;
  running: boolean;
  /** Set when it failed, and is tried again at this time. */
  retryAt: string | null;
}

/**
 * Finishes sessions that have stopped: what is left of the recording is sealed and stored, and the close entry. A bounded
 * number at a time, the most urgent first, each tried again with growing delays. The count of attempts is in the database,
 * so that a restart goes on counting.
 */
export class ProcessingQueue {
  readonly #options: ProcessingOptions;
  readonly #queued = new PriorityQueue();
  readonly #running = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, { timer: NodeJS.Timeout; at: string }>();
  #stopped = false;

  constructor(options: ProcessingOptions) {
    this.#options = options;
  }

  get figures(): { queue: Record<Priority | 'waiting', number>; workers: { all: number; busy: number } } {
    return {
      queue: { ...this.#queued.sizes, waiting: this.#waiting.size },
      workers: { all: this.#options.workers, busy: this.#running.size },
    };
  }

  position(id: string): QueuePosition {
    const retryAt = this.#waiting.get(id)?.at ?? null;
    return { place: this.#queued.place(id), running: this.#running.has(id), retryAt };
  }

  /** Takes a session in state stopped or processing. One that is here already is not taken twice. */
  add(id: string, priority: Priority): void {
    if (this.#stopped || this.#running.has(id) || this.#waiting.has(id)) return;
    this.#queued.add(id, priority);
    this.#next();
  }

  /** Gives a session that waits in line another place there. */
  setPriority(id: string, priority: Priority): void {
    if (this.#queued.has(id)) this.#queued.add(id, priority);
  }

  /** Takes nothing more, and works through what it has, at most `deadlineMs`. The rest is taken up at the next start. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    const late = Promise.withResolvers<void>();
    const deadline = setTimeout(late.resolve, deadlineMs);
    await Promise.race([this.#drain(), late.promise]);
    clearTimeout(deadline);
    this.#queued.clear();
  }

  async #drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #next(): void {
    while (this.#running.size < this.#options.workers) {
      const id = this.#queued.take();
      if (id === undefined) return;
      const run = this.#process(id)
        .catch((error) => this.#options.log.error({ err: error, session: id }, 'processing a session failed'))
        .finally(() => {
          this.#running.delete(id);
          this.#next();
        });
      this.#running.set(id, run);
    }
  }

  async #process(id: string): Promise<void> {
    const { store, recorder, attempts, errors } = this.#options;
    let row = await store.get(id);
    if (row.state === 'stopped') row = await store.apply(id, 'process', 'the recording is sealed and closed');
    if (row.state !== 'processing') return;
    const reason = row.reason ?? 'ended';
    try {
      const status = await recorder.closeRecording({ params: { id }, body: { reason } });
      if (status.state !== 'closed') throw new Error(`the recording is ${status.state}`);
      for (const problem of status.quality.problems)
        await errors.add(id, 'closing', `the recording is degraded: ${problem}`);
      await store.apply(id, 'complete', `${status.records} records in ${status.chunks} chunks`);
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      const tried = row.close_attempts + 1;
      const lost = error instanceof ServiceError && error.code === 'not_found';
      this.#options.log.warn({ err: error, session: id, tried }, 'closing a recording failed');
      await errors.add(id, await this.#stage(id), told);
      if (lost || tried >= attempts) {
        const failure = `${reason}; the recording could not be closed: ${told}`;
        await store.apply(id, 'fail', failure, { reason: failure, close_attempts: tried });
        return;
      }
      await store.update(id, { close_attempts: tried });
      this.#tryLater(id, row.priority, tried);
    }
  }

  /** What was being done when it failed; when the recorder cannot tell, its first part. */
  async #stage(id: string): Promise<'sealing' | 'closing'> {
    const recording = await this.#options.recorder.getRecording({ params: { id } }).catch(() => null);
    return recording && isAllSealed(recording) ? 'closing' : 'sealing';
  }

  #tryLater(id: string, priority: Priority, tried: number): void {
    if (this.#stopped) return;
    const first = this.#options.firstDelayMs ?? FIRST_DELAY_MS;
    const delay = Math.min(first * 2 ** (tried - 1), LONGEST_DELAY_MS);
    const timer = setTimeout(() => {
      this.#waiting.delete(id);
      this.add(id, priority);
    }, delay);
    this.#waiting.set(id, { timer, at: new Date(Date.now() + delay).toISOString() });
  }
}
