import { JobThread } from '#platform/thread/job-thread.ts';
import type { DiskJobs, ThreadData } from './thread.ts';

/** The module that stands for the machine's own disk. */
const OWN_DISK = new URL('./disk.ts', import.meta.url);

/**
 * A thread of the journal, seen from outside. The journal has two: one that only commits, so that a commit waits for
 * nothing but the commit before it, not for libuv's pool, nor for reading, allotting and destroying, which the other does.
 */
export type DiskThread = JobThread<DiskJobs>;

/** @param name shown by debuggers; @param disk module, see `ThreadData` */
export function startDiskThread(name: string, folder: string, disk: URL = OWN_DISK): DiskThread {
  const workerData: ThreadData = { folder, disk: disk.href };
  return new JobThread(new URL('./thread.ts', import.meta.url), { name, workerData });
}
