import type { Migration } from 'kysely';
import type { NodeSample } from '#contract/rdp-monitor.ts';

export interface Tables {
  samples: NodeSample;
}

export const migrations: Record<string, Migration> = {
  '2026-11-20-samples': {
    async up(database) {
      await database.schema
        .createTable('samples')
        .addColumn('time', 'text', (column) => column.primaryKey())
        .addColumn('cpu_share', 'real', (column) => column.notNull())
        .addColumn('memory_total_bytes', 'integer', (column) => column.notNull())
        .addColumn('memory_used_bytes', 'integer', (column) => column.notNull())
        .addColumn('process_memory_bytes', 'integer', (column) => column.notNull())
        .addColumn('disk_total_bytes', 'integer', (column) => column.notNull())
        .addColumn('disk_used_bytes', 'integer', (column) => column.notNull())
        .addColumn('live_connections', 'integer', (column) => column.notNull())
        .execute();
    },
  },
};
