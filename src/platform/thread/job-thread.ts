import { type TransferListItem, Worker, type WorkerOptions } from 'node:worker_threads';

/** What a thread can be asked to do, by name: each is given one thing and answers with one. */
// biome-ignore lint/suspicious/noExplicitAny: of each job its own
export type Jobs = Record<string, (job: any) => unknown>;

/** What goes to the thread, and what comes back. */
export interface JobMessage {
  readonly id: number;
  readonly name: string;
  readonly job: unknown;
}
export type JobAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: { readonly message: string; readonly code?: string | undefined } };

/**
 * A thread that does jobs for this one, seen from outside: its program calls `serveJobs`. While it has nothing to do it
 * keeps nobody from leaving.
 */
export class JobThread<J extends Jobs> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<never>>();
  #next = 0;
  #end: Error | null = null;
  /** Called once when the thread has ended without being asked to. */
  onDeath: (cause: Error) => void = () => {};

  /** @param options `name` is shown by debuggers, and in errors */
  constructor(program: URL, options: WorkerOptions & { name: string }) {
    this.#worker = new Worker(program, options);
    // Said too early, it would be forgotten.
    this.#worker.once('online', () => this.#waiting.size === 0 && this.#worker.unref());
    this.#worker.on('message', (answer: JobAnswer) => this.#answer(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error(`the thread ${options.name} has ended`)));
  }

  /**
   * Has a job done. Jobs begin in the order in which they were given.
   * @param transfer memory and ports that go over to the thread: not to be used any more
   * @throws what the job threw, with its `code`; Error when the thread is gone
   */
  run<N extends string & keyof J>(
    name: N,
    job: Parameters<J[N]>[0],
    transfer: TransferListItem[] = [],
  ): Promise<Awaited<ReturnType<J[N]>>> {
    if (this.#end) return Promise.reject(this.#end);
    const waiting = Promise.withResolvers<never>();
    const id = this.#next++;
    if (this.#waiting.size === 0) this.#worker.ref();
    this.#waiting.set(id, waiting);
    this.#worker.postMessage({ id, name, job } satisfies JobMessage, transfer);
    return waiting.promise;
  }

  /** Ends the thread; what is not done by then fails. */
  async close(): Promise<void> {
    this.onDeath = () => {};
    await this.#worker.terminate();
  }

  #answer(answer: JobAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('result' in answer) waiting?.resolve(answer.result as never);
    else waiting?.reject(Object.assign(new Error(answer.failure.message), { code: answer.failure.code }));
  }

  #fail(error: Error): void {
    if (this.#end) return;
    this.#end = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.onDeath(error);
  }
}
