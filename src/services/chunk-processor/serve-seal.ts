import { readCapturedState, writeCapturedState } from '#contract/captured-state.ts';
import type { SealedChunk, SealHead } from '#contract/chunk-processor.ts';
import { SealAnswerWriter, type SealRequest } from '#contract/seal-message.ts';
import { FormatError } from '#evidence/format-error.ts';
import { type PackedRun, packRun, sealPacked } from '#evidence/node/chunk.ts';
import { type RunSummary, summarizeRun } from '#evidence/node/run.ts';
import { RecordType, readRecords, type Stream } from '#evidence/record.ts';
import { toHex } from '#evidence/text.ts';
import { BulkHistory } from '#rdp/bulk/bulk-history.ts';
import { type IndexedRun, indexRun } from './index-run.ts';
import { plainRun } from './plain-run.ts';

export interface SealOptions {
  /** False where decoding has brought the worker down before: the run is sealed all the same. */
  readonly decode: boolean;
  /** zstd's, 1 to 19; 0 stores what is captured as it is. */
  readonly level: number;
}

/** What sealing is made of. */
export const STAGES = ['check', 'decode', 'compress', 'encrypt'] as const;
export type Stage = (typeof STAGES)[number];

export interface ServedSeal {
  /** As `decodeSealAnswer` reads it, in memory of its own. */
  readonly answer: Uint8Array<ArrayBuffer>;
  readonly chunks: readonly SealedChunk[];
  readonly stagesMs: Readonly<Record<Stage, number>>;
}

/** A run on its way to be a chunk. */
interface Part extends PackedRun {
  readonly stream: Stream;
  readonly summary: RunSummary;
  readonly plainBytes: number;
}

/**
 * Seals a run; frees a screen run of bulk compression, derives keyframes and index of it and seals them too.
 * @throws FormatError when the run does not hold together
 */
export function serveSeal({ head, state, records }: SealRequest, options: SealOptions): ServedSeal {
  const times = new StageTimes();
  const pack = (stream: Stream, run: Uint8Array, level: number): Part => {
    const summary = times.add('check', () => summarizeRun(run, stream));
    const packed = times.add('compress', () => packRun(run, stream, level));
    return { ...packed, stream, summary, plainBytes: run.length };
  };
  if (head.stream !== 'screen') {
    const own = pack(head.stream, records, options.level);
    return finish(head, [own], { state, decodedBytes: 0, undecodableBytes: 0 }, times);
  }

  const before = readCapturedState(state);
  const history = BulkHistory.open(before.history);
  const run = times.add('decode', () => plainRun(records, history));
  const own = pack('screen', run, options.level);
  const { screen } = before;
  const canDecode = options.decode && screen !== null;
  const indexed = times.add('decode', () => (canDecode ? tryToIndex(head, screen, run, own.storedBytes) : null));
  if (indexed === null) {
    const after = writeCapturedState(history.save(), null);
    return finish(head, [own], { state: after, decodedBytes: 0, undecodableBytes: pduBytes(run) }, times);
  }
  // What is derived is small when it is compressed, and large when it is not.
  const level = Math.max(1, options.level);
  const parts = [own];
  if (indexed.keyframes.length > 0) parts.push(pack('keyframes', Buffer.concat(indexed.keyframes), level));
  parts.push(pack('index', indexed.index, level));
  return finish(head, parts, { ...indexed, state: writeCapturedState(history.save(), indexed.state) }, times);
}

/** Encrypts what was packed into the answer. */
function finish(
  { recipient }: SealHead,
  parts: readonly Part[],
  { state, decodedBytes, undecodableBytes }: Pick<IndexedRun, 'state' | 'decodedBytes' | 'undecodableBytes'>,
  times: StageTimes,
): ServedSeal {
  const writer = times.add(
    'encrypt',
    () =>
      new SealAnswerWriter(
        parts.map(({ storedBytes }) => storedBytes),
        state,
      ),
  );
  const chunks = parts.map((part, i): SealedChunk => {
    const sha256 = times.add('encrypt', () => sealPacked(part, recipient, writer.places[i]));
    const { stream, encoding, storedBytes, summary, plainBytes } = part;
    return {
      stream,
      compression: encoding,
      bytes: storedBytes,
      sha256: toHex(sha256),
      first_us: summary.firstTime,
      last_us: summary.lastTime,
      records: summary.records,
      plain_bytes: plainBytes,
    };
  });
  const answer = writer.finish({ chunks, decoded_bytes: decodedBytes, undecodable_bytes: undecodableBytes });
  return { answer, chunks, stagesMs: times.ms };
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

/** How long each stage of sealing one run has taken. */
class StageTimes {
  readonly ms: Record<Stage, number> = { check: 0, decode: 0, compress: 0, encrypt: 0 };

  add<T>(stage: Stage, work: () => T): T {
    const started = performance.now();
    try {
      return work();
    } finally {
      this.ms[stage] += performance.now() - started;
    }
  }
}
