import { readRecords } from '#evidence/record.ts';
import type { DiskPart } from './disk-part.ts';
import type { FrameKind } from './frame.ts';
import type { ReadJob, ReadResult } from './jobs.ts';
import type { Segment } from './segment.ts';

const NOTHING = new Uint8Array(0);

/** Where a frame of a run stands. */
export interface PlacedFrame {
  readonly segment: Segment;
  readonly offset: number;
  readonly length: number;
  readonly payloadBytes: number;
  readonly records: number;
  readonly lastSeq: number;
}

/** What a run needs of its journal. */
export interface RunHost {
  read(job: ReadJob): Promise<ReadResult>;
  /** A run has no frames in the segment any more. */
  left(segment: Segment): void;
}

/** Frames of one segment: numbers alone, since a run may have very many. */
interface Places {
  readonly segment: Segment;
  readonly offsets: number[];
  readonly lengths: number[];
}

/** Records of one stream, or pieces of a state, in the journal: their places, not their bytes. */
export class DiskRun<K extends FrameKind = FrameKind> {
  readonly stream: K;
  readonly part: DiskPart;
  readonly firstTime: number;
  readonly #host: RunHost;
  readonly #places: Places[] = [];
  /** Appended and not durable yet. */
  #pendingBytes = 0;
  #pendingRecords = 0;
  #bytes = 0;
  #records = 0;
  #lastSeq = -1;
  isReleased = false;
  /** Who waits until so many more records are durable. */
  #waiting: { records: number; resolve: () => void }[] = [];
  damage: readonly string[] = [];
  /** No record is added any more. */
  isCut = false;
  /** Nothing more of it becomes durable. */
  isAbandoned = false;

  constructor(host: RunHost, part: DiskPart, stream: K, firstTime: number) {
    this.#host = host;
    this.part = part;
    this.stream = stream;
    this.firstTime = firstTime;
  }

  get bytes(): number {
    return this.#bytes + this.#pendingBytes;
  }

  get durableBytes(): number {
    return this.#bytes;
  }

  get records(): number {
    return this.#records + this.#pendingRecords;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Counts a record that is under way to the disk. */
  expect(bytes: number): void {
    this.#pendingBytes += bytes;
    this.#pendingRecords++;
  }

  /** A frame of this run is durable. */
  confirm(frame: PlacedFrame): void {
    if (this.isAbandoned) return;
    this.#pendingBytes -= frame.payloadBytes;
    this.#pendingRecords -= frame.records;
    this.place(frame);
    this.#settle(frame.records);
  }

  /** Enters a frame that is on the disk. */
  place({ segment, offset, length, payloadBytes, records, lastSeq }: PlacedFrame): void {
    let places = this.#places.at(-1);
    if (places?.segment !== segment) {
      places = { segment, offsets: [], lengths: [] };
      this.#places.push(places);
      segment.holders.add(this);
    }
    places.offsets.push(offset);
    places.lengths.push(length);
    this.#bytes += payloadBytes;
    this.#records += records;
    this.#lastSeq = lastSeq;
  }

  /** What is not durable by now will not be. */
  abandon(): void {
    this.isAbandoned = true;
    this.#pendingBytes = 0;
    this.#pendingRecords = 0;
    this.#settle(Number.POSITIVE_INFINITY);
  }

  /** Resolves when all that has been added by now is durable or lost. */
  settled(): Promise<void> {
    if (this.#pendingRecords === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ records: this.#pendingRecords, resolve });
    return promise;
  }

  #settle(records: number): void {
    if (this.#waiting.length === 0) return;
    for (const waiting of this.#waiting) {
      waiting.records -= records;
      if (waiting.records <= 0) waiting.resolve();
    }
    this.#waiting = this.#waiting.filter((waiting) => waiting.records > 0);
  }

  async read(before: Uint8Array = NOTHING): Promise<Uint8Array> {
    await this.settled();
    const places = this.#places.map(({ segment, offsets, lengths }) => {
      return { number: segment.number, key: segment.key, offsets, lengths };
    });
    const { bytes, damage } = await this.#host.read({ places, before, bytes: this.#bytes });
    if (damage.length > 0 && this.stream !== 'state') {
      const records = bytes.subarray(before.length);
      this.damage = damage;
      this.#bytes = records.length;
      this.#records = [...readRecords(records)].length;
    }
    return bytes;
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.abandon();
    for (const { segment } of this.#places) {
      segment.holders.delete(this);
      this.#host.left(segment);
    }
  }
}
