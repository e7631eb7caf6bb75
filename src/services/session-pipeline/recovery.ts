import type { Peers } from '#contract/index.ts';
import type { Log } from '#platform/log.ts';
import type { OutsideSessions } from './outside-sessions.ts';
import type { ProcessingQueue } from './processing-queue.ts';
import type { SessionLife } from './session-life.ts';
import type { SessionStore } from './session-store.ts';

interface RecoveryOptions {
  store: SessionStore;
  life: SessionLife;
  outside: OutsideSessions;
  processing: ProcessingQueue;
  controller: Peers['rdp-controller'];
  log: Log;
}

/**
 * Takes up what an earlier run left: sessions that were being processed go on being processed; live ones are asked for at
 * the recorder, and go on, are closed, or fail with the reason. One whose recorder does not answer is asked for again at
 * the next call. Those of outside recorders go on: it is for them to come back.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #left = new Set<string>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** How many sessions are not taken up yet. */
  get left(): number {
    return this.#left.size;
  }

  /** Finds what was left. Call once, at the start. */
  async begin(): Promise<void> {
    const { store, processing, outside } = this.#options;
    for (const { id, recorder_id } of await store.inState('starting', 'recording', 'paused')) {
      if (recorder_id === null) this.#left.add(id);
    }
    for (const row of await store.inState('stopped', 'processing')) {
      if (row.recorder_id === null) processing.add(row.id, row.priority);
      else await outside.finish(row);
    }
    await this.go();
  }

  /** Takes up as many of those left as can be. */
  async go(): Promise<void> {
    if (this.#left.size === 0) return;
    const { life, log } = this.#options;
    const connected = await this.#connected();
    for (const id of this.#left) {
      try {
        await life.takeUp(id, connected);
        this.#left.delete(id);
      } catch (error) {
        log.warn({ err: error, session: id }, 'a session cannot be taken up yet');
      }
    }
  }

  async #connected(): Promise<ReadonlySet<string> | null> {
    try {
      const { items } = await this.#options.controller.listConnections({});
      // Those whose end is still to be told are among them: with that word comes how they ended.
      return new Set(items.map((connection) => connection.id));
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the controller cannot tell which connections are up');
      return null;
    }
  }
}
