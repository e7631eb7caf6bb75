import { parentPort } from 'node:worker_threads';
import type { JobAnswer, JobMessage, Jobs } from './job-thread.ts';

/**
 * The thread's side of `JobThread`: does what it is asked for until it is ended.
 *
 * @param memoryOf what of a result goes over to the other thread instead of being copied
 */
export function serveJobs(jobs: Readonly<Jobs>, memoryOf: (result: unknown) => ArrayBuffer[] = () => []): void {
  const tell = (answer: JobAnswer, memory: ArrayBuffer[] = []) => parentPort!.postMessage(answer, memory);
  const fail = (id: number, error: unknown) => {
    const { message, code } = error as NodeJS.ErrnoException;
    tell({ id, failure: { message, code } });
  };
  parentPort!.on('message', ({ id, name, job }: JobMessage) => {
    try {
      const result = jobs[name](job);
      if (result instanceof Promise)
        result.then((value) => tell({ id, result: value }, memoryOf(value)), fail.bind(null, id));
      else tell({ id, result }, memoryOf(result));
    } catch (error) {
      fail(id, error);
    }
  });
}
