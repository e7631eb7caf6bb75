/**
 * Goes through a recording in order and knows which of it can be trusted: after a screen chunk that is missing, the pixels
 * are unknown until a keyframe says them again, and screen records in between are left out.
 */
import { chunkPath } from '#evidence/bundle-layout.ts';
import { FormatError } from '#evidence/format-error.ts';
import { type Keyframe, readKeyframe } from '#evidence/keyframe.ts';
import type { Leaf } from '#evidence/leaf.ts';
import type { BundleReader } from '#evidence/node/bundle-reader.ts';
import { RecordType, type SessionRecord, type Stream } from '#evidence/record.ts';

/** A part of the recording that is not there, or cannot be read. */
export interface Missing {
  /** Path within the bundle. */
  readonly where: string;
  readonly what: string;
}

/** What comes next; `time` is in µs and never goes back. */
export type Step =
  | { readonly kind: 'screen' | 'input'; readonly time: number; readonly record: SessionRecord }
  /** A receipt for the pixels that the screen records so far give. */
  | { readonly kind: 'receipt'; readonly time: number; readonly keyframe: Keyframe; readonly where: string }
  /** From here on the pixels are unknown. `time`: of the last record before. */
  | { readonly kind: 'lost'; readonly time: number; readonly missing: Missing }
  /** The pixels are known again: those of the keyframe. */
  | { readonly kind: 'found'; readonly time: number; readonly keyframe: Keyframe };

export interface WalkOptions {
  readonly streams: readonly Stream[];
  /** Told of everything that is missing. */
  readonly onMissing: (missing: Missing) => void;
  /** Told of each chunk that was opened, with its stored bytes. */
  readonly onChunk?: (storedBytes: number) => void;
}

/** @throws Error when a file cannot be read for a reason that is none of the bundle's */
export function* walk(reader: BundleReader, options: WalkOptions): Generator<Step, void, undefined> {
  const continuity = new Continuity(options.onMissing);
  const items = reader.records(options.streams, {
    onRun: (leaf) => {
      continuity.opened(leaf);
      options.onChunk?.(leaf.storedBytes);
    },
    onBadChunk: (leaf, error) => {
      continuity.lose(leaf, withoutPath(chunkPath(leaf), error));
      options.onChunk?.(leaf.storedBytes);
    },
  });
  let time = 0;
  /** Of the last screen record whose pixels are known. */
  let seq = -1;
  for (const { stream, record, leaf, offset } of items) {
    const gap = continuity.takeGap();
    if (gap !== null) yield { kind: 'lost', time, missing: gap };
    time = Math.max(time, record.time);
    if (stream === 'input') yield { kind: 'input', time, record };
    else if (stream === 'screen' && continuity.isLost) continuity.passed(record.time);
    else if (stream === 'screen') {
      seq = record.seq;
      yield { kind: 'screen', time, record };
    } else if (record.type === RecordType.keyframe) {
      const where = `${chunkPath(leaf)} byte ${offset}`;
      const keyframe = attempt(() => readKeyframe(record.body), where, options.onMissing);
      if (keyframe === null) continue;
      // The chunk after a run is opened before the keyframe at the run's end comes: that one is still of known pixels.
      if (!continuity.isLost || record.seq === seq) yield { kind: 'receipt', time, keyframe, where };
      else if (continuity.find(record.time)) yield { kind: 'found', time, keyframe };
    }
  }
  const gap = continuity.takeGap();
  if (gap !== null) yield { kind: 'lost', time, missing: gap };
}

/** Whether the screen's chunks follow one another. */
class Continuity {
  readonly #onMissing: (missing: Missing) => void;
  readonly #next = new Map<Stream, number>();
  /** A loss of which nobody has been told yet. */
  #gap: Missing | null = null;
  /** While lost: a keyframe from this time on reflects all that is missing. */
  #foundFrom: number | null = null;

  constructor(onMissing: (missing: Missing) => void) {
    this.#onMissing = onMissing;
  }

  get isLost(): boolean {
    return this.#foundFrom !== null;
  }

  takeGap(): Missing | null {
    const gap = this.#gap;
    this.#gap = null;
    return gap;
  }

  opened({ stream, index }: Leaf): void {
    this.#expect(stream, index);
    this.#next.set(stream, index + 1);
  }

  lose(leaf: Leaf, what: string): void {
    const { stream, index } = leaf;
    this.#expect(stream, index);
    this.#next.set(stream, index + 1);
    this.#report(stream, { where: chunkPath(leaf), what }, leaf.lastTime);
  }

  /** A screen record was left out: keyframes after it reflect what was before it. */
  passed(time: number): void {
    this.#foundFrom = Math.min(this.#foundFrom!, time);
  }

  /** @returns whether a keyframe of this time tells the pixels */
  find(time: number): boolean {
    if (time < this.#foundFrom!) return false;
    this.#foundFrom = null;
    return true;
  }

  #expect(stream: Stream, index: number): void {
    const expected = this.#next.get(stream) ?? 0;
    if (index === expected) return;
    const where = `${stream}/${String(expected).padStart(6, '0')}`;
    this.#report(stream, { where, what: 'has no leaf; chunks after it have' }, Number.POSITIVE_INFINITY);
  }

  #report(stream: Stream, missing: Missing, foundFrom: number): void {
    this.#onMissing(missing);
    if (stream !== 'screen') return;
    if (!this.isLost) this.#gap = missing;
    this.#foundFrom = Math.max(this.#foundFrom ?? 0, foundFrom);
  }
}

function withoutPath(path: string, error: FormatError): string {
  return error.message.startsWith(`${path}: `) ? error.message.slice(path.length + 2) : error.message;
}

function attempt<T>(read: () => T, where: string, onMissing: (missing: Missing) => void): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    onMissing({ where, what: error.message });
    return null;
  }
}
