import type { Migration } from 'kysely';
import type { ServerState } from '#contract/rdp-server-manager.ts';

export interface ServerRow {
  id: string;
  name: string;
  /** JSON of the contract's HostedSpec or ExternalSpec. */
  spec: string;
  /** The vault's text; null for none. */
  sealed_password: string | null;
  /** Certificate seen first, SHA-256, hex: counts where the spec names none. */
  first_certificate_sha256: string | null;
  state: ServerState;
  problem: string | null;
  /** 1 when the server should run: again after a crash, of it or of Lucid. */
  wanted: number;
  created_at: string;
}

export interface Tables {
  servers: ServerRow;
}

export const migrations: Record<string, Migration> = {
  '2026-11-20-servers': {
    async up(database) {
      await database.schema
        .createTable('servers')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('spec', 'text', (column) => column.notNull())
        .addColumn('sealed_password', 'text')
        .addColumn('first_certificate_sha256', 'text')
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('problem', 'text')
        .addColumn('wanted', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .execute();
    },
  },
};
