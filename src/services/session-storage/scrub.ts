/** Reads all stored evidence again and again, slowly, and notes what is not as it was: bits flip, files vanish. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely, Selectable } from 'kysely';
import type { Log } from '#platform/log.ts';
import { checkSession } from './check-session.ts';
import type { Tables } from './database.ts';
import type { EvidenceStore } from './evidence-store.ts';
import type { ProblemList } from './problem-list.ts';

const DAY_MS = 86_400_000;
/** How often the position is written down: what is read twice after a crash. */
const KEEP_MS = 5000;
/** Sessions that may wait to be checked at once. */
const MAX_URGENT = 10_000;
const ONLY_ROW = 1;

export interface ScrubOptions {
  database: Kysely<Tables>;
  store: EvidenceStore;
  problems: ProblemList;
  log: Log;
  /** 0: no passes, only what is asked for. */
  bytesPerSecond: number;
  /** Between the starts of two passes. */
  days: number;
}

type Position = Selectable<Tables['scrub']>;

export class Scrub {
  readonly #options: ScrubOptions;
  readonly #stopped = new AbortController();
  /** Sessions to be checked before the pass goes on, at full speed. */
  readonly #urgent = new Set<string>();
  #working: Promise<void> | null = null;
  /** A pass that somebody asked for: it is made even where none is by itself. */
  #wanted: 'from the beginning' | 'under way' | null = null;
  #keptAt = 0;
  /** When the next byte may be read, on the clock of `performance`. */
  #readAt = 0;

  constructor(options: ScrubOptions) {
    this.#options = options;
  }

  /** Has a session checked soon. */
  checkSoon(id: string): void {
    if (this.#urgent.size < MAX_URGENT) this.#urgent.add(id);
    void this.work();
  }

  /** Has a new pass begun, wherever the present one is. */
  beginPass(): void {
    this.#wanted = 'from the beginning';
    void this.work();
  }

  /** How far it is; null: it has never run. */
  async position(): Promise<Position | null> {
    const row = await this.#options.database.selectFrom('scrub').selectAll().executeTakeFirst();
    return row ?? null;
  }

  /** Checks what is asked for, and goes on with the pass if one is due. Called while it works, it joins in. */
  work(): Promise<void> {
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  /** Stops between two files, having written down where. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#working;
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  async #work(): Promise<void> {
    try {
      await this.#checkUrgent();
      while (!this.#isStopped && (await this.#step())) await this.#checkUrgent();
    } catch (error) {
      this.#options.log.error({ err: error }, 'the scrub failed; it goes on later');
    }
  }

  async #checkUrgent(): Promise<void> {
    for (const id of this.#urgent) {
      if (this.#isStopped) return;
      this.#urgent.delete(id);
      for await (const file of checkSession(this.#options.store.place(id))) await this.#note(id, file);
    }
  }

  /** Checks one session of the pass. @returns false when no pass is due */
  async #step(): Promise<boolean> {
    const { store, bytesPerSecond } = this.#options;
    const position = await this.#due();
    if (position === null) return false;
    const session = await store.index.firstFrom(position.session_id ?? BEGINNING);
    if (session === null) {
      this.#wanted = null;
      await this.#keep({ ...position, session_id: null, reached: 0, finished_at: new Date().toISOString() });
      return false;
    }
    const id = session.session_id;
    const isSame = id === position.session_id;
    let { files, bytes } = position;
    let reached = isSame ? position.reached : 0;
    const beforeRead = async (count: number) => {
      bytes += count;
      if (bytesPerSecond > 0) await this.#wait(count / bytesPerSecond);
    };
    if (session.place === 'store' || (await store.archive?.isThere())) {
      for await (const file of checkSession(store.place(id), { from: reached, beforeRead })) {
        await this.#note(id, file);
        files++;
        reached = file.reached;
        const now = { ...position, session_id: id, reached, files, bytes };
        if (this.#isStopped) {
          await this.#keep(now);
          return false;
        }
        if (performance.now() - this.#keptAt > KEEP_MS) await this.#keep(now);
        if (this.#urgent.size > 0) await this.#checkUrgent();
      }
    }
    await this.#keep({ ...position, session_id: after(id), reached: 0, files, bytes });
    return true;
  }

  /** Where the pass that is due goes on; null: none is. */
  async #due(): Promise<Position | null> {
    const { bytesPerSecond, days } = this.#options;
    const position = await this.position();
    const isFromBeginning = this.#wanted === 'from the beginning';
    if (isFromBeginning) this.#wanted = 'under way';
    if (bytesPerSecond === 0 && this.#wanted === null) return null;
    const isOver = position?.session_id === null;
    if (position && !isOver && !isFromBeginning) return position;
    if (position && !isFromBeginning && Date.now() - Date.parse(position.pass_started_at) < days * DAY_MS) return null;
    return { ...FIRST, pass_started_at: new Date().toISOString(), finished_at: position?.finished_at ?? null };
  }

  async #keep(position: Position): Promise<void> {
    const { id: _, ...changes } = position;
    await this.#options.database
      .insertInto('scrub')
      .values(position)
      .onConflict((conflict) => conflict.column('id').doUpdateSet(changes))
      .execute();
    this.#keptAt = performance.now();
  }

  async #note(id: string, file: Parameters<ProblemList['note']>[1]): Promise<void> {
    const { store, problems, log } = this.#options;
    // What is being deleted or moved is looked at again later.
    if (file.problem && (store.isBusy(id) || (await store.index.get(id))?.state === 'deleted')) return;
    if (!(await problems.note(id, file))) return;
    const found = { session: id, path: file.path, ...file.problem };
    if (file.problem) log.error(found, 'stored evidence is damaged');
    else log.info(found, 'stored evidence that was damaged is whole again');
  }

  /** Spreads reading over time; a pause of the reader is not made up for. */
  async #wait(seconds: number): Promise<void> {
    const now = performance.now();
    this.#readAt = Math.max(this.#readAt, now) + seconds * 1000;
    const pause = this.#readAt - now;
    if (pause > 1) await sleep(pause, undefined, { signal: this.#stopped.signal }).catch(() => {});
  }
}

/** The first id of all. */
const BEGINNING = '';
const FIRST = { id: ONLY_ROW, session_id: BEGINNING, reached: 0, files: 0, bytes: 0 };

/** The least text that is greater than `id`. */
function after(id: string): string {
  return `${id}\u0000`;
}
