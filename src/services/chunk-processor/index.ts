import { chunkProcessor } from '#contract/chunk-processor.ts';
import { ServiceError } from '#contract/errors.ts';
import { decodeSealBatch, encodeSealBatchAnswer } from '#contract/seal-batch.ts';
import { SettingError } from '#platform/config.ts';
import { implement } from '#platform/http/app.ts';
import { defineService } from '#platform/service.ts';
import { settings } from './config.ts';
import { LevelChooser } from './level-chooser.ts';
import { collectMetrics } from './metrics.ts';
import { WorkerPool } from './worker-pool.ts';

/** Seals runs of records in worker threads; keeps nothing. */
export const service = defineService({
  name: 'chunk-processor',
  settings,
  async create({ settings, log, registry }) {
    const workers = settings.LUCID_SEAL_WORKERS;
    const [min, max] = [settings.LUCID_ZSTD_LEVEL_MIN, settings.LUCID_ZSTD_LEVEL_MAX];
    if (min > max) throw new SettingError(`LUCID_ZSTD_LEVEL_MIN is ${min}, more than LUCID_ZSTD_LEVEL_MAX, ${max}`);
    const pool = new WorkerPool({
      workers,
      queueLimit: settings.LUCID_SEAL_QUEUE,
      queueBytes: settings.LUCID_SEAL_QUEUE_BYTES,
      levels: new LevelChooser(min, max),
      log,
    });
    collectMetrics(registry, pool);

    return {
      handlers: implement(chunkProcessor, {
        seal: ({ body }) => pool.seal(body),
        sealBatch: async ({ body }) => {
          const results = await Promise.allSettled(decodeSealBatch(body).map((request) => pool.seal(request)));
          return encodeSealBatchAnswer(results.map(answerOf));
        },
        status: () => pool.status,
      }),
      checks: {
        workers() {
          const detail = `${workers} threads, ${pool.queued} runs waiting, ${pool.statistics.crashes} threads replaced`;
          if (pool.trouble) return { status: 'unhealthy', detail: `${detail}; ${pool.trouble}` };
          return { status: pool.isFull ? 'degraded' : 'healthy', detail };
        },
      },
      stop: (deadlineMs) => pool.close(deadlineMs),
    };
  },
});

function answerOf(result: PromiseSettledResult<Uint8Array>): Uint8Array | ServiceError {
  if (result.status === 'fulfilled') return result.value;
  if (result.reason instanceof ServiceError) return result.reason;
  throw result.reason;
}
