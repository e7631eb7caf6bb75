/** What was done with a recording as a whole: acts and tombstone, in files beside its evidence. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '#contract/errors.ts';
import { type Act, formatAct, MAX_ACTS, parseActs } from '#evidence/act.ts';
import { ACTS_PATH, TOMBSTONE_PATH } from '#evidence/bundle-layout.ts';
import { utf8 } from '#evidence/text.ts';
import { formatTombstone, parseTombstone, type Tombstone } from '#evidence/tombstone.ts';
import { appendDurably, diskError, exists, writeDurably } from './durable-write.ts';

/**
 * Where acts and tombstones go: at first files of the session, later a ledger as well. One call after another for a
 * session: callers see to that.
 */
export interface FactLog {
  /** Takes an act, which is durable when the promise is fulfilled. */
  recordAct(act: Omit<Act, 'session' | 'number'>): Promise<void>;
  /** Takes a tombstone, durable when the promise is fulfilled; the first one stays. */
  recordTombstone(tombstone: Tombstone): Promise<void>;
}

export class FactFiles implements FactLog {
  readonly #session: string;
  readonly #folder: string;

  /** @param folder of the session in the store */
  constructor(session: string, folder: string) {
    this.#session = session;
    this.#folder = folder;
  }

  /** @throws FormatError when the file is damaged; ServiceError `unavailable` */
  async acts(): Promise<Act[]> {
    return parseActs((await this.#read(ACTS_PATH)) ?? new Uint8Array(0));
  }

  /** @throws as `acts` */
  async tombstone(): Promise<Tombstone | null> {
    const bytes = await this.#read(TOMBSTONE_PATH);
    return bytes && parseTombstone(bytes);
  }

  /** @throws ServiceError `limit_reached`, `storage_full`, `unavailable` */
  async recordAct(act: Omit<Act, 'session' | 'number'>): Promise<void> {
    const path = join(this.#folder, ACTS_PATH);
    const bytes = (await this.#read(ACTS_PATH)) ?? new Uint8Array(0);
    const number = parseActs(bytes).length;
    if (number >= MAX_ACTS) throw new ServiceError('limit_reached', `session ${this.#session} has ${number} acts`);
    const line = utf8(`${formatAct({ ...act, session: this.#session, number })}\n`);
    if (bytes.length === 0) await writeDurably(path, line);
    else await appendDurably(path, bytes.lastIndexOf(0x0a) + 1, line);
  }

  /** @throws ServiceError `storage_full`, `unavailable` */
  async recordTombstone(tombstone: Tombstone): Promise<void> {
    const path = join(this.#folder, TOMBSTONE_PATH);
    if (!(await exists(path))) await writeDurably(path, utf8(formatTombstone(tombstone)));
  }

  #read(path: string): Promise<Uint8Array | null> {
    return readFile(join(this.#folder, path)).catch((error) => {
      if (error.code === 'ENOENT') return null;
      throw diskError(error);
    });
  }
}
