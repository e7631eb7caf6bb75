import { statfs } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';
import type { NodeSample } from '#contract/rdp-monitor.ts';

interface CpuTimes {
  busy: number;
  all: number;
}

function cpuTimes(): CpuTimes {
  const times = { busy: 0, all: 0 };
  for (const { times: t } of cpus()) {
    const busy = t.user + t.nice + t.sys + t.irq;
    times.busy += busy;
    times.all += busy + t.idle;
  }
  return times;
}

/** Reads this machine's figures. The use of the processors is that since the sample before. */
export class Sampler {
  readonly #folder: string;
  #before: CpuTimes;

  /** @param folder on the disk whose use is told */
  constructor(folder: string) {
    this.#folder = folder;
    this.#before = cpuTimes();
  }

  async take(liveConnections: number): Promise<NodeSample> {
    const now = cpuTimes();
    const elapsed = now.all - this.#before.all;
    const share = elapsed > 0 ? (now.busy - this.#before.busy) / elapsed : 0;
    this.#before = now;
    const disk = await statfs(this.#folder);
    const total = disk.blocks * disk.bsize;
    return {
      time: new Date().toISOString(),
      cpu_share: Math.round(Math.min(1, Math.max(0, share)) * 10_000) / 10_000,
      memory_total_bytes: totalmem(),
      // On Linux `freemem` is what programs could still have, caches that would be given back included.
      memory_used_bytes: Math.max(0, totalmem() - freemem()),
      process_memory_bytes: process.memoryUsage.rss(),
      disk_total_bytes: total,
      // What is reserved for root counts as used: nobody else can write there.
      disk_used_bytes: total - disk.bavail * disk.bsize,
      live_connections: liveConnections,
    };
  }
}
