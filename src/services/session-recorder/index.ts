import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Counter } from 'prom-client';
import { LIVE_PATH } from '#contract/live-frames.ts';
import { sessionRecorder } from '#contract/session-recorder.ts';
import { createSigner, loadSigner, type NoteSigner } from '#evidence/node/signing.ts';
import { openDatabase } from '#platform/database.ts';
import { peerAnswers } from '#platform/health.ts';
import { implement } from '#platform/http/app.ts';
import { newId } from '#platform/id.ts';
import { defineService } from '#platform/service.ts';
import { databaseInThread } from '#platform/thread/database-in-thread.ts';
import { settings } from './config.ts';
import { migrations, type Tables } from './database.ts';
import { DiskJournal } from './journal/disk-journal.ts';
import { JournalSocketServer } from './journal-socket.ts';
import { LiveSocketServer } from './live/live-socket.ts';
import { LiveViews } from './live/live-views.ts';
import { collectMetrics } from './metrics.ts';
import { readRecipients } from './recipients.ts';
import { Recorder } from './recorder.ts';
import { RecordingIndex } from './recording-index.ts';
import { openVideos, readRenderRecipient } from './video/videos.ts';

const TELL_EVERY_MS = 5000;

/** Takes records from gateways, acknowledges them, has them sealed and stored, and signs the entries that say so. */
export const service = defineService({
  name: 'session-recorder',
  settings,
  async create({ settings, folder, log, registry, peers }) {
    const renderer = readRenderRecipient(settings);
    const recipients = readRecipients(settings, renderer?.recipient);
    const signer = openNodeKey(join(folder, 'keys', 'node.pem'));
    const database = await openDatabase<Tables>(join(folder, 'recordings.sqlite'), migrations, databaseInThread);
    const durability = settings.LUCID_DURABILITY as 'strict' | 'relaxed';
    const journal = await DiskJournal.open({
      folder: settings.LUCID_JOURNAL_FOLDER || join(folder, 'journal'),
      segmentBytes: settings.LUCID_JOURNAL_SEGMENT_BYTES,
      limitBytes: settings.LUCID_JOURNAL_BYTES,
      floorBytes: settings.LUCID_JOURNAL_FLOOR_BYTES,
      bufferBytes: settings.LUCID_JOURNAL_BUFFER_BYTES,
      maxAgeMs: settings.LUCID_CHUNK_SECONDS * 1000,
      durability,
      onTrouble: (words, error) => log.error({ err: error }, words),
      onReadBack: tellNowAndThen((read, all) => log.info(`reading the journal back: ${read} of ${all} segments`)),
    });
    const degraded = new Counter({
      name: 'lucid_recorder_degraded_recordings_total',
      help: 'recordings with a gap, or with more that cannot be decoded than LUCID_UNDECODABLE_PERCENT',
      registers: [registry],
    });
    const recorder = new Recorder({
      peers,
      journal,
      signer,
      recipients,
      index: new RecordingIndex(database),
      log,
      runBytes: settings.LUCID_CHUNK_BYTES,
      runSeconds: settings.LUCID_CHUNK_SECONDS,
      sealingRuns: settings.LUCID_SEALING_RUNS,
      retrySeconds: settings.LUCID_SEALING_RETRY_SECONDS,
      durability,
      undecodableLimit: settings.LUCID_UNDECODABLE_PERCENT / 100,
      onDegraded: () => degraded.inc(),
    });
    const sockets = new JournalSocketServer(recorder, log);
    const live = new LiveSocketServer(
      new LiveViews({
        recorder,
        log,
        sessions: settings.LUCID_LIVE_SESSIONS,
        viewers: settings.LUCID_LIVE_VIEWERS,
        framesPerSecond: settings.LUCID_LIVE_FRAMES_PER_SECOND,
      }),
      log,
    );
    const videos = await openVideos(renderer, {
      settings,
      folder: join(folder, 'videos'),
      storage: peers['session-storage'],
      log,
    });

    collectMetrics(registry, recorder, journal);

    return {
      handlers: implement(sessionRecorder, {
        openRecording: ({ body }) => recorder.open(body),
        getRecording: ({ params }) => recorder.status(params.id),
        pauseRecording: ({ params, body }) => recorder.pause(params.id, body.reason),
        resumeRecording: ({ params, body }) => recorder.resume(params.id, body.reason),
        closeRecording: ({ params, body }) => recorder.close(params.id, body.reason),
        nodeKey: () => ({ verifier_key: signer.verifier }),
        ...videos.handlers,
      }),
      checks: {
        ...videos.checks,
        'chunk-processor': peerAnswers(() => peers['chunk-processor'].status({})),
        'session-storage': peerAnswers(() => peers['session-storage'].status({})),
        journal: () => journal.check(),
        sealing() {
          if (recorder.trouble) return { status: 'degraded', detail: recorder.trouble };
          if (recorder.unrecovered === 0) return { status: 'healthy' };
          return {
            status: 'degraded',
            detail: `${recorder.unrecovered} recordings of an earlier run are not closed yet`,
          };
        },
      },
      records: recorder,
      upgrade(request, socket, head) {
        if (request.url?.startsWith(LIVE_PATH)) live.upgrade(request, socket, head);
        else sockets.upgrade(request, socket, head);
      },
      start: () => recorder.start(),
      async stop(deadlineMs) {
        sockets.close();
        await live.close();
        await videos.close();
        await recorder.stop(deadlineMs);
        await journal.close();
        await database.destroy();
      },
    };
  },
});

/** Tells of long work every few seconds; nothing of short. */
function tellNowAndThen(tell: (done: number, all: number) => void): (done: number, all: number) => void {
  let told = performance.now();
  return (done, all) => {
    if (performance.now() - told < TELL_EVERY_MS) return;
    told = performance.now();
    tell(done, all);
  };
}

/** The key that signs entries; made at the first start. Its name is random: entries are public. */
function openNodeKey(path: string): NoteSigner {
  return existsSync(path) ? loadSigner(path) : createSigner(path, `node-${newId().slice(-12)}`);
}
