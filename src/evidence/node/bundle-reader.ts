/** Reads a recording with a recipient's identity: records of chosen streams in their order, one chunk a stream at a time. */
import { chunkPath, keyPath, LEAVES_PATH, OPEN_PATH } from '#evidence/bundle-layout.ts';
import { type OpenEntry, parseEntry } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import { type IndexBody, type KeyframePosition, readIndex } from '#evidence/index-record.ts';
import { type Keyframe, readKeyframe } from '#evidence/keyframe.ts';
import { type Leaf, parseLeaves } from '#evidence/leaf.ts';
import { equal } from '#evidence/merkle.ts';
import { parseNote } from '#evidence/note.ts';
import {
  FLAG_REPEATED,
  type KeyName,
  keyNameOf,
  RecordType,
  readRecords,
  type SessionRecord,
  STREAMS,
  type Stream,
} from '#evidence/record.ts';
import { type ConfigBody, readConfigBody } from '#evidence/record-body.ts';
import type { AgeIdentity } from './age-keys.ts';
import type { BundleSource } from './bundle-source.ts';
import { openChunk } from './chunk.ts';
import { sha256 } from './hash.ts';
import { MAX_RUN_BYTES, type RunSummary, summarizeRun } from './run.ts';
import { openSessionKey } from './session-keys.ts';

/** The longest note and key file, in bytes. */
export const MAX_SMALL_FILE_BYTES = 1024 * 1024;
/** The longest `leaves.txt`, in bytes. */
export const MAX_LEAVES_FILE_BYTES = 256 * 1024 * 1024;
/** The longest chunk file: a run stored raw, and what age adds to it. */
const MAX_CHUNK_FILE_BYTES = MAX_RUN_BYTES + 1024 * 1024;

/** Field of the error that says that no identity opens anything. */
export const NO_KEY = 'keys';

/** A record and where it stands. */
export interface StreamedRecord {
  readonly stream: Stream;
  readonly record: SessionRecord;
  readonly leaf: Leaf;
  /** Byte offset of the record within its run. */
  readonly offset: number;
}

/** How `records` goes about its work. */
export interface ReadOptions {
  /** Where to begin in `screen`; other streams begin at their first record. */
  readonly from?: { readonly chunk: number; readonly offset: number };
  /** Told of every run when it has been opened. */
  readonly onRun?: (leaf: Leaf, records: Uint8Array) => void;
  /** Told of a chunk that cannot be read, which is then left out; without it the error is thrown. */
  readonly onBadChunk?: (leaf: Leaf, error: FormatError) => void;
}

export class BundleReader {
  readonly source: BundleSource;
  readonly open: OpenEntry;
  readonly leaves: readonly Leaf[];
  readonly #keys: ReadonlyMap<KeyName, AgeIdentity>;
  readonly #byStream = new Map<Stream, readonly Leaf[]>();

  /**
   * Reads the open entry, the leaves and the keys that `identities` open. Signatures are not checked: see `verifyBundle`.
   * @throws FormatError when these are malformed, or no identity opens any key
   */
  constructor(source: BundleSource, identities: readonly AgeIdentity[]) {
    this.source = source;
    const entry = parseEntry(parseNote(source.read(OPEN_PATH, MAX_SMALL_FILE_BYTES)).text);
    if (entry.kind !== 'lucid/open/v1') throw new FormatError(OPEN_PATH, `holds a ${entry.kind}`);
    this.open = entry;
    this.leaves = parseLeaves(source.read(LEAVES_PATH, MAX_LEAVES_FILE_BYTES));
    const keys = new Map<KeyName, AgeIdentity>();
    for (const line of entry.keys) {
      const key = within(keyPath(line.name), (path) =>
        openSessionKey(source.read(path, MAX_SMALL_FILE_BYTES), line, identities),
      );
      if (key !== null) keys.set(line.name, key);
    }
    if (keys.size === 0) throw new FormatError(NO_KEY, 'none of the identities given is a recipient of this session');
    this.#keys = keys;
  }

