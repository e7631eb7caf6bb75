import { availableParallelism } from 'node:os';
import { integer } from '#platform/config.ts';

export const settings = {
  LUCID_SEAL_WORKERS: integer(
    'threads that seal runs; one less than the cores, and at least one, unless given',
    Math.max(1, availableParallelism() - 1),
    1,
    256,
  ),
  LUCID_SEAL_QUEUE: integer('runs that may wait for a thread; more are sent away to come again', 2048, 1, 100_000),
  LUCID_SEAL_QUEUE_BYTES: integer(
    'bytes of runs that may wait for a thread',
    256 * 1024 * 1024,
    1024 * 1024,
    Number.MAX_SAFE_INTEGER,
    'bytes',
  ),
  LUCID_ZSTD_LEVEL_MAX: integer('zstd level of chunks while sealing keeps up', 9, 0, 19),
  LUCID_ZSTD_LEVEL_MIN: integer('the lowest that it falls to while runs wait; 0: stored without zstd', 1, 0, 19),
};
