/** All sessions' evidence: one folder each, and an index that can be made again from the folders. */
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '#contract/errors.ts';
import { isArchived } from '#evidence/act.ts';
import { isSessionId } from '#evidence/fields.ts';
import { KeyedLock } from '#platform/keyed-lock.ts';
import type { Log } from '#platform/log.ts';
import type { Archive } from './archive.ts';
import { exists, makeFolder, TEMPORARY_ENDING } from './durable-write.ts';
import { FactFiles } from './fact-files.ts';
import { readFacts, type SessionFacts } from './session-facts.ts';
import { SessionFiles } from './session-files.ts';
import type { SessionIndex } from './session-index.ts';
import { SessionPlace } from './session-place.ts';

/** Sessions kept open in memory: those written to last. */
const OPEN_SESSIONS = 256;

export class EvidenceStore {
  readonly index: SessionIndex;
  /** One folder for each session. */
  readonly folder: string;
  /** The same on another disk; null: there is none. */
  readonly archive: Archive | null;
  /** Least recently used first. */
  readonly #open = new Map<string, Promise<SessionFiles>>();
  readonly #facts = new KeyedLock();
  readonly #creations = new KeyedLock();
  /** What is being done with a finished session, by its id. */
  readonly #busy = new Map<string, string>();

  constructor(folder: string, archive: Archive | null, index: SessionIndex) {
    this.folder = folder;
    this.archive = archive;
    this.index = index;
  }

  /**
   * Makes the index agree with the folders: sessions that it lacks, or that may have changed since it was written, are
   * read; those that are gone are dropped.
   */
  async reconcile(log: Log): Promise<void> {
    await makeFolder(this.folder);
    const settled = await this.index.settled();
    for (const id of await readdir(this.folder)) {
      if (!isSessionId(id)) continue;
      const isSettled = settled.get(id) === true;
      settled.delete(id);
      if (isSettled) continue;
      try {
        await sweep(this.place(id).home);
        await this.refresh(id);
        await this.#finishDeletion(id);
      } catch (error) {
        log.error({ err: error, session: id }, 'the evidence of a session cannot be read: lucid fsck tells more');
        await this.index.put(id, UNREADABLE);
      }
    }
    await this.index.remove([...settled.keys()]);
  }

  /** Makes room for a session; does nothing when it is there. @throws ServiceError `wrong_state` when it was deleted */
  async create(id: string): Promise<void> {
    const { home } = this.place(id);
    // One after another: a call that a slow disk held up must not empty what was stored since another was answered.
    await this.#creations.run(id, async () => {
      if (await new FactFiles(id, home).tombstone()) throw new ServiceError('wrong_state', `session ${id} was deleted`);
      await SessionFiles.create(id, home);
      await this.refresh(id);
    });
  }

  /** Where the files of a session lie. @throws ServiceError `invalid_request` when the id is none */
  place(id: string): SessionPlace {
    if (!isSessionId(id)) throw new ServiceError('invalid_request', `${JSON.stringify(id)} is no session id`);
    return new SessionPlace(id, join(this.folder, id), this.archive && join(this.archive.folder, id));
  }

  /** The evidence of a session, to be written to. @throws ServiceError `not_found` */
  session(id: string): Promise<SessionFiles> {
    const opened = this.#open.get(id) ?? SessionFiles.open(id, this.place(id).home);
    this.#open.delete(id);
    this.#open.set(id, opened);
    opened.catch(() => {
      if (this.#open.get(id) === opened) this.#open.delete(id);
    });
    const [oldest] = this.#open.keys();
    if (this.#open.size > OPEN_SESSIONS) this.#retire(oldest);
    return opened;
  }

  /** Brings a session's row of the index up to date. @throws as `readFacts` */
  async refresh(id: string): Promise<void> {
    await this.index.put(id, await readFacts(id, this.place(id).home));
  }

  /**
   * Does something with a session as a whole that nothing else may come between, and brings the index up to date.
   *
   * @param doing in words: what others are told meanwhile
   * @throws ServiceError `not_found`, `conflict` while something else is done with the session; else as `work`
   */
  async exclusively<T>(id: string, doing: string, work: (place: SessionPlace) => Promise<T>): Promise<T> {
    const place = this.place(id);
    if (!(await exists(place.home))) throw new ServiceError('not_found', `nothing is stored of session ${id}`);
    const release = this.reserve(id, doing);
    try {
      await this.index.doubt(id);
      const result = await work(place);
      await this.refresh(id);
      return result;
    } finally {
      release();
    }
  }

  /**
   * Enters acts or a tombstone of a session: one after another for a session in the order of the calls, whatever else is
   * done with it, so that none is lost, and none is held that is just being deleted. The index is in doubt until `refresh`.
   *
   * @throws ServiceError `not_found`; else as `work`
   */
  async changeFacts(id: string, work: (files: FactFiles) => Promise<void>): Promise<void> {
    const { home } = this.place(id);
    await this.#facts.run(id, async () => {
      if (!(await exists(home))) throw new ServiceError('not_found', `nothing is stored of session ${id}`);
      await this.index.doubt(id);
      await work(new FactFiles(id, home));
    });
  }

  /**
   * Keeps others from doing anything with a session as a whole until the function that is returned has been called.
   * @throws ServiceError `conflict` while something else is done with it
   */
  reserve(id: string, doing: string): () => void {
    const other = this.#busy.get(id);
    if (other) throw new ServiceError('conflict', `session ${id} is being ${other}: try again later`);
    this.#busy.set(id, doing);
    return () => this.#busy.delete(id);
  }

  /** A crash may have come between a session's tombstone and the last of its chunks. */
  async #finishDeletion(id: string): Promise<void> {
    const session = await this.index.get(id);
    if (session?.state !== 'deleted') return;
    await this.index.doubt(id);
    await this.demandContents(id);
    await this.place(id).removeContents();
    await this.refresh(id);
  }

  /**
   * Makes sure that what is archived of a session can be reached.
   * @throws ServiceError `unavailable` when the archive is not there, or there is none any more
   */
  async demandContents(id: string): Promise<void> {
    const isMoving = ((await this.index.get(id))?.moving ?? null) !== null;
    if (!isMoving && !isArchived(await new FactFiles(id, this.place(id).home).acts())) return;
    if (this.archive === null) {
      throw new ServiceError('unavailable', `session ${id} is archived: set LUCID_ARCHIVE_FOLDER`);
    }
    await this.archive.demand();
  }

  /** Whether something is being done with the session as a whole. */
  isBusy(id: string): boolean {
    return this.#busy.has(id);
  }

  /** Lets an open session go from memory, unless it is written to: two of it must never be. */
  #retire(id: string): void {
    const opened = this.#open.get(id);
    opened?.then((files) => {
      if (files.idle && this.#open.get(id) === opened) this.#open.delete(id);
    }, ignore);
  }
}

/** Listed all the same, so that the scrub names what is wrong, backups take what there is, and nobody deletes it. */
const UNREADABLE: SessionFacts = {
  state: 'live',
  chunks: 0,
  stored_bytes: 0,
  opened_at: null,
  closed_at: null,
  deleted_at: null,
  held: false,
  place: 'store',
};

/** A session that could not be opened is forgotten where it was asked for. */
function ignore(): void {}

/** Deletes what a crash has left half written. */
async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  for (const name of names) if (name.endsWith(TEMPORARY_ENDING)) await unlink(join(folder, name)).catch(ignore);
}
