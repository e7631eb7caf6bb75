import type { Generated, Migration } from 'kysely';
import type { RecordingStatus } from '#contract/session-recorder.ts';

export interface Tables {
  recordings: {
    session_id: string;
    state: RecordingStatus['state'];
    opened_at: string;
    /** SHA-256 of the open entry's text, hexadecimal. */
    open_hash: string;
    /** JSON: public half of each session key. */
    public_keys: string;
    durability: 'strict' | 'relaxed';
    records: Generated<number>;
    bytes: Generated<number>;
    durable_seq: Generated<number>;
    chunks: Generated<number>;
    partials: Generated<number>;
    gaps: Generated<number>;
    decoded_bytes: Generated<number>;
    undecodable_bytes: Generated<number>;
    /** JSON: `Figures`; null in rows of an earlier version. */
    figures: string | null;
    /** An entry that was signed last: stored already, or to be stored before anything else is signed. */
    note_kind: 'partial' | 'close' | null;
    note: string | null;
  };
  /** What the store does not know of a chunk, kept while its recording is open. */
  chunks: {
    session_id: string;
    sha256: string;
    /** JSON: `SealedChunk`. */
    chunk: string;
    /** JSON: `RunFacts`, of a run's own chunk. */
    run: string | null;
  };
}

export const migrations: Record<string, Migration> = {
  '2026-11-20-recordings': {
    async up(database) {
      await database.schema
        .createTable('recordings')
        .addColumn('session_id', 'text', (column) => column.primaryKey())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('opened_at', 'text', (column) => column.notNull())
        .addColumn('open_hash', 'text', (column) => column.notNull())
        .addColumn('public_keys', 'text', (column) => column.notNull())
        .addColumn('durability', 'text', (column) => column.notNull())
        .addColumn('records', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('bytes', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('durable_seq', 'integer', (column) => column.notNull().defaultTo(-1))
        .addColumn('chunks', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('partials', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('gaps', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('decoded_bytes', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('undecodable_bytes', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('note_kind', 'text')
        .addColumn('note', 'text')
        .execute();
      await database.schema
        .createTable('chunks')
        .addColumn('session_id', 'text', (column) => column.notNull())
        .addColumn('sha256', 'text', (column) => column.notNull())
        .addColumn('chunk', 'text', (column) => column.notNull())
        .addColumn('run', 'text')
        .addPrimaryKeyConstraint('chunks_key', ['session_id', 'sha256'])
        .execute();
    },
  },
  '2026-11-22-figures': {
    async up(database) {
      await database.schema.alterTable('recordings').addColumn('figures', 'text').execute();
    },
  },
};
