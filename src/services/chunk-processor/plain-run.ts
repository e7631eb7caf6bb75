import { plainRecord } from '#evidence/captured-record.ts';
import { FormatError } from '#evidence/format-error.ts';
import { MAX_RUN_BYTES } from '#evidence/node/run.ts';
import { readRecords, recordSize, type SessionRecord, writeRecordInto } from '#evidence/record.ts';
import type { BulkHistory } from '#rdp/bulk/bulk-history.ts';

/** Undone, a run is mostly this much larger. */
const USUAL_GROWTH = 4;

/**
 * Frees a screen run of bulk compression, which hides from zstd what repeats. PDUs that cannot be freed of it stay as they
 * came, and so does what would make the run larger than a run may be.
 *
 * @param history of the PDUs before the run: goes on with it
 * @returns `records` itself where nothing was compressed
 * @throws FormatError when the bytes are not whole records of a screen
 */
export function plainRun(records: Uint8Array, history: BulkHistory, limit = MAX_RUN_BYTES): Uint8Array {
  let plain: GrowingRun | null = null;
  for (const { record, offset, end } of readRecords(records, 'screen')) {
    const undone = plainRecord(record, history);
    if (undone !== record) plain ??= new GrowingRun(records.subarray(0, offset), records.length * USUAL_GROWTH, limit);
    const isTooMuch = plain && plain.length + recordSize(undone) + records.length - end > limit;
    plain?.add(isTooMuch ? record : undone);
  }
  return plain?.bytes ?? records;
}

/** Written records in a buffer that grows as they come. */
class GrowingRun {
  #buffer: Uint8Array;
  #length: number;
  readonly #limit: number;

  constructor(beginning: Uint8Array, capacity: number, limit: number) {
    this.#buffer = new Uint8Array(Math.min(capacity, limit));
    this.#buffer.set(beginning);
    this.#length = beginning.length;
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  add(record: SessionRecord): void {
    const needed = this.#length + recordSize(record);
    if (needed > this.#limit) throw new FormatError('run', `${needed} bytes, at most ${this.#limit}`);
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(this.#limit, Math.max(needed, this.#buffer.length * 2)));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    this.#length = writeRecordInto(this.#buffer, this.#length, record);
  }
}
