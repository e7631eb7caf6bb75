import type { Kysely, Selectable } from 'kysely';
import type { Policy } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import type { Approval, ApprovalState } from '#contract/rdp-controller.ts';
import { newId } from '#platform/id.ts';
import type { ApprovalRow, Tables } from './database.ts';

const MINUTE_MS = 60_000;
const DEFAULT_PAGE = 50;
/** Of one person: who may ask must not be able to bury those who decide. */
const MAX_PENDING = 20;
/** What is over is kept so long. */
const KEEP_MS = 366 * 24 * 60 * MINUTE_MS;

interface NewApproval {
  user_id: string;
  server_id: string;
  policy_name: string | null;
  policy: Policy;
  reason: string;
}

interface Decision {
  by: string;
  approve: boolean;
  comment?: string;
  valid_minutes?: number;
}

interface ListQuery {
  limit?: number;
  cursor?: string;
  state?: ApprovalState;
  user_id?: string;
  server_id?: string;
}

/** Just-in-time approval: somebody asks for one session, somebody else decides, and it is used once, within its time. */
export class Approvals {
  readonly #database: Kysely<Tables>;
  readonly #minutes: number;
  readonly #now: () => number;

  constructor(database: Kysely<Tables>, minutes: number, now: () => number = Date.now) {
    this.#database = database;
    this.#minutes = minutes;
    this.#now = now;
  }

  /** @throws ServiceError `limit_reached` when the person has too many that are not decided */
  async create(fresh: NewApproval): Promise<Approval> {
    const pending = await this.#database
      .selectFrom('approvals')
      .select('id')
      .where('user_id', '=', fresh.user_id)
      .where('state', '=', 'pending')
      .where('expires_at', '>', this.#time())
      .execute();
    if (pending.length >= MAX_PENDING) {
      throw new ServiceError('limit_reached', `${MAX_PENDING} wishes of yours are not decided yet: wait for these`);
    }
    const row = await this.#database
      .insertInto('approvals')
      .values({
        ...fresh,
        id: newId(this.#now()),
        state: 'pending',
        policy: JSON.stringify(fresh.policy),
        created_at: this.#time(),
        expires_at: this.#time(this.#minutes * MINUTE_MS),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return this.#toApproval(row);
  }

  /** A page, newest first; the cursor is the last id of the page before. */
  async list(query: ListQuery): Promise<{ items: Approval[]; next_cursor: string | null }> {
    const limit = query.limit ?? DEFAULT_PAGE;
    let select = this.#database.selectFrom('approvals').selectAll();
    if (query.cursor) select = select.where('id', '<', query.cursor);
    if (query.user_id) select = select.where('user_id', '=', query.user_id);
    if (query.server_id) select = select.where('server_id', '=', query.server_id);
    const open = ['pending', 'approved'] as const;
    if (query.state === 'expired') {
      select = select.where('state', 'in', open).where('expires_at', '<=', this.#time());
    } else if (query.state) {
      select = select.where('state', '=', query.state);
      if (query.state === 'pending' || query.state === 'approved')
        select = select.where('expires_at', '>', this.#time());
    }
    const rows = await select
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map((row) => this.#toApproval(row));
    return { items, next_cursor: rows.length > limit ? items[items.length - 1].id : null };
  }

  /** @throws ServiceError `not_found` */
  async get(id: string): Promise<Approval> {
    const row = await this.#database.selectFrom('approvals').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw new ServiceError('not_found', `there is no approval ${id}`);
    return this.#toApproval(row);
  }

  /**
   * Approves or denies. Of any number who decide at once, one does.
   *
   * @throws ServiceError `not_found`, `forbidden` for one's own wish, `wrong_state` when it is decided or has expired
   */
  async decide(id: string, decision: Decision): Promise<Approval> {
    const { by, approve, comment, valid_minutes } = decision;
    if ((await this.get(id)).user_id === by) {
      throw new ServiceError('forbidden', 'the wish is your own: somebody else must decide');
    }
    const row = await this.#database
      .updateTable('approvals')
      .set({
        state: approve ? 'approved' : 'denied',
        decided_at: this.#time(),
        decided_by: by,
        comment: comment ?? null,
        ...(approve && { expires_at: this.#time((valid_minutes ?? this.#minutes) * MINUTE_MS) }),
      })
      .where('id', '=', id)
      .where('state', '=', 'pending')
      .where('expires_at', '>', this.#time())
      .returningAll()
      .executeTakeFirst();
    if (!row) throw new ServiceError('wrong_state', `the wish is ${(await this.get(id)).state} already`);
    return this.#toApproval(row);
  }

  /**
   * Spends an approval for a session. Of any number of callers at once, one succeeds.
   *
   * @returns what was approved
   * @throws ServiceError `not_found`, also when it is somebody else's; `conflict` when it is for another server;
   *   `wrong_state` when it is not approved, used or has expired
   */
  async use(id: string, use: { session_id: string; user_id: string; server_id: string }): Promise<Policy> {
    const approval = await this.get(id);
    if (approval.user_id !== use.user_id) throw new ServiceError('not_found', `there is no approval ${id}`);
    if (approval.server_id !== use.server_id) {
      throw new ServiceError('conflict', `what was approved is a session on server ${approval.server_id}`);
    }
    const result = await this.#database
      .updateTable('approvals')
      .set({ state: 'used', session_id: use.session_id })
      .where('id', '=', id)
      .where('state', '=', 'approved')
      .where('expires_at', '>', this.#time())
      .executeTakeFirst();
    if (result.numUpdatedRows === 1n) return approval.policy;
    throw new ServiceError('wrong_state', `the approval is ${(await this.get(id)).state}: ask for another`);
  }

  /** Gives back an approval that was used for a session which could not be made. */
  async unuse(id: string, sessionId: string): Promise<void> {
    await this.#database
      .updateTable('approvals')
      .set({ state: 'approved', session_id: null })
      .where('id', '=', id)
      .where('state', '=', 'used')
      .where('session_id', '=', sessionId)
      .execute();
  }

  /** Removes what was over a year ago: what was done is in the audit log. */
  async prune(): Promise<void> {
    await this.#database.deleteFrom('approvals').where('expires_at', '<', this.#time(-KEEP_MS)).execute();
  }

  #toApproval(row: Selectable<ApprovalRow>): Approval {
    const isOver = (row.state === 'pending' || row.state === 'approved') && row.expires_at <= this.#time();
    return { ...row, state: isOver ? 'expired' : row.state, policy: JSON.parse(row.policy) };
  }

  #time(offsetMs = 0): string {
    return new Date(this.#now() + offsetMs).toISOString();
  }
}
