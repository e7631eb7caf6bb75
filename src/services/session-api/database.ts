import type { Migration } from 'kysely';
import type { ApiToken, AuditEntry, OutsideRecorder, User } from '#contract/session-api.ts';

export interface UserRow extends User {
  /** argon2id, as a PHC string. */
  password: string;
  /** Tokens carry it; raising it ends all that were given out before. */
  token_epoch: number;
}

export interface AuditRow extends Omit<AuditEntry, 'token'> {
  token: string | null;
}

export interface TokenRow extends Omit<ApiToken, 'scopes'> {
  /** JSON. */
  scopes: string;
  /** Hex: the secret itself is nowhere. */
  secret_sha256: string;
}

export interface IdempotencyRow {
  user_id: string;
  key_sha256: string;
  /** Of operation, parameters and body. */
  request_sha256: string;
  created_at: string;
  /** Encrypted; null while the request is worked on. */
  answer: Uint8Array | null;
}

export interface Tables {
  users: UserRow;
  audit: AuditRow;
  tokens: TokenRow;
  idempotency: IdempotencyRow;
  recorders: OutsideRecorder;
}

export const migrations: Record<string, Migration> = {
  '2026-11-20-users-and-audit': {
    async up(database) {
      await database.schema
        .createTable('users')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('role', 'text', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('password', 'text', (column) => column.notNull())
        .addColumn('token_epoch', 'integer', (column) => column.notNull())
        .execute();
      await database.schema
        .createTable('audit')
        .addColumn('seq', 'integer', (column) => column.primaryKey())
        .addColumn('time', 'text', (column) => column.notNull())
        .addColumn('actor', 'text')
        .addColumn('address', 'text', (column) => column.notNull())
        .addColumn('action', 'text', (column) => column.notNull())
        .addColumn('target', 'text')
        .addColumn('outcome', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull())
        .execute();
    },
  },
  '2026-11-21-tokens-idempotency-recorders': {
    async up(database) {
      await database.schema.alterTable('audit').addColumn('token', 'text').execute();
      await database.schema.createIndex('audit_by_actor').on('audit').columns(['actor', 'seq']).execute();
      await database.schema.createIndex('audit_by_target').on('audit').columns(['target', 'seq']).execute();
      await database.schema
        .createTable('tokens')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('scopes', 'text', (column) => column.notNull())
        .addColumn('secret_sha256', 'text', (column) => column.notNull().unique())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('expires_at', 'text')
        .addColumn('last_used_at', 'text')
        .execute();
      await database.schema.createIndex('tokens_by_user').on('tokens').columns(['user_id', 'id']).execute();
      await database.schema
        .createTable('idempotency')
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('key_sha256', 'text', (column) => column.notNull())
        .addColumn('request_sha256', 'text', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('answer', 'blob')
        .addPrimaryKeyConstraint('idempotency_key', ['user_id', 'key_sha256'])
        .execute();
      await database.schema.createIndex('idempotency_by_time').on('idempotency').column('created_at').execute();
      await database.schema
        .createTable('recorders')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('verifier_key', 'text', (column) => column.notNull())
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('revoked_at', 'text')
        .execute();
    },
  },
};
