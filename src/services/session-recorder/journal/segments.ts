import type { DiskThread } from './disk-thread.ts';
import { Segment } from './segment.ts';

/** Files of destroyed segments that are kept to be used again: filling a new one with zeros costs a write of its own. */
const MAX_BLANKS = 2;
/** After making a segment has failed, it is tried again: who comes meanwhile waits for that. */
const RETRY_MS = 1000;

export interface SegmentsOptions {
  /** Of each segment. */
  readonly segmentBytes: number;
  /** Of all of them. */
  readonly limitBytes: number;
  /** Free space of the disk below which no segment is added. */
  readonly floorBytes: number;
  /** A segment is written no longer than this, so that its key does not outlive what it protects by much. */
  readonly maxAgeMs: number;
}

export interface SegmentsEvents {
  /** A segment can be written again. */
  ready(): void;
  /** No segment can be made, and none is left. */
  exhausted(error: Error): void;
  /** A key or a file could not be destroyed: it will be at the next start. */
  undestroyed(segment: number, error: Error): void;
}

/** All segments: the one that is written, a spare that is ready to be the next, and those that wait to be released. */
export class Segments {
  readonly #keeper: DiskThread;
  readonly #options: SegmentsOptions;
  readonly #events: SegmentsEvents;
  readonly #all = new Set<Segment>();
  #active: Segment | null = null;
  #spare: Segment | null = null;
  #preparing: Promise<void> | null = null;
  /** Numbers of destroyed segments whose files are kept. */
  readonly #blanks: number[] = [];
  readonly #destroying = new Set<Promise<void>>();
  #nextNumber: number;
  #retrying: NodeJS.Timeout | null = null;
  #isClosed = false;
  /** Why the last segment could not be made; null since one was. */
  trouble: Error | null = null;
  /** A segment is wanted, and the limit forbids it. */
  isFull = false;

  /** @param left segments of an earlier run: read, never written again */
  constructor(keeper: DiskThread, options: SegmentsOptions, events: SegmentsEvents, left: readonly Segment[]) {
    this.#keeper = keeper;
    this.#options = options;
    this.#events = events;
    for (const segment of left) this.#all.add(segment);
    this.#nextNumber = Math.max(0, ...left.map(({ number }) => number)) + 1;
  }

  /** Bytes on the disk that hold records, or held some that others beside them outlive. */
  get heldBytes(): number {
    let bytes = 0;
    for (const segment of this.#all) {
      if (segment === this.#active) bytes += segment.isEmpty ? 0 : segment.used;
      else bytes += segment.bytes;
    }
    return bytes;
  }

  /** Settled when the segment that is being made is there, or cannot be made; null when none is. */
  get preparing(): Promise<void> | null {
    return this.#preparing;
  }

  /** How many segments there are that hold records. */
  get count(): number {
    return this.#all.size;
  }

  /**
   * The segment to write `bytes` into; null when there is none now: `ready` or `exhausted` will be told.
   *
   * @param mayExceed whether the limit may be exceeded: what belongs to runs that are cut must be written, since they are
   *   sealed, and room made, only when all of it is
   */
  current(bytes: number, mayExceed: boolean): Segment | null {
    const active = this.#active;
    const fits = active !== null && active.room >= bytes;
    if (fits && !(this.#spare && this.#isOld(active))) return this.#isOpen(active, mayExceed) ? active : null;
    if (!this.#spare) this.prepare(mayExceed);
    if (!this.#spare || !this.#isOpen(this.#spare, mayExceed)) return null;
    this.#active = this.#spare;
    this.#spare = null;
    this.#all.add(this.#active);
    if (active) this.left(active);
    this.prepare();
    return this.#active;
  }

  #isOpen(segment: Segment, mayExceed: boolean): boolean {
    return mayExceed || !segment.isOverdraft || !this.isFull;
  }

  /** Not while more than half the room is taken: each old segment pins its whole size. */
  #isOld(segment: Segment): boolean {
    const { maxAgeMs, limitBytes } = this.#options;
    const isOld = !segment.isEmpty && performance.now() - segment.bornAt > maxAgeMs;
    return isOld && this.heldBytes < limitBytes / 2;
  }

  /** Whether another segment would exceed the limit. */
  #exceeds(): boolean {
    const { segmentBytes, limitBytes } = this.#options;
    const taken = [...this.#all].reduce((sum, segment) => sum + segment.bytes, 0);
    return taken + segmentBytes > limitBytes;
  }

  /** Makes the spare segment, unless there is one. */
  prepare(mayExceed = false): void {
    const { segmentBytes, floorBytes } = this.#options;
    if (this.#spare || this.#preparing || this.#retrying || this.#isClosed) return;
    this.isFull = this.#exceeds();
    const isOverdraft = this.isFull;
    if (isOverdraft && !mayExceed) return;
    const number = this.#nextNumber++;
    const reuse = this.#blanks.pop() ?? null;
    this.#preparing = this.#keeper
      .run('prepare', { number, bytes: segmentBytes, reuse, floorBytes })
      .then((key) => {
        this.#preparing = null;
        this.trouble = null;
        this.#spare = new Segment(number, key, segmentBytes, isOverdraft);
        this.#events.ready();
      })
      .catch((error) => {
        this.#preparing = null;
        this.trouble = error;
        this.#retryLater();
        this.#events.exhausted(error);
      });
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    this.#retrying = setTimeout(() => {
      this.#retrying = null;
      this.#events.ready();
      this.prepare();
    }, RETRY_MS);
    this.#retrying.unref();
  }

  /** A segment has failed: it is not written any more. */
  poison(segment: Segment, error: Error): void {
    segment.poison = error;
    if (this.#active === segment) this.#active = null;
    this.left(segment);
    this.prepare();
  }

  /** Something in `segment` was released: when nothing is left, it is destroyed. */
  left(segment: Segment): void {
    if (segment.isHeld || !this.#all.has(segment)) return;
    if (segment === this.#active) {
      if (segment.isEmpty || !this.#spare) return;
      this.#active = null;
    }
    const keepFile =
      segment.poison === null && segment.bytes === this.#options.segmentBytes && this.#blanks.length < MAX_BLANKS;
    this.#all.delete(segment);
    const destroying: Promise<void> = this.#keeper
      .run('destroy', { number: segment.number, keepFile })
      .then(
        () => {
          if (keepFile) this.#blanks.push(segment.number);
        },
        (error) => this.#events.undestroyed(segment.number, error),
      )
      .finally(() => {
        this.#destroying.delete(destroying);
        if (this.isFull && !this.#exceeds()) {
          this.isFull = false;
          this.#events.ready();
        }
        this.prepare();
      });
    this.#destroying.add(destroying);
  }

  /** Makes no more segments, and destroys what is not needed: what remains is read at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#retrying) clearTimeout(this.#retrying);
    await this.#preparing;
    const unused = [this.#active, this.#spare].filter((segment) => segment && !segment.isHeld) as Segment[];
    const destroyed = unused.map(({ number }) =>
      this.#keeper
        .run('destroy', { number, keepFile: false })
        .catch((error) => this.#events.undestroyed(number, error)),
    );
    await Promise.all([...destroyed, ...this.#destroying]);
  }
}
