import type { SealedChunk } from '#contract/chunk-processor.ts';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import { allItems } from '#contract/pages.ts';
import type { NoteSigner } from '#evidence/node/signing.ts';
import { type KeyName, readRecords } from '#evidence/record.ts';
import { fromHex } from '#evidence/text.ts';
import type { CapturedStream } from './journal/journal.ts';
import { Manifest } from './manifest.ts';
import type { PastRecording } from './recording.ts';
import type { KeptChunk, RecordingIndex, RecordingRow } from './recording-index.ts';

/** A recording that was open when an earlier run of the recorder ended: what is stored of it. */
export interface Past extends PastRecording {
  readonly manifest: Manifest;
  readonly publicKeys: Readonly<Record<KeyName, string>>;
  /** Seq of each stream's last record that is in a stored chunk. */
  readonly stored: ReadonlyMap<CapturedStream, number>;
  /** The close entry is stored: nothing is left to be done. */
  readonly isClosed: boolean;
}

/**
 * Finds out how far an earlier run of the recorder has come with a recording. An entry that it had signed is stored first,
 * as it is; so is a chunk that lies in the store without its leaf: neither is ever made twice.
 *
 * @throws ServiceError when the store cannot be reached: try again later
 */
export async function readPast(
  row: RecordingRow,
  options: { peers: Pick<Peers, 'session-storage'>; signer: NoteSigner; index: RecordingIndex },
): Promise<Past> {
  const { signer, index } = options;
  const storage = options.peers['session-storage'];
  const id = row.session_id;
  const manifest = new Manifest(id, signer, fromHex(row.open_hash, 32, 'open_hash'), row.durability);
  manifest.partials = row.partials;
  if (row.note && row.note_kind) {
    await storage.putEntry({ params: { id, kind: row.note_kind }, body: { note: row.note } });
  }

  const kept = new Map((await index.keptChunks(id)).map((item) => [item.chunk.sha256, item]));
  const stored = new Map<CapturedStream, number>();
  const past = { storedRecords: 0, storedBytes: 0, storedTime: 0, config: null as PastRecording['config'] };
  const enter = ({ chunk, run }: KeptChunk) => {
    manifest.add(chunk);
    kept.delete(chunk.sha256);
    if (run === null) return;
    stored.set(chunk.stream as CapturedStream, run.lastSeq);
    past.storedRecords += run.records;
    past.storedTime = Math.max(past.storedTime, chunk.last_us);
    past.storedBytes += run.bytes;
    if (run.config) past.config = [...readRecords(Buffer.from(run.config, 'base64'))][0].record;
    manifest.gaps += run.gaps;
    // What an earlier version kept does not say.
    manifest.missing += run.missing ?? 0;
    manifest.decodedBytes += run.decodedBytes;
    manifest.undecodableBytes += run.undecodableBytes;
  };
  for (const { sha256, stream, index: number } of await allItems((query) =>
    storage.listChunks({ params: { id }, query }),
  )) {
    const item = kept.get(sha256);
    if (!item) throw new ServiceError('conflict', `chunk ${number} of ${stream} was not sealed by this recorder`);
    enter(item);
  }
  for (const item of [...kept.values()]) if (await adopt(storage, id, item.chunk, manifest)) enter(item);
  return {
    ...past,
    manifest,
    stored,
    publicKeys: JSON.parse(row.public_keys),
    openedAt: row.opened_at,
    hasFailed: row.state === 'failed',
    isClosed: row.note_kind === 'close',
  };
}

/** Has the store enter a chunk whose file a crash has left without a leaf. @returns false when there is no such file */
async function adopt(
  storage: Peers['session-storage'],
  id: string,
  chunk: SealedChunk,
  manifest: Manifest,
): Promise<boolean> {
  const { stream, compression, sha256, first_us, last_us, records } = chunk;
  const params = { id, stream, index: manifest.nextIndex(stream) };
  try {
    await storage.adoptChunk({ params, query: { compression, sha256, first_us, last_us, records } });
    return true;
  } catch (error) {
    if (error instanceof ServiceError && ['not_found', 'wrong_state'].includes(error.code)) return false;
    throw error;
  }
}