  /** The streams that can be read, those without chunks included. */
  get readable(): Stream[] {
    return STREAMS.filter((stream) => this.#keys.has(keyNameOf(stream)));
  }

  /** The leaves of a stream, by index. */
  leavesOf(stream: Stream): readonly Leaf[] {
    const known = this.#byStream.get(stream);
    if (known) return known;
    const leaves = this.leaves.filter((leaf) => leaf.stream === stream).sort((a, b) => a.index - b.index);
    this.#byStream.set(stream, leaves);
    return leaves;
  }

  /**
   * Opens a chunk and checks it against its leaf.
   * @throws FormatError that names the chunk's file
   */
  run(leaf: Leaf): { records: Buffer; summary: RunSummary } {
    const path = chunkPath(leaf);
    const key = this.#keys.get(keyNameOf(leaf.stream));
    if (key === undefined) throw new FormatError(path, `no identity opens the key ${keyNameOf(leaf.stream)}`);
    const stored = this.source.read(path, MAX_CHUNK_FILE_BYTES);
    if (!equal(sha256(stored), leaf.sha256)) throw new FormatError(path, 'its SHA-256 is not the one in its leaf');
    return within(path, () => {
      const records = openChunk(stored, leaf.encoding, key);
      const summary = summarizeRun(records, leaf.stream);
      for (const field of ['records', 'firstTime', 'lastTime'] as const) {
        if (summary[field] !== leaf[field]) {
          throw new FormatError(`leaf.${field}`, `${leaf[field]}, the chunk has ${summary[field]}`);
        }
      }
      return { records, summary };
    });
  }

  /**
   * The records of `streams` in the order of seq, repetitions left out; at the same seq, captured records before derived.
   * Bodies are valid until the chunk after theirs is read. Memory: one run a stream.
   * @throws FormatError that names the chunk's file, unless `onBadChunk` takes it
   */
  *records(streams: readonly Stream[], options: ReadOptions = {}): Generator<StreamedRecord, void, undefined> {
    const heads = STREAMS.filter((stream) => streams.includes(stream)).map((stream) => {
      const records = this.#streamRecords(stream, options);
      return { records, next: records.next() };
    });
    for (;;) {
      let first: (typeof heads)[number] | null = null;
      for (const head of heads) {
        // The streams' order decides between equals: captured before derived.
        if (!head.next.done && (first === null || head.next.value.record.seq < first.next.value!.record.seq))
          first = head;
      }
      if (first === null) return;
      yield first.next.value!;
      first.next = first.records.next();
    }
  }

  *#streamRecords(stream: Stream, options: ReadOptions): Generator<StreamedRecord, void, undefined> {
    const from = stream === 'screen' ? options.from : undefined;
    for (const leaf of this.leavesOf(stream)) {
      if (from !== undefined && leaf.index < from.chunk) continue;
      let records: Buffer;
      try {
        ({ records } = this.run(leaf));
      } catch (cause) {
        if (options.onBadChunk === undefined || !(cause instanceof FormatError)) throw cause;
        options.onBadChunk(leaf, cause);
        continue;
      }
      options.onRun?.(leaf, records);
      const start = from?.chunk === leaf.index ? from.offset : 0;
      for (const { record, offset } of readRecords(records, stream, start)) {
        if (!(record.flags & FLAG_REPEATED)) yield { stream, record, leaf, offset };
      }
    }
  }

  /** The config record at the head of a screen chunk. */
  config(chunk: number): ConfigBody {
    const leaf = this.leavesOf('screen')[chunk];
    if (leaf === undefined) throw new FormatError('screen', `there is no chunk ${chunk}`);
    for (const { record } of readRecords(this.run(leaf).records, 'screen')) {
      if (record.type === RecordType.config) return readConfigBody(record.body);
    }
    throw new FormatError(chunkPath(leaf), 'holds no config record');
  }

  /** The index records, in order. */
  *index(): Generator<IndexBody, void, undefined> {
    for (const { record } of this.records(['index'])) yield readIndex(record.body);
  }

  /**
   * The keyframe to begin with when the screen at `time` (µs) is wanted: the last before it, or null. Reads the index of
   * the run that `time` falls into, and of those before it as far as they have no keyframe.
   */
  findKeyframe(time: number): KeyframePosition | null {
    const leaves = this.leavesOf('index');
    const into = leaves.findIndex((leaf) => leaf.lastTime > time);
    for (let i = into < 0 ? leaves.length - 1 : into; i >= 0; i--) {
      for (const { record } of readRecords(this.run(leaves[i]).records, 'index')) {
        const found = readIndex(record.body).keyframes.findLast((position) => position.time <= time);
        if (found) return found;
      }
    }
    return null;
  }

  /**
   * Reads a keyframe.
   * @throws FormatError when none stands there
   */
  keyframe(position: KeyframePosition): Keyframe {
    const leaf = this.leavesOf('keyframes')[position.chunk];
    if (leaf === undefined) throw new FormatError('keyframes', `there is no chunk ${position.chunk}`);
    const { records } = this.run(leaf);
    if (position.offset < records.length) {
      for (const { record } of readRecords(records, 'keyframes', position.offset)) {
        const keyframe = readKeyframe(record.body);
        if (record.seq === position.seq && keyframe.seq === position.seq) return keyframe;
        break;
      }
    }
    throw new FormatError(chunkPath(leaf), `no keyframe of seq ${position.seq} at byte ${position.offset}`);
  }
}

/** Runs `step`; a FormatError in it gets the file's name. */
function within<Result>(path: string, step: (path: string) => Result): Result {
  try {
    return step(path);
  } catch (cause) {
    if (cause instanceof FormatError && cause.field !== path) throw new FormatError(path, cause.message);
    throw cause;
  }
}
