import type { Generated, Migration } from 'kysely';
import type { Problem } from './check-session.ts';

/** An index over the files: what a list or a sum would have to open every session for. */
export interface Tables {
  sessions: {
    id: string;
    state: 'live' | 'closed' | 'deleted';
    chunks: number;
    stored_bytes: number;
    opened_at: string | null;
    closed_at: string | null;
    deleted_at: string | null;
    /** 0 or 1. */
    held: number;
    place: 'store' | 'archive';
    /** 1 from before files of a finished session change until the row says so: a start reads such sessions again. */
    stale: Generated<number>;
    /** 1 once session-pipeline knows that the session was deleted. */
    told: Generated<number>;
  };
  /** What is wanted of the archive, until it is done. */
  moves: {
    session_id: string;
    kind: 'archive' | 'restore';
    /** User id; null: Lucid itself. */
    by: string | null;
    reason: string;
    requested_at: string;
  };
  /** Files that are not as they must be, until they are again. */
  problems: {
    seq: Generated<number>;
    session_id: string;
    path: string;
    kind: Problem['kind'];
    what: string;
    found_at: string;
    acknowledged_at: string | null;
    acknowledged_by: string | null;
  };
  /** One row: how far the scrub is. */
  scrub: {
    id: number;
    pass_started_at: string;
    /** The session that is being checked, and how far in its `leaves.txt`; null: the pass has come to its end. */
    session_id: string | null;
    reached: number;
    /** Of this pass. */
    files: number;
    bytes: number;
    /** When the last whole pass ended. */
    finished_at: string | null;
  };
}

export const migrations: Record<string, Migration> = {
  '2026-11-20-sessions': {
    async up(database) {
      await database.schema
        .createTable('sessions')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('leaves_bytes', 'integer', (column) => column.notNull())
        .addColumn('chunks', 'integer', (column) => column.notNull())
        .addColumn('stored_bytes', 'integer', (column) => column.notNull())
        .execute();
    },
  },
  /** Made anew: the first start afterwards fills it from the files. */
  '2026-11-21-life': {
    async up(database) {
      await database.schema.dropTable('sessions').execute();
      await database.schema
        .createTable('sessions')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('chunks', 'integer', (column) => column.notNull())
        .addColumn('stored_bytes', 'integer', (column) => column.notNull())
        .addColumn('opened_at', 'text')
        .addColumn('closed_at', 'text')
        .addColumn('deleted_at', 'text')
        .addColumn('held', 'integer', (column) => column.notNull())
        .addColumn('place', 'text', (column) => column.notNull())
        .addColumn('stale', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('told', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
      await database.schema.createIndex('sessions_by_age').on('sessions').columns(['state', 'closed_at']).execute();
      await database.schema
        .createTable('moves')
        .addColumn('session_id', 'text', (column) => column.primaryKey())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('by', 'text')
        .addColumn('reason', 'text', (column) => column.notNull())
        .addColumn('requested_at', 'text', (column) => column.notNull())
        .execute();
    },
  },
  '2026-11-22-scrub': {
    async up(database) {
      await database.schema
        .createTable('problems')
        .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('session_id', 'text', (column) => column.notNull())
        .addColumn('path', 'text', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('what', 'text', (column) => column.notNull())
        .addColumn('found_at', 'text', (column) => column.notNull())
        .addColumn('acknowledged_at', 'text')
        .addColumn('acknowledged_by', 'text')
        .addUniqueConstraint('one_a_file', ['session_id', 'path'])
        .execute();
      await database.schema
        .createTable('scrub')
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('pass_started_at', 'text', (column) => column.notNull())
        .addColumn('session_id', 'text')
        .addColumn('reached', 'integer', (column) => column.notNull())
        .addColumn('files', 'integer', (column) => column.notNull())
        .addColumn('bytes', 'integer', (column) => column.notNull())
        .addColumn('finished_at', 'text')
        .execute();
    },
  },
};
