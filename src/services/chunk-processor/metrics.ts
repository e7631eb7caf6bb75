import { Counter, Gauge, type Registry } from 'prom-client';
import type { SealStatus } from '#contract/chunk-processor.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Has the service's metrics tell what the pool does. */
export function collectMetrics(registry: Registry, pool: WorkerPool): void {
  gauge('lucid_seal_queue_runs', 'runs that wait for a sealing thread', ({ queued }) => queued);
  gauge('lucid_seal_queue_bytes', 'bytes of runs that wait for a sealing thread', (status) => status.queued_bytes);
  gauge(
    'lucid_seal_busy_threads',
    'sealing threads at work',
    ({ threads }) => threads.filter(({ busy }) => busy).length,
  );
  counter('lucid_sealed_chunks_total', 'chunks sealed, by encoding', 'encoding', (status) => ({
    zst: status.sealed_chunks - status.raw_chunks,
    raw: status.raw_chunks,
  }));
  counter('lucid_sealed_bytes_total', 'bytes of records sealed, and of chunks made of them', 'kind', (status) => ({
    records: status.plain_bytes,
    chunks: status.stored_bytes,
  }));
  counter(
    'lucid_seal_stage_seconds_total',
    'time that runs spent waiting, and threads on each stage',
    'stage',
    (status) => Object.fromEntries(Object.entries(status.stages_ms).map(([stage, ms]) => [stage, ms / 1000])),
  );
  counter('lucid_sealed_runs_total', 'runs sealed, by zstd level', 'level', ({ levels }) =>
    Object.fromEntries(levels.map(({ level, runs }) => [level, runs])),
  );

  function gauge(name: string, help: string, read: (status: SealStatus) => number): void {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(pool.status));
      },
    });
  }

  function counter(
    name: string,
    help: string,
    label: string,
    read: (status: SealStatus) => Record<string, number>,
  ): void {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, total] of Object.entries(read(pool.status))) this.inc({ [label]: value }, total);
      },
    });
  }
}
