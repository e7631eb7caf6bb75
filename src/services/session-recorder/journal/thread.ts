/** A thread that does the journal's blocking work, one job after another. */
import { workerData } from 'node:worker_threads';
import { serveJobs } from '#platform/thread/serve-jobs.ts';
import type { Disk } from './disk.ts';
import { SegmentFiles } from './segment-files.ts';

/** What a thread is started with. */
export interface ThreadData {
  readonly folder: string;
  /** A module that exports a `disk`: the machine's own but in tests of failing disks. */
  readonly disk: string;
}

export type DiskJobs = Pick<SegmentFiles, 'commit' | 'prepare' | 'destroy' | 'read' | 'freeBytes' | 'list' | 'scan'>;

const { folder, disk }: ThreadData = workerData;
const module: { disk: Disk } = await import(disk);
const files: DiskJobs = new SegmentFiles(module.disk, folder);

serveJobs(files);
