import { type Generated, type Migration, sql } from 'kysely';
import type { Priority } from '#contract/common.ts';
import type { SessionState, Stage } from '#contract/session-pipeline.ts';

export interface SessionRow {
  id: string;
  server_id: string;
  user_id: string;
  state: SessionState;
  /** JSON. */
  policy: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  reason: string | null;
  /** The connection that is up now. */
  connection_id: string | null;
  /** Without a connection: until when one may come back. */
  resumable_until: string | null;
  /** How often closing the recording was tried. */
  close_attempts: number;
  name: string | null;
  /** JSON. */
  labels: Generated<string>;
  priority: Generated<Priority>;
  /** The outside recorder that records it; null: Lucid does. */
  recorder_id: string | null;
  /** When something last came from it. */
  outside_at: string | null;
}

export interface TransitionRow {
  seq: Generated<number>;
  session_id: string;
  time: string;
  event: string;
  from_state: SessionState;
  to_state: SessionState;
  cause: string;
}

export interface ErrorRow {
  seq: Generated<number>;
  session_id: string;
  time: string;
  stage: Stage;
  message: string;
}

export interface Tables {
  sessions: SessionRow;
  transitions: TransitionRow;
  errors: ErrorRow;
}

export const migrations: Record<string, Migration> = {
  '2026-11-20-sessions': {
    async up(database) {
      await database.schema
        .createTable('sessions')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('server_id', 'text', (column) => column.notNull())
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('policy', 'text', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('started_at', 'text')
        .addColumn('ended_at', 'text')
        .addColumn('reason', 'text')
        .addColumn('connection_id', 'text')
        .addColumn('resumable_until', 'text')
        .addColumn('close_attempts', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
      await database.schema.createIndex('sessions_by_state').on('sessions').columns(['state', 'id']).execute();
      await database.schema.createIndex('sessions_by_user').on('sessions').columns(['user_id', 'id']).execute();
      await database.schema
        .createTable('transitions')
        .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.id'))
        .addColumn('time', 'text', (column) => column.notNull())
        .addColumn('event', 'text', (column) => column.notNull())
        .addColumn('from_state', 'text', (column) => column.notNull())
        .addColumn('to_state', 'text', (column) => column.notNull())
        .addColumn('cause', 'text', (column) => column.notNull())
        .execute();
      await database.schema
        .createIndex('transitions_by_session')
        .on('transitions')
        .columns(['session_id', 'seq'])
        .execute();
    },
  },
  '2026-11-21-names-priorities-errors': {
    async up(database) {
      const columns = {
        name: sql`text`,
        labels: sql`text not null default '{}'`,
        priority: sql`text not null default 'normal'`,
        recorder_id: sql`text`,
        outside_at: sql`text`,
      };
      for (const [name, type] of Object.entries(columns)) {
        await sql`alter table sessions add column ${sql.ref(name)} ${type}`.execute(database);
      }
      for (const field of ['created_at', 'started_at', 'ended_at', 'name', 'state']) {
        const index = sql.ref(`sessions_by_${field}_sorted`);
        await sql`create index ${index} on sessions (coalesce(${sql.ref(field)}, ''), id)`.execute(database);
      }
      await database.schema
        .createTable('errors')
        .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.id'))
        .addColumn('time', 'text', (column) => column.notNull())
        .addColumn('stage', 'text', (column) => column.notNull())
        .addColumn('message', 'text', (column) => column.notNull())
        .execute();
      await database.schema.createIndex('errors_by_session').on('errors').columns(['session_id', 'seq']).execute();
      await database.schema.createIndex('errors_by_time').on('errors').column('time').execute();
      await database.schema.createIndex('transitions_by_time').on('transitions').columns(['time', 'event']).execute();
    },
  },
};
