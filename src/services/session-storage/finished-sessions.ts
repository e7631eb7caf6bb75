/** What is done with finished recordings as a whole: legal hold, and deletion that leaves a tombstone. */
import { ServiceError } from '#contract/errors.ts';
import type { StoredSession } from '#contract/session-storage.ts';
import { type Grounds, isHeld } from '#evidence/act.ts';
import { CLOSE_PATH } from '#evidence/bundle-layout.ts';
import { formatEntry } from '#evidence/entry.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { utf8 } from '#evidence/text.ts';
import type { EvidenceStore } from './evidence-store.ts';
import type { FactFiles } from './fact-files.ts';
import { readEntry } from './session-facts.ts';
import type { SessionPlace } from './session-place.ts';

export class FinishedSessions {
  readonly #store: EvidenceStore;

  constructor(store: EvidenceStore) {
    this.#store = store;
  }

  /** Forbids to delete the session until `release`; a live one too. Holding it twice changes nothing. */
  hold(id: string, grounds: Grounds): Promise<StoredSession> {
    return this.#setHold(id, 'hold', grounds);
  }

  /** Ends the hold. Releasing what is not held changes nothing. */
  release(id: string, grounds: Grounds): Promise<StoredSession> {
    return this.#setHold(id, 'release', grounds);
  }

  /**
   * Deletes a recording's keys and chunks. The tombstone is durable before the first of them goes; leaves, entries and
   * acts stay. Deleting again finishes what was interrupted, and else changes nothing.
   *
   * @throws ServiceError `not_found`, `wrong_state` while the session is not closed or is held, `conflict` while
   *   something else is done with it, `unavailable`
   */
  async delete(id: string, grounds: Grounds): Promise<StoredSession> {
    await this.#store.exclusively(id, 'deleted', async (place) => {
      await this.#store.changeFacts(id, (files) => this.#bury(place, files, grounds));
      await place.removeContents();
    });
    return (await this.#store.index.get(id))!;
  }

  /** Makes the tombstone, unless there is one. */
  async #bury({ session, home }: SessionPlace, files: FactFiles, grounds: Grounds): Promise<void> {
    if ((await files.tombstone()) !== null) return;
    const close = await readEntry(home, CLOSE_PATH);
    if (close?.kind !== 'lucid/close/v1') {
      throw new ServiceError('wrong_state', `session ${session} is not closed: end it first`);
    }
    if (isHeld(await files.acts())) {
      throw new ServiceError('wrong_state', `session ${session} is under legal hold: release it first`);
    }
    await this.#store.demandContents(session);
    await files.recordTombstone({
      session,
      time: new Date().toISOString(),
      ...grounds,
      close: sha256(utf8(formatEntry(close))),
      leaves: close.leaves,
      root: close.root,
      storedBytes: close.streams.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    });
  }

  async #setHold(id: string, kind: 'hold' | 'release', grounds: Grounds): Promise<StoredSession> {
    await this.#store.changeFacts(id, async (files) => {
      if (await files.tombstone()) throw new ServiceError('wrong_state', `session ${id} was deleted`);
      if (isHeld(await files.acts()) === (kind === 'hold')) return;
      await files.recordAct({ time: new Date().toISOString(), kind, ...grounds });
      await this.#store.refresh(id);
    });
    return (await this.#store.index.get(id))!;
  }
}
