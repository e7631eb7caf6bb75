import { recordBytes } from '#contract/record-frames.ts';
import type { NewRecord, RecordWriter, RecordWriterEvents } from '#contract/record-transport.ts';
import { RecordType, streamOf } from '#evidence/record.ts';
import { readConfigBody, readMarkerBody } from '#evidence/record-body.ts';
import { Unacknowledged } from '#platform/record-transport/unacknowledged.ts';
import type { CapturedStream } from './journal/journal.ts';

/** The longest body of a captured record: PDUs end at 64 KiB, JSON at 1 MiB. */
const MAX_RECORD_BYTES = 1024 * 1024;

/** Where a writer's records go. */
export interface WriterTarget {
  now(): number;
  /** Takes a record of the writer that is attached. */
  take(stream: CapturedStream, record: NewRecord): void;
  /** The writer is done, or gone. */
  detach(writer: RecordingWriter): void;
}

/**
 * One connection's way to write. Once it has failed or is closed it takes no more: what is appended then is never
 * acknowledged, so that a caller which shows only what is acknowledged shows nothing.
 */
export class RecordingWriter implements RecordWriter {
  readonly connectionId: string;
  readonly #target: WriterTarget;
  readonly #events: RecordWriterEvents;
  readonly #pending = new Unacknowledged();

  constructor(connectionId: string, target: WriterTarget, events: RecordWriterEvents) {
    this.connectionId = connectionId;
    this.#target = target;
    this.#events = events;
  }

  now(): number {
    return this.#target.now();
  }

  get acknowledged(): number {
    return this.#pending.acknowledged;
  }

  get unacknowledgedBytes(): number {
    return this.#pending.bytes;
  }

  /** @throws RangeError or FormatError, and nothing is appended, when the record is none that a gateway may write */
  append(record: NewRecord): number {
    const stream = checkRecord(record);
    const number = this.#pending.add(recordBytes(record));
    if (!this.#pending.over) this.#target.take(stream, record);
    return number;
  }

  flush(): Promise<void> {
    return this.#pending.flush();
  }

  async close(): Promise<void> {
    if (this.#pending.over) return;
    try {
      await this.flush();
    } finally {
      this.abandon();
    }
  }

  /** Ends the writing at once: the connection is gone. */
  abandon(): void {
    if (this.#pending.end(new Error('the connection has let go of its recording'))) this.#target.detach(this);
  }

  /** Everything that was appended up to `number` is durable. */
  acknowledge(number: number): void {
    if (this.#pending.acknowledge(number)) this.#events.acknowledged(number);
  }

  /** Recording has stopped. @param reason fit to be shown */
  fail(reason: string): void {
    // Told later, since this may have come out of the caller's own append.
    if (this.#pending.end(new Error(reason))) queueMicrotask(() => this.#events.failed(reason));
  }
}

/** Checks before a record is counted that it can be kept. @returns its stream */
function checkRecord({ type, flags, body }: NewRecord): CapturedStream {
  const stream = streamOf(type);
  if (stream !== 'screen' && stream !== 'input' && stream !== 'channels') {
    throw new RangeError(`a record of type 0x${type.toString(16)} is not captured`);
  }
  if (flags !== 0) throw new RangeError(`record flags ${flags}, wanted 0`);
  if (body.length > MAX_RECORD_BYTES) {
    throw new RangeError(`a record body of ${body.length} bytes, at most ${MAX_RECORD_BYTES}`);
  }
  if (type === RecordType.config) readConfigBody(body);
  if (type === RecordType.marker || type === RecordType.inputMarker) readMarkerBody(body);
  return stream;
}
