import { integer } from '#platform/config.ts';

export const settings = {
  LUCID_SAMPLE_SECONDS: integer('how often this node is sampled', 30, 1, 3600),
  LUCID_SAMPLE_DAYS: integer('how long samples are kept', 7, 1, 365),
  LUCID_CPU_PERCENT: integer('use of the processors from which the node counts as degraded', 80, 1, 100),
  LUCID_MEMORY_PERCENT: integer('use of memory from which the node counts as degraded', 80, 1, 100),
  LUCID_DISK_PERCENT: integer('use of the disk that holds the data from which the node counts as degraded', 90, 1, 100),
};
