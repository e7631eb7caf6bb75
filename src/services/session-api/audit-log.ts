import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { canonicalJson } from '#contract/canonical-json.ts';
import { ServiceError } from '#contract/errors.ts';
import type { AuditEntry } from '#contract/session-api.ts';
import type { AuditRow, Tables } from './database.ts';

/** What an entry says; the log adds number, time and hash. Never a secret. */
export type AuditEvent = Pick<AuditEntry, 'actor' | 'token' | 'address' | 'action' | 'target' | 'outcome'>;

interface ListQuery {
  limit?: number;
  cursor?: string;
  actor?: string;
  action?: string;
  target?: string;
  outcome?: string;
  from?: string;
  before?: string;
}

/** The last entry: whoever knows it notices when the chain ends before it. */
type Head = Pick<AuditEntry, 'seq' | 'time' | 'hash'>;

const DEFAULT_PAGE = 50;
/** What the first entry's hash covers in place of one before it. */
const NO_HASH = '0'.repeat(64);
const VERIFY_PAGE = 1000;

/** The hash of an entry: SHA-256 over the hash before it, a line feed, and the entry without its own hash. */
export function auditHash(before: string, entry: Omit<AuditEntry, 'hash'>): string {
  return createHash('sha256')
    .update(`${before}\n${canonicalJson(entry)}`)
    .digest('hex');
}

/** What was done without an API token names none, in its hash neither. */
function toEntry({ token, ...row }: AuditRow): AuditEntry {
  return { ...row, ...(token !== null && { token }) };
}

/** Who did what: each entry is chained to the one before, so that none can be changed or taken out unnoticed. */
export class AuditLog {
  readonly #database: Kysely<Tables>;
  readonly #now: () => number;

  constructor(database: Kysely<Tables>, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
  }

  async append(event: AuditEvent): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const last = await transaction
        .selectFrom('audit')
        .select(['seq', 'hash'])
        .orderBy('seq', 'desc')
        .limit(1)
        .executeTakeFirst();
      const { actor, token, address, action, target, outcome } = event;
      const time = new Date(this.#now()).toISOString();
      const seq = (last?.seq ?? 0) + 1;
      const entry = { seq, time, actor, ...(token && { token }), address, action, target, outcome };
      const hash = auditHash(last?.hash ?? NO_HASH, entry);
      await transaction
        .insertInto('audit')
        .values({ ...entry, token: token ?? null, hash })
        .execute();
    });
  }

  /** A page, newest first; the cursor is the last number of the page before. */
  async list(query: ListQuery): Promise<{ items: AuditEntry[]; next_cursor: string | null }> {
    const limit = query.limit ?? DEFAULT_PAGE;
    let select = this.#database.selectFrom('audit').selectAll();
    if (query.cursor !== undefined) {
      if (!/^\d{1,15}$/.test(query.cursor)) throw new ServiceError('invalid_request', 'cursor: wants that of a page');
      select = select.where('seq', '<', Number(query.cursor));
    }
    for (const field of ['actor', 'action', 'target', 'outcome'] as const) {
      const wanted = query[field];
      if (wanted !== undefined) select = select.where(field, '=', wanted);
    }
    if (query.from) select = select.where('time', '>=', new Date(query.from).toISOString());
    if (query.before) select = select.where('time', '<', new Date(query.before).toISOString());
    const rows = await select
      .orderBy('seq', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map(toEntry);
    return { items, next_cursor: rows.length > limit ? String(items[items.length - 1].seq) : null };
  }

  /** Walks the whole chain. @returns the number of the first entry that does not fit, or null, and the last entry read */
  async verify(): Promise<{ firstBad: number | null; head: Head | null }> {
    let before = NO_HASH;
    let head: Head | null = null;
    for (let seq = 0; ; ) {
      const rows = await this.#database
        .selectFrom('audit')
        .selectAll()
        .where('seq', '>', seq)
        .orderBy('seq')
        .limit(VERIFY_PAGE)
        .execute();
      if (rows.length === 0) return { firstBad: null, head };
      for (const { hash, ...entry } of rows.map(toEntry)) {
        seq++;
        head = { seq: entry.seq, time: entry.time, hash };
        if (entry.seq !== seq || auditHash(before, entry) !== hash) return { firstBad: seq, head };
        before = hash;
      }
      // Others go first: the whole log may be long.
      await turn();
    }
  }
}
