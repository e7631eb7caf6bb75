/** Runs: the records of one chunk, before compression. */
import { FormatError } from '#evidence/format-error.ts';
import { FLAG_REPEATED, RecordType, readRecords, type Stream } from '#evidence/record.ts';

/** The most bytes of records that a run may have: 64 MiB, and one keyframe of the largest size beyond. */
export const MAX_RUN_BYTES = 128 * 1024 * 1024 + 4096;

/** What a leaf and an index need to know of a run. */
export interface RunSummary {
  readonly firstTime: number;
  readonly lastTime: number;
  /** Seq of the first and of the last record that is no repetition. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Records, repetitions included. */
  readonly records: number;
}

/**
 * Reads a run through and checks what must hold within it: records of its stream alone, times that do not go back, seq
 * that rise (derived streams: do not fall), repetitions only at its head, a config first in `screen`.
 * @throws FormatError naming the record by its byte offset
 */
export function summarizeRun(records: Uint8Array, stream: Stream): RunSummary {
  if (records.length > MAX_RUN_BYTES) throw new FormatError('run', `${records.length} bytes, at most ${MAX_RUN_BYTES}`);
  const derived = stream === 'keyframes' || stream === 'index';
  let count = 0;
  let [firstTime, lastTime, firstSeq, lastSeq] = [-1, -1, -1, -1];
  for (const { record, offset } of readRecords(records, stream)) {
    const at = `record at byte ${offset}`;
    if (stream === 'screen' && count === 0 && record.type !== RecordType.config) {
      throw new FormatError('run', `${at}: a screen chunk begins with a config record`);
    }
    count++;
    if (record.flags & FLAG_REPEATED) {
      if (record.type !== RecordType.config) throw new FormatError('run', `${at}: only config records are repeated`);
      if (firstSeq >= 0) throw new FormatError('run', `${at}: a repeated record that does not stand at the head`);
      continue;
    }
    if (firstSeq < 0) [firstTime, firstSeq] = [record.time, record.seq];
    else if (record.time < lastTime) throw new FormatError('run', `${at}: its time goes back`);
    else if (derived ? record.seq < lastSeq : record.seq <= lastSeq) {
      throw new FormatError('run', `${at}: seq ${record.seq} after ${lastSeq}`);
    }
    [lastTime, lastSeq] = [record.time, record.seq];
  }
  if (firstSeq < 0) throw new FormatError('run', 'holds no record of its own');
  return { firstTime, lastTime, firstSeq, lastSeq, records: count };
}
