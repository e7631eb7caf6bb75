import type { SealedChunk, SealHead } from '#contract/chunk-processor.ts';
import { LOST_STATE, type SealAnswer, type SealRequest } from '#contract/seal-message.ts';
import { FormatError } from '#evidence/format-error.ts';
import { sealChunk } from '#evidence/node/chunk.ts';
import { RecordType, readRecords, type Stream } from '#evidence/record.ts';
import { toHex } from '#evidence/text.ts';
import { type IndexedRun, indexRun } from './index-run.ts';

export interface SealOptions {
  /** False where decoding has brought the worker down before: the run is sealed all the same. */
  readonly decode: boolean;
}

/**
 * Seals a run; of a screen run, derives keyframes and index and seals them too. Chunks come in parts.
 * @throws FormatError when the run does not hold together
 */
export function serveSeal({ head, state, records }: SealRequest, { decode }: SealOptions): SealAnswer {
  const parts: Uint8Array[] = [];
  const own = seal(head, head.stream, records, parts);
  if (head.stream !== 'screen') {
    return { head: { chunks: [own], decoded_bytes: 0, undecodable_bytes: 0 }, state, chunks: parts };
  }
  const indexed = decode && state.length !== LOST_STATE.length ? tryToIndex(head, state, records, own.bytes) : null;
  if (indexed === null) {
    const undecodable_bytes = pduBytes(records);
    return { head: { chunks: [own], decoded_bytes: 0, undecodable_bytes }, state: LOST_STATE, chunks: parts };
  }
  const chunks = [own];
  if (indexed.keyframes.length > 0) chunks.push(seal(head, 'keyframes', Buffer.concat(indexed.keyframes), parts));
  chunks.push(seal(head, 'index', indexed.index, parts));
  const { decodedBytes, undecodableBytes } = indexed;
  return {
    head: { chunks, decoded_bytes: decodedBytes, undecodable_bytes: undecodableBytes },
    state: indexed.state,
    chunks: parts,
  };
}

/** Seals records of `stream` as a chunk, whose bytes are added to `parts`. */
function seal({ recipient, level }: SealHead, stream: Stream, records: Uint8Array, parts: Uint8Array[]): SealedChunk {
  const { encoding, parts: sealed, storedBytes, sha256, summary } = sealChunk({ stream, records, recipient, level });
  parts.push(...sealed);
  return {
    stream,
    compression: encoding,
    bytes: storedBytes,
    sha256: toHex(sha256),
    first_us: summary.firstTime,
    last_us: summary.lastTime,
    records: summary.records,
    plain_bytes: records.length,
  };
}

/** @returns null when the run or the state cannot be read as far as that: evidence is not lost for want of an index */
function tryToIndex(head: SealHead, state: Uint8Array, records: Uint8Array, ownBytes: number): IndexedRun | null {
  const { next_index: nextIndex, stored_bytes: stored, activity } = head;
  try {
    return indexRun(records, state, {
      nextIndex,
      storedBytes: { all: stored.all + ownBytes, keyframes: stored.keyframes },
      activity,
    });
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

function pduBytes(records: Uint8Array): number {
  let bytes = 0;
  for (const { record } of readRecords(records)) if (record.type === RecordType.serverPdu) bytes += record.body.length;
  return bytes;
}
