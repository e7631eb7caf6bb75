/** What each route of the contract does. */
import { Readable } from 'node:stream';
import { ServiceError } from '#contract/errors.ts';
import { type StoredSession, sessionStorage } from '#contract/session-storage.ts';
import type { SettingsOf } from '#platform/config.ts';
import { type Handlers, implement } from '#platform/http/app.ts';
import type { Log } from '#platform/log.ts';
import { backUpStore } from './backup.ts';
import { Bundle } from './bundle/bundle.ts';
import type { Capacity } from './capacity.ts';
import { listChunks, readChunk } from './chunks.ts';
import type { settings as schema } from './config.ts';
import type { EvidenceStore } from './evidence-store.ts';
import type { FinishedSessions } from './finished-sessions.ts';
import type { Mover } from './mover.ts';
import type { ProblemList } from './problem-list.ts';
import { proveChunk, readManifest } from './proofs.ts';
import type { Scrub } from './scrub.ts';
import type { SessionQuota } from './session-quota.ts';

export interface StoreParts {
  store: EvidenceStore;
  capacity: Capacity;
  quota: SessionQuota;
  finished: FinishedSessions;
  mover: Mover;
  problems: ProblemList;
  scrub: Scrub;
  tellDeletions: () => Promise<void>;
  log: Log;
  settings: SettingsOf<typeof schema>;
}

export function createHandlers(parts: StoreParts): Handlers<typeof sessionStorage> {
  const { store, capacity, quota, finished, settings, log } = parts;
  const { mover, problems, scrub } = parts;

  async function bundleOf(id: string, format: 'tar' | 'zip' = 'tar'): Promise<Bundle> {
    return Bundle.open(store.place(id), format, await problems.unreadable(id));
  }

  /** A chunk that cannot be read breaks a download off; the check that follows names it, and the next leaves it out. */
  async function* watched(id: string, pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* pieces;
    } catch (error) {
      log.error({ err: error, session: id }, 'a bundle could not be read to its end');
      scrub.checkSoon(id);
      throw error;
    }
  }

  async function demandSession(id: string): Promise<StoredSession> {
    const session = await store.index.get(id);
    if (!session) throw new ServiceError('not_found', `nothing is stored of session ${id}`);
    return session;
  }

  return implement(sessionStorage, {
    async createSession({ body }) {
      await capacity.checkNewSession();
      await capacity.writing(() => store.create(body.session_id));
      return {};
    },

    async putKey({ params, body }) {
      const files = await store.session(params.id);
      await capacity.writing(() => files.putKey(params.name, body));
      return {};
    },

    async putChunk({ params, query, body }) {
      const files = await store.session(params.id);
      const head = await capacity.writing(() => files.putChunk({ ...params, ...query }, body));
      quota.grown(params.id, files.storedBytes);
      return head;
    },

    async adoptChunk({ params, query }) {
      const files = await store.session(params.id);
      const head = await capacity.writing(() => files.adoptChunk({ ...params, ...query }));
      quota.grown(params.id, files.storedBytes);
      return head;
    },

    async putEntry({ params, body }) {
      const files = await store.session(params.id);
      if (!body.note.startsWith(`lucid/${params.kind}/`)) {
        throw new ServiceError('invalid_request', `the note is no ${params.kind} entry`);
      }
      await capacity.writing(() => files.append(body.note));
      if (params.kind === 'close') quota.closed(params.id);
      // Not with every chunk: an entry follows each run, and a start mends what a crash left stale.
      if (params.kind === 'partial') await store.index.setSize(params.id, files.leaves, files.storedBytes);
      else await store.refresh(params.id);
      return {};
    },

    listChunks: ({ params, query }) => listChunks(store.place(params.id), query),

    getChunk: ({ params }) =>
      readChunk(store.place(params.id), params.stream, params.index).catch((error) => {
        if (error instanceof ServiceError && error.code === 'unavailable') scrub.checkSoon(params.id);
        throw error;
      }),

    async getManifest({ params }) {
      await demandSession(params.id);
      return readManifest(store.place(params.id));
    },

    proveChunk: ({ params }) => proveChunk(store.place(params.id), params.stream, params.index),

    async describeBundle({ params, query }) {
      const bundle = await bundleOf(params.id, query.format);
      return { bytes: await bundle.length(), etag: bundle.etag, stable: bundle.isStable };
    },

    async getBundle({ params, query }) {
      const bundle = await bundleOf(params.id, query.format);
      if (query.etag !== undefined && query.etag !== bundle.etag) {
        throw new ServiceError(
          'conflict',
          `the bundle of session ${params.id} has changed: download it from its start`,
        );
      }
      return Readable.from(watched(params.id, bundle.read(query.from, query.to)), { objectMode: false });
    },

    listSessions: ({ query }) => store.index.list(query),

    getSession: ({ params }) => demandSession(params.id),

    holdSession: ({ params, body }) => finished.hold(params.id, body),
    releaseSession: ({ params, body }) => finished.release(params.id, body),
    archiveSession: ({ params, body }) => mover.request(params.id, 'archive', body),
    restoreSession: ({ params, body }) => mover.request(params.id, 'restore', body),

    async deleteSession({ params, body }) {
      const deleted = await finished.delete(params.id, body);
      await problems.forget(params.id);
      parts
        .tellDeletions()
        .catch((error) => log.warn({ err: error }, 'session-pipeline does not know of a deletion yet'));
      return deleted;
    },

    async checkSession({ params }) {
      await demandSession(params.id);
      scrub.checkSoon(params.id);
      return {};
    },

    beginScrub() {
      scrub.beginPass();
      return {};
    },

    listProblems: ({ query }) => problems.list(query),

    async acknowledgeProblem({ params, body }) {
      await problems.acknowledge(params.id, body.by);
      return {};
    },

    getBackup: () => Readable.from(backUpStore(store), { objectMode: false }),

    async status() {
      const refusals = await capacity.refusals();
      return {
        ...(await store.index.totals()),
        ...(await capacity.space()),
        low_bytes: settings.LUCID_STORAGE_LOW_BYTES,
        floor_bytes: settings.LUCID_STORAGE_FLOOR_BYTES,
        quota_bytes: settings.LUCID_STORAGE_QUOTA_BYTES,
        session_quota_bytes: settings.LUCID_SESSION_QUOTA_BYTES,
        accepts_sessions: refusals.length === 0,
        refusals,
        retention_days: settings.LUCID_RETENTION_DAYS,
        retention_bytes: settings.LUCID_RETENTION_BYTES,
        archive: store.archive && (await store.archive.space()),
        ...(await problems.counts()),
        scrub: await tellScrub(scrub),
      };
    },
  });
}

/** How far the scrub is, as others are told. */
async function tellScrub(scrub: Scrub) {
  const position = await scrub.position();
  if (!position) return null;
  const { pass_started_at, session_id, files, bytes, finished_at } = position;
  return { pass_started_at, session_id, files, bytes, finished_at };
}
