/** A thread that does the journal's blocking work, one job after another. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Disk } from './disk.ts';
import { SegmentFiles } from './segment-files.ts';

/** What a thread is started with. */
export interface ThreadData {
  readonly folder: string;
  /** A module that exports a `disk`: the machine's own but in tests of failing disks. */
  readonly disk: string;
}

export type JobName = 'commit' | 'prepare' | 'destroy' | 'read' | 'freeBytes' | 'list' | 'scan';

/** What a thread answers: a job's result, or the system's error. */
export type ThreadAnswer<N extends JobName = JobName> =
  | { readonly result: ReturnType<SegmentFiles[N]> }
  | { readonly failure: { readonly message: string; readonly code?: string } };

const { folder, disk }: ThreadData = workerData;
const module: { disk: Disk } = await import(disk);
const files = new SegmentFiles(module.disk, folder);

parentPort!.on('message', ({ name, job }: { name: JobName; job: never }) => {
  try {
    const result = files[name](job);
    parentPort!.postMessage({ result });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    parentPort!.postMessage({ failure: { message, code } });
  }
});
