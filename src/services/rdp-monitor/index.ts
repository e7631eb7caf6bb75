import { Gauge } from 'prom-client';
import { type NodeSample, rdpMonitor } from '#contract/rdp-monitor.ts';
import { openDatabase } from '#platform/database.ts';
import { implement } from '#platform/http/app.ts';
import { type Repetition, repeat } from '#platform/repeat.ts';
import { defineService } from '#platform/service.ts';
import { settings } from './config.ts';
import { migrations, type Tables } from './database.ts';
import { Sampler } from './sampler.ts';
import { exceeded } from './thresholds.ts';

const DAY_MS = 86_400_000;
/** So many samples in a row may fail before this service calls itself unhealthy. */
const MISSED_SAMPLES = 3;

/** Samples this node, keeps the history, and says when a threshold is passed. */
export const service = defineService({
  name: 'rdp-monitor',
  settings,
  async create({ settings, folder, log, peers, registry }) {
    const database = await openDatabase<Tables>(`${folder}/samples.sqlite`, migrations);
    const sampler = new Sampler(folder);
    const thresholds = {
      cpu: settings.LUCID_CPU_PERCENT,
      memory: settings.LUCID_MEMORY_PERCENT,
      disk: settings.LUCID_DISK_PERCENT,
    };
    const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] });
    const gauges = {
      cpu_share: gauge('lucid_node_cpu_share', '0 to 1, of all cores'),
      memory_used_bytes: gauge('lucid_node_memory_used_bytes', 'Memory in use'),
      memory_total_bytes: gauge('lucid_node_memory_total_bytes', 'Memory in all'),
      disk_used_bytes: gauge('lucid_node_disk_used_bytes', 'In use, of the disk that holds the data'),
      disk_total_bytes: gauge('lucid_node_disk_total_bytes', 'In all, of the disk that holds the data'),
    };
    let latest: NodeSample | undefined;
    let sampling: Repetition | undefined;

    async function sample(): Promise<void> {
      const connections = await peers['rdp-controller'].listConnections({}).catch(() => ({ items: [] }));
      const live = connections.items.filter((connection) => connection.ended_at === null);
      latest = await sampler.take(live.length);
      for (const [name, gauge] of Object.entries(gauges)) gauge.set(latest[name as keyof typeof gauges]);
      await database
        .insertInto('samples')
        .values(latest)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const oldest = new Date(Date.now() - settings.LUCID_SAMPLE_DAYS * DAY_MS).toISOString();
      await database.deleteFrom('samples').where('time', '<', oldest).execute();
    }

    return {
      handlers: implement(rdpMonitor, {
        listSamples: async ({ query }) => {
          const select = database.selectFrom('samples').selectAll().orderBy('time', 'desc');
          return { items: await select.limit(query.limit ?? 60).execute() };
        },
      }),
      checks: {
        database: async () => {
          await database.selectFrom('samples').select('time').limit(1).execute();
          return { status: 'healthy' };
        },
        sampling: () => {
          const limit = MISSED_SAMPLES * settings.LUCID_SAMPLE_SECONDS;
          const age = latest ? (Date.now() - Date.parse(latest.time)) / 1000 : Number.POSITIVE_INFINITY;
          if (age > limit) return { status: 'unhealthy', detail: `no sample for ${limit} s` };
          // A busy node is what this service is there to tell of, not a fault of its own.
          const words = latest ? exceeded(latest, thresholds) : [];
          return { status: 'healthy', ...(words.length > 0 && { detail: words.join('; ') }) };
        },
      },
      async start() {
        await sample();
        const onError = (error: unknown) => log.error({ err: error }, 'this node could not be sampled');
        sampling = repeat(sample, settings.LUCID_SAMPLE_SECONDS * 1000, onError);
      },
      async stop() {
        await sampling?.stop();
        await database.destroy();
      },
    };
  },
});
