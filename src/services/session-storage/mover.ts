/** Archives and brings back sessions one after another, as they were asked for, across restarts. */
import type { Kysely } from 'kysely';
import { ServiceError } from '#contract/errors.ts';
import type { StoredSession } from '#contract/session-storage.ts';
import type { Grounds } from '#evidence/act.ts';
import type { CheckResult } from '#platform/health.ts';
import type { Log } from '#platform/log.ts';
import { archiveSession, restoreSession } from './archive.ts';
import type { Tables } from './database.ts';
import type { EvidenceStore } from './evidence-store.ts';

const DAY_MS = 86_400_000;
/** Sessions asked for at a time when they are archived by age. */
const BATCH = 100;

type MoveRow = Tables['moves'];
type MoveKind = MoveRow['kind'];

export interface MoverOptions {
  database: Kysely<Tables>;
  store: EvidenceStore;
  log: Log;
  /** Days after its close that a session is archived; 0: only when asked. */
  archiveDays: number;
  /** Told of a session whose chunks cannot be moved since one is damaged. */
  onDamage(id: string): void;
}

export class Mover {
  readonly #options: MoverOptions;
  readonly #stopped = new AbortController();
  #working: Promise<void> | null = null;
  /** Why the last move could not be made; null once one could. */
  #failure: string | null = null;

  constructor(options: MoverOptions) {
    this.#options = options;
  }

  /**
   * Asks for a session's chunks to be moved; does nothing when they are there already.
   * @throws ServiceError `not_found`, `wrong_state` unless the session is closed, `unavailable` without an archive
   */
  async request(id: string, kind: MoveKind, { by, reason }: Grounds): Promise<StoredSession> {
    const { store, database } = this.#options;
    const session = await store.index.get(id);
    if (!session) throw new ServiceError('not_found', `nothing is stored of session ${id}`);
    if (session.state !== 'closed')
      throw new ServiceError('wrong_state', `session ${id} is ${session.state}, not closed`);
    if (store.archive === null) throw new ServiceError('wrong_state', 'there is no archive: set LUCID_ARCHIVE_FOLDER');
    await store.archive.demand();
    const isThere = session.place === (kind === 'archive' ? 'archive' : 'store');
    if (session.moving === kind || (session.moving === null && isThere)) return session;
    const move = { kind, by, reason, requested_at: new Date().toISOString() };
    await database
      .insertInto('moves')
      .values({ session_id: id, ...move })
      .onConflict((conflict) => conflict.column('session_id').doUpdateSet(move))
      .execute();
    void this.work();
    return { ...session, moving: kind };
  }

  /** Asks for all that is due by age, and makes every move that is asked for. Called while it works, it joins in. */
  work(): Promise<void> {
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  /** Lets a move stop between two chunks. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#working;
  }

  async check(): Promise<CheckResult> {
    const { archive, index } = this.#options.store;
    if (archive === null) {
      const { items } = await index.list({ place: 'archive', limit: 1 });
      if (items.length === 0) return { status: 'healthy', detail: 'no archive is set' };
      return { status: 'degraded', detail: 'sessions are archived, but LUCID_ARCHIVE_FOLDER is not set' };
    }
    await archive.demand();
    return this.#failure ? { status: 'degraded', detail: this.#failure } : { status: 'healthy' };
  }

  async #work(): Promise<void> {
    const { log, store } = this.#options;
    try {
      if (store.archive === null) return;
      await this.#requestDue();
      const tried = new Set<string>();
      for (let move = await this.#next(tried); move && !this.#stopped.signal.aborted; move = await this.#next(tried)) {
        tried.add(move.session_id);
        await this.#make(move);
      }
    } catch (error) {
      this.#failure = (error as Error).message;
      log.error({ err: error }, 'archiving failed; it is tried again');
    }
  }

  /** What was asked for first of what has not been tried; asked anew each time, since more may have come. */
  async #next(tried: ReadonlySet<string>): Promise<MoveRow | undefined> {
    const moves = this.#options.database.selectFrom('moves').selectAll().orderBy('requested_at');
    return (await moves.execute()).find(({ session_id }) => !tried.has(session_id));
  }

  async #requestDue(): Promise<void> {
    const { archiveDays, store } = this.#options;
    if (archiveDays === 0) return;
    const before = new Date(Date.now() - archiveDays * DAY_MS).toISOString();
    for (const id of await store.index.archivable(before, BATCH)) {
      await this.request(id, 'archive', { by: null, reason: 'archive-days' });
    }
  }

  async #make({ session_id: id, kind, by, reason, requested_at }: MoveRow): Promise<void> {
    const { store, log, onDamage } = this.#options;
    const [doing, run] =
      kind === 'archive' ? (['archived', archiveSession] as const) : (['restored', restoreSession] as const);
    try {
      await store.archive!.demand();
      const record = (kind: MoveKind) =>
        store.changeFacts(id, (files) => files.recordAct({ time: new Date().toISOString(), kind, by, reason }));
      await store.exclusively(id, doing, (place) => run(place, { record, signal: this.#stopped.signal }));
      this.#failure = null;
      log.info({ session: id, move: kind }, 'a recording was moved');
    } catch (error) {
      const code = error instanceof ServiceError ? error.code : 'internal';
      if (code === 'conflict' || this.#stopped.signal.aborted) return;
      this.#failure = `session ${id} could not be ${doing}: ${(error as Error).message}`;
      log.error({ err: error, session: id }, `a recording could not be ${doing}`);
      if (code !== 'not_found' && code !== 'invalid_request') return;
      onDamage(id);
    }
    const moves = this.#options.database.deleteFrom('moves').where('session_id', '=', id);
    await moves.where('requested_at', '=', requested_at).execute();
  }
}
