import { type Kysely, type Selectable, sql } from 'kysely';
import type { SealedChunk } from '#contract/chunk-processor.ts';
import type { RecordingStatus } from '#contract/session-recorder.ts';
import { toHex } from '#evidence/text.ts';
import type { Tables } from './database.ts';
import type { Manifest } from './manifest.ts';
import type { OpenedRecording } from './open-recording.ts';
import { type Figures, judge, undecodableShare } from './quality.ts';

/** What a run was, besides its chunk. */
export interface RunFacts {
  /** Seq of its last record. */
  readonly lastSeq: number;
  /** Captured records and their bytes: without what is repeated at the chunk's head. */
  readonly records: number;
  readonly bytes: number;
  /** Markers of a gap among them. */
  readonly gaps: number;
  /** Records that these count as missing. */
  readonly missing: number;
  /** Bytes of server PDUs that the decoders have read, and have not been able to read. */
  readonly decodedBytes: number;
  readonly undecodableBytes: number;
  /** The latest config at its end, written and in base64; null before the first. */
  readonly config: string | null;
}

/** A chunk that was sealed, and of a run's own chunk what the run was. */
export interface KeptChunk {
  readonly chunk: SealedChunk;
  readonly run: RunFacts | null;
}

export type RecordingRow = Selectable<Tables['recordings']>;

/** What is kept of recordings beyond their time in memory: how they ended, and what a crash must not make unknown. */
export class RecordingIndex {
  readonly #database: Kysely<Tables>;

  constructor(database: Kysely<Tables>) {
    this.#database = database;
  }

  /** @param opened what makes it possible to seal on after a crash */
  async add(status: RecordingStatus, opened: OpenedRecording, durability: RecordingRow['durability']): Promise<void> {
    const { session_id, state, opened_at } = status;
    await this.#database
      .insertInto('recordings')
      .values({
        session_id,
        state,
        opened_at,
        open_hash: toHex(opened.openHash),
        public_keys: JSON.stringify(opened.publicKeys),
        durability,
      })
      .execute();
  }

  /** Keeps figures, and a note that is about to be stored. */
  async keepNote(status: RecordingStatus, manifest: Manifest, kind: 'partial' | 'close', note: string): Promise<void> {
    await this.#database
      .updateTable('recordings')
      .set({ ...figures(status, manifest), note_kind: kind, note })
      .where('session_id', '=', status.session_id)
      .execute();
  }

  /** Keeps what is known of a run's chunks; the first is its own. */
  async keepChunks(session_id: string, chunks: readonly SealedChunk[], run: RunFacts): Promise<void> {
    const rows = chunks.map((chunk, i) => {
      return {
        session_id,
        sha256: chunk.sha256,
        chunk: JSON.stringify(chunk),
        run: i === 0 ? JSON.stringify(run) : null,
      };
    });
    await this.#database.insertInto('chunks').values(rows).execute();
  }

  /** All that were sealed of a recording, stored or not, in the order in which they were. */
  async keptChunks(id: string): Promise<KeptChunk[]> {
    const rows = await this.#database
      .selectFrom('chunks')
      .select(['chunk', 'run'])
      .where('session_id', '=', id)
      .orderBy(sql`rowid`)
      .execute();
    return rows.map(({ chunk, run }) => ({ chunk: JSON.parse(chunk), run: run && JSON.parse(run) }));
  }

  async setState(id: string, state: RecordingStatus['state']): Promise<void> {
    await this.#database.updateTable('recordings').set({ state }).where('session_id', '=', id).execute();
  }

  /** A recording is closed: what was kept for a crash is no longer needed. */
  async setClosed(status: RecordingStatus, manifest: Manifest): Promise<void> {
    const id = status.session_id;
    await this.#database
      .updateTable('recordings')
      .set({ ...figures(status, manifest), state: 'closed', note_kind: null, note: null })
      .where('session_id', '=', id)
      .execute();
    await this.#database.deleteFrom('chunks').where('session_id', '=', id).execute();
  }

  async find(id: string): Promise<RecordingRow | undefined> {
    return this.#database.selectFrom('recordings').selectAll().where('session_id', '=', id).executeTakeFirst();
  }

  /** Recordings that an earlier run of this service has left open. */
  async unfinished(): Promise<RecordingRow[]> {
    return this.#database.selectFrom('recordings').selectAll().where('state', '!=', 'closed').execute();
  }
}

/** What a row says of its recording. */
export function rowStatus(row: RecordingRow, undecodableLimit: number): RecordingStatus {
  const quality = judge(rowFigures(row), undecodableLimit);
  return {
    session_id: row.session_id,
    state: row.state,
    opened_at: row.opened_at,
    paused: false,
    records: row.records,
    bytes: row.bytes,
    sealed_bytes: row.state === 'closed' ? row.bytes : 0,
    chunks: row.chunks,
    durable_seq: row.durable_seq,
    undecodable_share: undecodableShare(quality),
    quality,
  };
}

/** Rows of an earlier version have no figures by stream. */
function rowFigures(row: RecordingRow): Figures {
  if (row.figures !== null) return JSON.parse(row.figures);
  const { durability, gaps, decoded_bytes, undecodable_bytes } = row;
  return { durability, streams: [], missing_records: 0, gaps, receipts: 0, decoded_bytes, undecodable_bytes };
}

function figures(status: RecordingStatus, manifest: Manifest) {
  return {
    records: status.records,
    bytes: status.bytes,
    durable_seq: status.durable_seq,
    chunks: status.chunks,
    partials: manifest.partials,
    gaps: manifest.gaps,
    decoded_bytes: manifest.decodedBytes,
    undecodable_bytes: manifest.undecodableBytes,
    figures: JSON.stringify(manifest.figures),
  };
}
