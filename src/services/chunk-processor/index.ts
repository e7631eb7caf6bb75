import { Counter, Gauge } from 'prom-client';
import { chunkProcessor } from '#contract/chunk-processor.ts';
import { implement } from '#platform/http/app.ts';
import { defineService } from '#platform/service.ts';
import { settings } from './config.ts';
import { WorkerPool } from './worker-pool.ts';

/** Seals runs of records in worker threads; keeps nothing. */
export const service = defineService({
  name: 'chunk-processor',
  settings,
  async create({ settings, log, registry }) {
    const workers = settings.LUCID_SEAL_WORKERS;
    const queueLimit = settings.LUCID_SEAL_QUEUE;
    const pool = new WorkerPool({ workers, queueLimit, queueBytes: settings.LUCID_SEAL_QUEUE_BYTES, log });

    new Gauge({
      name: 'lucid_seal_queue_runs',
      help: 'runs that wait for a sealing thread',
      registers: [registry],
      collect() {
        this.set(pool.queued);
      },
    });
    new Counter({
      name: 'lucid_sealed_bytes_total',
      help: 'bytes of records sealed, and of chunks made of them',
      labelNames: ['kind'],
      registers: [registry],
      collect() {
        this.reset();
        this.inc({ kind: 'records' }, pool.totals.plainBytes);
        this.inc({ kind: 'chunks' }, pool.totals.storedBytes);
      },
    });

    return {
      handlers: implement(chunkProcessor, {
        seal: ({ body }) => pool.seal(body),
        status: () => ({
          workers,
          queued: pool.queued,
          queue_limit: queueLimit,
          sealed_chunks: pool.totals.chunks,
          plain_bytes: pool.totals.plainBytes,
          stored_bytes: pool.totals.storedBytes,
          worker_crashes: pool.totals.crashes,
        }),
      }),
      checks: {
        workers() {
          const detail = `${workers} threads, ${pool.queued} runs waiting, ${pool.totals.crashes} threads replaced`;
          if (pool.trouble) return { status: 'unhealthy', detail: `${detail}; ${pool.trouble}` };
          return { status: pool.isFull ? 'degraded' : 'healthy', detail };
        },
      },
      stop: (deadlineMs) => pool.close(deadlineMs),
    };
  },
});
