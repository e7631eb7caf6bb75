import type { Migration } from 'kysely';

export interface TicketRow {
  id: string;
  session_id: string;
  /** SHA-256 of the secret, hex: the secret itself is nowhere. */
  secret_sha256: string;
  created_at: string;
  expires_at: string;
  used_at: string | null;
}

export interface ConnectionRow {
  id: string;
  /** Unique: one connection a session. */
  session_id: string;
  user_id: string;
  server_id: string;
  client_address: string;
  client_name: string;
  connected_at: string;
  ends_at: string;
  /** 1 while the recording is being opened: no client is through yet. */
  opening: number;
  /** 1 when another connection takes its place: the session goes on. */
  replaced: number;
  /** Set when it is gone, until the pipeline has been told. */
  ended_at: string | null;
  resumable: number;
  reason: string | null;
}

export interface PolicyRow {
  id: string;
  name: string;
  description: string;
  /** JSON, as are roles and servers. */
  policy: string;
  roles: string;
  servers: string | null;
  /** 0 or 1. */
  approval: number;
  created_at: string;
  updated_at: string;
}

export interface ApprovalRow {
  id: string;
  /** What was decided, or done with it. That it has expired is told by the clock. */
  state: 'pending' | 'approved' | 'denied' | 'used';
  user_id: string;
  server_id: string;
  policy_name: string | null;
  /** JSON. */
  policy: string;
  reason: string;
  created_at: string;
  expires_at: string;
  decided_at: string | null;
  decided_by: string | null;
  comment: string | null;
  session_id: string | null;
}

export interface Tables {
  tickets: TicketRow;
  connections: ConnectionRow;
  policies: PolicyRow;
  approvals: ApprovalRow;
}

export const migrations: Record<string, Migration> = {
  '2026-11-20-tickets-and-connections': {
    async up(database) {
      await database.schema
        .createTable('tickets')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('session_id', 'text', (column) => column.notNull())
        .addColumn('secret_sha256', 'text', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('expires_at', 'text', (column) => column.notNull())
        .addColumn('used_at', 'text')
        .execute();
      await database.schema.createIndex('tickets_by_expiry').on('tickets').column('expires_at').execute();
      await database.schema
        .createTable('connections')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('session_id', 'text', (column) => column.notNull().unique())
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('server_id', 'text', (column) => column.notNull())
        .addColumn('client_address', 'text', (column) => column.notNull())
        .addColumn('client_name', 'text', (column) => column.notNull())
        .addColumn('connected_at', 'text', (column) => column.notNull())
        .addColumn('ends_at', 'text', (column) => column.notNull())
        .addColumn('opening', 'integer', (column) => column.notNull())
        .addColumn('replaced', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('ended_at', 'text')
        .addColumn('resumable', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('reason', 'text')
        .execute();
    },
  },
  '2026-11-21-policies-and-approvals': {
    async up(database) {
      await database.schema
        .createTable('policies')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('policy', 'text', (column) => column.notNull())
        .addColumn('roles', 'text', (column) => column.notNull())
        .addColumn('servers', 'text')
        .addColumn('approval', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('updated_at', 'text', (column) => column.notNull())
        .execute();
      await database.schema
        .createTable('approvals')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('server_id', 'text', (column) => column.notNull())
        .addColumn('policy_name', 'text')
        .addColumn('policy', 'text', (column) => column.notNull())
        .addColumn('reason', 'text', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('expires_at', 'text', (column) => column.notNull())
        .addColumn('decided_at', 'text')
        .addColumn('decided_by', 'text')
        .addColumn('comment', 'text')
        .addColumn('session_id', 'text')
        .execute();
      await database.schema.createIndex('approvals_by_state').on('approvals').columns(['state', 'id']).execute();
      await database.schema.createIndex('approvals_by_user').on('approvals').columns(['user_id', 'id']).execute();
    },
  },
};
