import { join } from 'node:path';
import { Gauge } from 'prom-client';
import { openDatabase } from '#platform/database.ts';
import { optional } from '#platform/health.ts';
import { type Repetition, repeat } from '#platform/repeat.ts';
import { defineService } from '#platform/service.ts';
import { Archive } from './archive.ts';
import { Capacity } from './capacity.ts';
import { settings } from './config.ts';
import { migrations, type Tables } from './database.ts';
import { tellDeletions } from './deletion-news.ts';
import { EvidenceStore } from './evidence-store.ts';
import { FinishedSessions } from './finished-sessions.ts';
import { createHandlers } from './handlers.ts';
import { Mover } from './mover.ts';
import { ProblemList } from './problem-list.ts';
import { Retention } from './retention.ts';
import { Scrub } from './scrub.ts';
import { SessionIndex } from './session-index.ts';
import { SessionQuota } from './session-quota.ts';

const CHORES_PAUSE_MS = 60_000;

/** Keeps every session's evidence: chunks, leaves, keys, entries; gives out bundles; deletes what is due. */
export const service = defineService({
  name: 'session-storage',
  settings,
  async create({ settings, folder, log, registry, peers }) {
    const database = await openDatabase<Tables>(join(folder, 'index.sqlite'), migrations);
    const index = new SessionIndex(database);
    const archive = settings.LUCID_ARCHIVE_FOLDER ? new Archive(settings.LUCID_ARCHIVE_FOLDER) : null;
    const store = new EvidenceStore(join(folder, 'sessions'), archive, index);
    await store.reconcile(log);
    const { items: archived } = await index.list({ place: 'archive', limit: 1 });
    await archive?.prepare(archived.length > 0);
    const capacity = new Capacity(
      folder,
      {
        lowBytes: settings.LUCID_STORAGE_LOW_BYTES,
        floorBytes: settings.LUCID_STORAGE_FLOOR_BYTES,
        quotaBytes: settings.LUCID_STORAGE_QUOTA_BYTES,
      },
      index,
    );
    const quota = new SessionQuota(settings.LUCID_SESSION_QUOTA_BYTES, peers['session-pipeline'], log);
    const finished = new FinishedSessions(store);
    const kept = { days: settings.LUCID_RETENTION_DAYS, bytes: settings.LUCID_RETENTION_BYTES };
    const retention = new Retention(kept, index, finished, log);
    const problems = new ProblemList(database);
    const scrub = new Scrub({
      database,
      store,
      problems,
      log,
      bytesPerSecond: settings.LUCID_SCRUB_BYTES_PER_SECOND,
      days: settings.LUCID_SCRUB_DAYS,
    });
    const mover = new Mover({
      database,
      store,
      log,
      archiveDays: settings.LUCID_ARCHIVE_DAYS,
      onDamage: (id) => scrub.checkSoon(id),
    });
    const repeated: Repetition[] = [];
    const stopped = new AbortController();

    new Gauge({
      name: 'lucid_storage_free_bytes',
      help: 'free space of the store',
      registers: [registry],
      async collect() {
        this.set((await capacity.space()).free_bytes);
      },
    });
    new Gauge({
      name: 'lucid_storage_stored_bytes',
      help: 'bytes of the chunks that are stored',
      registers: [registry],
      async collect() {
        this.set((await index.totals()).stored_bytes);
      },
    });

    new Gauge({
      name: 'lucid_storage_problems',
      help: 'files of the store that are missing or changed',
      registers: [registry],
      async collect() {
        this.set((await problems.counts()).problems);
      },
    });

    /** Each by itself: a slow one holds up no other. */
    function startChores(): void {
      const chores = {
        retention: async () => void (await retention.apply(Date.now(), stopped.signal)),
        'telling of deletions': () => tellDeletions(store, peers['session-pipeline']),
        archiving: () => mover.work(),
        scrub: () => scrub.work(),
      };
      for (const [name, work] of Object.entries(chores)) {
        const onError = (error: unknown) => log.error({ err: error }, `${name} failed; it is tried again`);
        repeated.push(repeat(work, CHORES_PAUSE_MS, onError));
      }
    }

    return {
      handlers: createHandlers({
        ...{ store, capacity, quota, finished, mover, problems, scrub, settings, log },
        tellDeletions: () => tellDeletions(store, peers['session-pipeline']),
      }),
      checks: {
        disk: () => capacity.check(),
        evidence: () => problems.check(),
        archive: optional(() => mover.check()),
      },
      async start() {
        startChores();
      },
      async stop() {
        stopped.abort();
        await Promise.all([mover.stop(), scrub.stop()]);
        await Promise.all(repeated.map((repetition) => repetition.stop()));
        await database.destroy();
      },
    };
  },
});
