import type { NodeSample } from '#contract/rdp-monitor.ts';

/** In percent. */
export interface Thresholds {
  cpu: number;
  memory: number;
  disk: number;
}

/** What a sample shows beyond its threshold, in words; empty when all is well. */
export function exceeded(sample: NodeSample, thresholds: Thresholds): string[] {
  const figures: [string, number, number][] = [
    ['processors', sample.cpu_share, thresholds.cpu],
    ['memory', sample.memory_used_bytes / sample.memory_total_bytes, thresholds.memory],
    ['the disk', sample.disk_used_bytes / sample.disk_total_bytes, thresholds.disk],
  ];
  return figures
    .filter(([, share, limit]) => share * 100 >= limit)
    .map(([what, share, limit]) => `${what} ${Math.round(share * 100)} % used (threshold ${limit} %)`);
}
