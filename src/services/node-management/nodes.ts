import type { Kysely } from 'kysely';
import type { Node } from '#contract/node-management.ts';
import { newId } from '#platform/id.ts';
import type { Tables } from './database.ts';

/** A node that has missed so many heartbeats counts as failed. */
const MISSED_BEATS = 4;

export interface Capacity {
  cores: number;
  memory_bytes: number;
}

/** The machines that run Lucid, and when each was last heard of. */
export class Nodes {
  readonly #database: Kysely<Tables>;
  readonly #silenceMs: number;
  readonly #now: () => number;

  constructor(database: Kysely<Tables>, heartbeatSeconds: number, now: () => number = Date.now) {
    this.#database = database;
    this.#silenceMs = heartbeatSeconds * 1000 * MISSED_BEATS;
    this.#now = now;
  }

  /** Registers a node, or renews its heartbeat and capacity: one that was failed or inactive is active again. */
  async beat(name: string, capacity: Capacity): Promise<void> {
    const now = this.#time(0);
    const row = { ...capacity, last_heartbeat_at: now };
    await this.#database
      .insertInto('nodes')
      .values({ id: newId(this.#now()), name, state: 'active', registered_at: now, ...row })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
      .execute();
    await this.#database
      .updateTable('nodes')
      .set({ state: 'active' })
      .where('name', '=', name)
      .where('state', 'in', ['inactive', 'failed'])
      .execute();
  }

  /** The node stops in good order. */
  async leave(name: string): Promise<void> {
    await this.#database.updateTable('nodes').set({ state: 'inactive' }).where('name', '=', name).execute();
  }

  /** Takes nodes that were silent too long as failed. @returns their names */
  async failSilent(): Promise<string[]> {
    const rows = await this.#database
      .updateTable('nodes')
      .set({ state: 'failed' })
      .where('state', 'in', ['active', 'draining'])
      .where('last_heartbeat_at', '<', this.#time(-this.#silenceMs))
      .returning('name')
      .execute();
    return rows.map((row) => row.name);
  }

  /** All nodes, by name. */
  async list(): Promise<Node[]> {
    return this.#database.selectFrom('nodes').selectAll().orderBy('name').execute();
  }

  #time(offsetMs: number): string {
    return new Date(this.#now() + offsetMs).toISOString();
  }
}
