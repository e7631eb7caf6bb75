import { Counter, Gauge } from 'prom-client';
import { sessionPipeline } from '#contract/session-pipeline.ts';
import { openDatabase } from '#platform/database.ts';
import { peerAnswers } from '#platform/health.ts';
import { implement } from '#platform/http/app.ts';
import { newId } from '#platform/id.ts';
import { type Repetition, repeat } from '#platform/repeat.ts';
import { defineService } from '#platform/service.ts';
import { settings } from './config.ts';
import { migrations, type Tables } from './database.ts';
import { OutsideSessions } from './outside-sessions.ts';
import { ProcessingErrors } from './processing-errors.ts';
import { ProcessingQueue } from './processing-queue.ts';
import { ProcessingView } from './processing-view.ts';
import { Recovery } from './recovery.ts';
import { SessionLife } from './session-life.ts';
import { SessionStore, toSession } from './session-store.ts';
import { Statistics } from './statistics.ts';

const SWEEP_MS = 1000;
const DEFAULT_DAYS = 30;

/** Moves each session from created to completed, and finishes what a crash left. */
export const service = defineService({
  name: 'session-pipeline',
  settings,
  async create({ settings, folder, log, peers, registry }) {
    const database = await openDatabase<Tables>(`${folder}/sessions.sqlite`, migrations);
    const transitions = new Counter({
      name: 'lucid_session_transitions_total',
      help: 'Steps of sessions, by event',
      labelNames: ['event'],
      registers: [registry],
    });
    const store = new SessionStore(database, { onTransition: (event) => transitions.inc({ event }) });
    const errors = new ProcessingErrors(database);
    const statistics = new Statistics(database);
    const recorder = peers['session-recorder'];
    const controller = peers['rdp-controller'];
    const processing = new ProcessingQueue({
      store,
      errors,
      recorder,
      log,
      workers: settings.LUCID_CLOSE_WORKERS,
      attempts: settings.LUCID_CLOSE_ATTEMPTS,
    });
    const view = new ProcessingView({ store, errors, statistics, processing, recorder });
    const life = new SessionLife({
      store,
      errors,
      processing,
      recorder,
      controller,
      log,
      resumeSeconds: settings.LUCID_RESUME_SECONDS,
      unusedMinutes: settings.LUCID_UNUSED_MINUTES,
    });
    const outside = new OutsideSessions(store, settings.LUCID_OUTSIDE_HOURS);
    const recovery = new Recovery({ store, life, outside, processing, controller, log });
    new Gauge({
      name: 'lucid_sessions',
      help: 'Sessions, by state',
      labelNames: ['state'],
      registers: [registry],
      async collect() {
        for (const [state, count] of Object.entries(await store.counts())) this.set({ state }, count);
      },
    });
    new Gauge({
      name: 'lucid_processing_queue',
      help: 'Sessions that wait to be processed, by priority; waiting: failed, and tried again later',
      labelNames: ['priority'],
      registers: [registry],
      collect() {
        for (const [priority, count] of Object.entries(processing.figures.queue)) this.set({ priority }, count);
      },
    });

    let sweeping: Repetition | undefined;

    async function sweep(): Promise<void> {
      await recovery.go();
      await life.expire();
      await outside.expire();
    }

    return {
      handlers: implement(sessionPipeline, {
        createSession: async ({ body }) => toSession(await store.create(body)),
        listSessions: async ({ query }) => {
          const { items, next_cursor } = await store.list(query);
          return { items: items.map(toSession), next_cursor };
        },
        getSession: async ({ params }) => toSession(await store.get(params.id)),
        updateSession: async ({ params, body }) => {
          const row = await store.edit(params.id, body);
          processing.setPriority(row.id, row.priority);
          return toSession(row);
        },
        getHistory: async ({ params }) => ({ items: await store.history(params.id) }),
        getProcessing: ({ params }) => view.of(params.id),
        startSession: ({ params }) => life.start(params.id),
        connectSession: ({ params, body }) => life.connect(params.id, body.connection_id),
        disconnectSession: ({ params, body }) => life.disconnect(params.id, body),
        pauseSession: ({ params, body }) => life.pause(params.id, body.reason),
        resumeSession: ({ params, body }) => life.resume(params.id, body.reason),
        endSession: ({ params, body }) => life.end(params.id, body.reason),
        sessionDeleted: ({ params, body }) => life.deleted(params.id, body.cause),
        outsideOpened: ({ params }) => outside.opened(params.id),
        outsideGrown: ({ params }) => outside.grown(params.id),
        outsideClosed: ({ params, body }) => outside.closed(params.id, body.reason, body.detail),
        status: () => view.all(),
        statistics: ({ query }) => statistics.sessions(query.days ?? DEFAULT_DAYS),
      }),
      checks: {
        database: async () => {
          await store.counts();
          return { status: 'healthy' };
        },
        'session-recorder': peerAnswers(() => recorder.getRecording({ params: { id: newId() } })),
        recovery: () => {
          if (recovery.left === 0) return { status: 'healthy' };
          return { status: 'degraded', detail: `${recovery.left} sessions of an earlier run wait for the recorder` };
        },
        processing: () => {
          const { waiting } = processing.figures.queue;
          if (waiting === 0) return { status: 'healthy' };
          return { status: 'degraded', detail: `${waiting} recordings could not be closed yet and are tried again` };
        },
      },
      async start() {
        await recovery.begin();
        sweeping = repeat(sweep, SWEEP_MS, (error) => log.error({ err: error }, 'overdue sessions could not be ended'));
      },
      async stop(deadlineMs) {
        await sweeping?.stop();
        life.stop();
        await processing.stop(deadlineMs);
        await database.destroy();
      },
    };
  },
});
