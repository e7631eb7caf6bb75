import { Worker } from 'node:worker_threads';
import type { SegmentFiles } from './segment-files.ts';
import type { JobName, ThreadAnswer, ThreadData } from './thread.ts';

/** The module that stands for the machine's own disk. */
export const OWN_DISK = new URL('./disk.ts', import.meta.url);

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A thread of the journal, seen from outside. The journal has two: one that only commits, so that a commit waits for
 * nothing but the commit before it, not for libuv's pool, nor for reading, allotting and destroying, which the other does.
 */
export class DiskThread {
  readonly #worker: Worker;
  /** Jobs that are not answered, in the order in which they were sent. */
  readonly #waiting: Waiting[] = [];
  #end: Error | null = null;

  /** @param name shown by debuggers; @param disk module, see `ThreadData` */
  constructor(name: string, folder: string, disk: URL = OWN_DISK) {
    const workerData: ThreadData = { folder, disk: disk.href };
    this.#worker = new Worker(new URL('./thread.ts', import.meta.url), { name, workerData });
    // A thread that has nothing to do keeps nobody from leaving; said too early, it would be forgotten.
    this.#worker.once('online', () => this.#waiting.length === 0 && this.#worker.unref());
    this.#worker.on('message', (answer: ThreadAnswer) => this.#answer(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error(`the journal's thread ${name} has ended`)));
  }

  /**
   * Has a job done, after those before it.
   * @param transfer memory that goes over to the thread: not to be used any more
   * @throws the system's error; Error when the thread is gone
   */
  run<N extends JobName>(
    name: N,
    job: Parameters<SegmentFiles[N]>[0],
    transfer: ArrayBuffer[] = [],
  ): Promise<ReturnType<SegmentFiles[N]>> {
    if (this.#end) return Promise.reject(this.#end);
    const { promise, resolve, reject } = Promise.withResolvers<ReturnType<SegmentFiles[N]>>();
    this.#waiting.push({ resolve, reject });
    if (this.#waiting.length === 1) this.#worker.ref();
    this.#worker.postMessage({ name, job }, transfer);
    return promise;
  }

  /** Ends the thread; what is not done by then fails. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #answer(answer: ThreadAnswer): void {
    const waiting = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    if ('result' in answer) waiting?.resolve(answer.result as never);
    else waiting?.reject(Object.assign(new Error(answer.failure.message), { code: answer.failure.code }));
  }

  #fail(error: Error): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
