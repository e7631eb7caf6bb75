import type { Migration } from 'kysely';
import type { Node } from '#contract/node-management.ts';

export interface Tables {
  nodes: Node;
}

export const migrations: Record<string, Migration> = {
  '2026-11-20-nodes': {
    async up(database) {
      await database.schema
        .createTable('nodes')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('cores', 'integer', (column) => column.notNull())
        .addColumn('memory_bytes', 'integer', (column) => column.notNull())
        .addColumn('registered_at', 'text', (column) => column.notNull())
        .addColumn('last_heartbeat_at', 'text', (column) => column.notNull())
        .execute();
    },
  },
};
