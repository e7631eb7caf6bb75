/** Checks `records` and `replay`: chunks open, records are all there in order, and replayed pixels are those of the receipts. */
import { CLOSE_PATH, chunkPath } from '#evidence/bundle-layout.ts';
import type { CloseEntry } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import { type IndexBody, readIndex } from '#evidence/index-record.ts';
import { readKeyframe } from '#evidence/keyframe.ts';
import type { Leaf } from '#evidence/leaf.ts';
import { equal } from '#evidence/merkle.ts';
import {
  CAPTURED_STREAMS,
  FLAG_REPEATED,
  keyNameOf,
  RecordType,
  readRecords,
  recordSize,
  type SessionRecord,
  type Stream,
  writeRecord,
} from '#evidence/record.ts';
import { type ConfigBody, readChannelBody, readConfigBody, readMarkerBody } from '#evidence/record-body.ts';
import { applyScreenRecord, type ReplayedScreen } from '#evidence/replayed-screen.ts';
import { toHex } from '#evidence/text.ts';
import type { AgeIdentity } from './age-keys.ts';
import { BundleReader, NO_KEY, type StreamedRecord } from './bundle-reader.ts';
import type { BundleSource } from './bundle-source.ts';
import { sha256 } from './hash.ts';
import { type Check, Findings, type Gap, type VerifyProgress } from './verify-report.ts';

/** What replaying takes: decoders are not part of the evidence format, so they are brought along. */
export interface Player {
  /** Makes a screen to replay on. */
  makeScreen(): ReplayedScreen;
  /** Reads a PNG to RGBX; throws when it cannot. */
  readPng(png: Uint8Array): { readonly pixels: Uint8Array };
}

/** What the records are found to be. */
export interface Contents {
  readonly checks: readonly Check[];
  /** What the recording itself says to be missing. */
  readonly gaps: readonly Gap[];
  /** Records that are missing, all of them told by gaps. */
  readonly lost: number;
}

/** Reads all that `identities` open, in one pass. */
export function* checkRecords(
  source: BundleSource,
  identities: readonly AgeIdentity[],
  close: CloseEntry | null,
  player: Player | null,
): Generator<VerifyProgress, Contents, undefined> {
  const findings = new Findings('records');
  let reader: BundleReader;
  try {
    reader = new BundleReader(source, identities);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    // A stranger's identity says nothing about the evidence.
    if (cause.field !== NO_KEY) findings.add(cause.field, cause.message);
    const checks = [findings.skipped(cause.message), new Findings('replay').skipped('nothing could be opened')];
    return { checks, gaps: [], lost: 0 };
  }
  const order = new OrderCheck(reader.readable, findings);
  const replay = new ReplayCheck(player);
  const repetitions = new RepetitionCheck(findings);
  attempt(findings, 'screen', () => {
    if (reader.readable.includes('screen') && reader.leavesOf('screen').length > 0) replay.begin(reader.config(0));
  });
  const totals = new Map<Stream, number>();
  const leaves = reader.leaves.filter((leaf) => reader.readable.includes(leaf.stream));
  const total = leaves.reduce((bytes, leaf) => bytes + leaf.storedBytes, 0);
  let done = 0;
  const records = reader.records(reader.readable, {
    onRun: (leaf, run) => {
      done += leaf.storedBytes;
      totals.set(leaf.stream, (totals.get(leaf.stream) ?? 0) + run.length);
      if (leaf.stream === 'screen') repetitions.check(leaf, run);
    },
    onBadChunk: (leaf, error) => {
      done += leaf.storedBytes;
      findings.add(chunkPath(leaf), error.message);
      order.lose(leaf);
      repetitions.lose();
      replay.lose(leaf);
    },
  });
  for (const item of records) {
    attempt(findings, placeOf(item), () => checkBody(item));
    order.next(item);
    repetitions.next(item);
    replay.next(item);
    yield { check: 'records', done, total };
  }
  const lost = order.endOfRecords();
  if (close !== null) order.end(close, totals);
  const streams = reader.readable.join(', ');
  const checks = [
    findings.passedOrFailed(`${order.count} records of ${streams}${order.reservation}`),
    replay.end(reader.readable),
  ];
  return { checks, gaps: order.gaps, lost };
}

/** Whether the body is what its type says; keyframes and index are read by the replay. */
function checkBody({ record }: StreamedRecord): void {
  if (record.type === RecordType.config) readConfigBody(record.body);
  else if (record.type === RecordType.marker || record.type === RecordType.inputMarker) readMarkerBody(record.body);
  else if (record.type === RecordType.channelData) readChannelBody(record.body);
}

function placeOf({ leaf, offset }: StreamedRecord): string {
  return `${chunkPath(leaf)} byte ${offset}`;
}

function attempt(findings: Findings, where: string, step: () => void): void {
  try {
    step();
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    findings.add(where, cause.message);
  }
}

/** Config records that are repeated at a chunk's head are copies of earlier ones. */
class RepetitionCheck {
  readonly #findings: Findings;
  /** Hashes of config records, header included, by seq. */
  readonly #configs = new Map<number, Uint8Array>();
  #lost = false;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  lose(): void {
    this.#lost = true;
  }

  next({ record }: StreamedRecord): void {
    if (record.type === RecordType.config) this.#configs.set(record.seq, sha256(writeRecord(record)));
  }

  check(leaf: Leaf, run: Uint8Array): void {
    for (const { record, offset } of readRecords(run, 'screen')) {
      if (!(record.flags & FLAG_REPEATED)) return;
      const original = this.#configs.get(record.seq);
      const copy = sha256(writeRecord({ ...record, flags: 0 }));
      if (!this.#lost && (original === undefined || !equal(original, copy))) {
        this.#findings.add(`${chunkPath(leaf)} byte ${offset}`, `is no copy of record ${record.seq}`);
      }
    }
  }
}

/** More holes than these are not told one by one. */
const MAX_HOLES = 1000;
/** A recorder makes few: a bundle of noise must not fill the memory. */
const MAX_GAPS = 100_000;

/** Numbers without gaps over all captured streams, where all can be read; times that do not go back. */
class OrderCheck {
  readonly #findings: Findings;
  readonly #all: boolean;
  readonly #last = new Map<Stream, { seq: number; time: number }>();
  #next = 0;
  /** After a chunk that cannot be read, a gap is no news. */
  #lost = false;
  readonly #holes: { readonly where: string; readonly what: string }[] = [];
  #absent = 0;
  readonly gaps: Gap[] = [];
  count = 0;

  constructor(readable: readonly Stream[], findings: Findings) {
    this.#all = CAPTURED_STREAMS.every((stream) => readable.includes(stream));
    this.#findings = findings;
  }

  /** What could not be checked, in words. */
  get reservation(): string {
    return this.#all ? '' : '; whether any is missing could not be checked without the keys of all streams';
  }

  lose(leaf: Leaf): void {
    if ((CAPTURED_STREAMS as readonly Stream[]).includes(leaf.stream)) this.#lost = true;
  }

  next({ stream, record, leaf, offset }: StreamedRecord): void {
    this.count++;
    const where = `${chunkPath(leaf)} byte ${offset}`;
    const derived = !(CAPTURED_STREAMS as readonly Stream[]).includes(stream);
    const last = this.#last.get(stream);
    if (last !== undefined && (record.seq < last.seq || (record.seq === last.seq && !derived))) {
      this.#findings.add(where, `seq ${record.seq} after ${last.seq}`);
    }
    if (last !== undefined && record.time < last.time) this.#findings.add(where, `its time goes back`);
    this.#last.set(stream, record);
    if (derived) return;
    if (record.type === RecordType.marker) this.#takeMarker(record);
    if (this.#all && !this.#lost && record.seq < this.#next) {
      this.#findings.add(where, `seq ${record.seq} is there twice`);
    } else if (this.#all && !this.#lost && record.seq > this.#next) {
      this.#absent += record.seq - this.#next;
      const what = `seq ${record.seq} follows ${this.#next - 1}: records are missing`;
      if (this.#holes.length < MAX_HOLES) this.#holes.push({ where, what });
    }
    this.#next = Math.max(this.#next, record.seq + 1);
  }

  #takeMarker({ time, body }: SessionRecord): void {
    try {
      const { kind, from, to, missing, detail } = readMarkerBody(body);
      if (kind !== 'gap' || this.gaps.length === MAX_GAPS) return;
      this.gaps.push({
        time,
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
        ...(missing !== undefined && { missing }),
        ...(detail !== undefined && { detail }),
      });
    } catch (cause) {
      // The check of the bodies tells it.
      if (!(cause instanceof FormatError)) throw cause;
    }
  }

  /** @returns how many records are missing, where the recording's gaps tell of all of them; others are findings */
  endOfRecords(): number {
    const told = this.gaps.reduce((sum, { missing = 0 }) => sum + missing, 0);
    if (!this.#all || this.#lost || this.#absent === told) return told;
    for (const { where, what } of this.#holes) this.#findings.add(where, what);
    return 0;
  }

  end(close: CloseEntry, recordBytes: ReadonlyMap<Stream, number>): void {
    if (this.#lost) return;
    if (this.#all && this.#next !== close.records) {
      this.#findings.add(CLOSE_PATH, `says ${close.records} captured records, the chunks have ${this.#next}`);
    }
    if (this.gaps.length !== close.gaps) {
      this.#findings.add(CLOSE_PATH, `says ${close.gaps} gaps, the chunks have ${this.gaps.length} markers of one`);
    }
    for (const [stream, bytes] of recordBytes) {
      const told = close.streams.find((totals) => totals.stream === stream)?.recordBytes ?? 0;
      if (told !== bytes)
        this.#findings.add(CLOSE_PATH, `says ${told} record bytes of ${stream}, the chunks have ${bytes}`);
    }
  }
}

/** Where a keyframe stands, and which screen record is the last that it reflects. */
interface SeenKeyframe {
  readonly seq: number;
  readonly time: number;
  readonly screen: { readonly chunk: number; readonly end: number };
}

/** Replays the screen and compares it with each keyframe's receipt; the index must point to these keyframes. */
class ReplayCheck {
  readonly #findings = new Findings('replay');
  readonly #player: Player | null;
  readonly #screen: ReplayedScreen | null;
  readonly #keyframes = new Map<string, SeenKeyframe>();
  #last = { seq: -1, chunk: 0, end: 0 };
  #lost: Leaf | null = null;

  constructor(player: Player | null) {
    this.#player = player;
    this.#screen = player?.makeScreen() ?? null;
  }

  /** Takes what the config at the head of the first chunk says, which may be a repetition and then no record of its own. */
  begin(config: ConfigBody): void {
    this.#screen?.configure(config);
  }

  lose(leaf: Leaf): void {
    if (keyNameOf(leaf.stream) === 'screen') this.#lost ??= leaf;
  }

  next(item: StreamedRecord): void {
    if (this.#screen === null || this.#lost !== null) return;
    const screen = this.#screen;
    attempt(this.#findings, placeOf(item), () => {
      if (item.stream === 'screen') {
        applyScreenRecord(screen, item.record);
        this.#last = {
          seq: item.record.seq,
          chunk: item.leaf.index,
          end: item.offset + recordSize(item.record),
        };
      } else if (item.stream === 'keyframes') this.#compare(screen, item);
      else if (item.stream === 'index') this.#checkIndex(readIndex(item.record.body));
    });
  }

  #compare(screen: ReplayedScreen, { record, leaf, offset }: StreamedRecord): void {
    const keyframe = readKeyframe(record.body);
    const fail = (what: string) => this.#findings.add(`${chunkPath(leaf)} byte ${offset}`, what);
    if (keyframe.seq !== record.seq || keyframe.seq !== this.#last.seq) {
      fail(`a keyframe of seq ${keyframe.seq} in record ${record.seq}, after screen record ${this.#last.seq}`);
    }
    this.#keyframes.set(`${leaf.index} ${offset}`, { seq: record.seq, time: record.time, screen: this.#last });
    if (keyframe.width !== screen.width || keyframe.height !== screen.height) {
      fail(`${keyframe.width} × ${keyframe.height}, the replay is ${screen.width} × ${screen.height}`);
      return;
    }
    const replayed = sha256(screen.pixels);
    if (!equal(replayed, keyframe.sha256)) {
      fail(`pixels at seq ${keyframe.seq} hash to ${toHex(keyframe.sha256)}, the replay's to ${toHex(replayed)}`);
    } else if (!this.#shows(keyframe.png, replayed)) fail('its PNG shows other pixels');
  }

  #shows(png: Uint8Array, hash: Uint8Array): boolean {
    try {
      return equal(sha256(this.#player!.readPng(png).pixels), hash);
    } catch {
      return false;
    }
  }

  #checkIndex(index: IndexBody): void {
    for (const position of index.keyframes) {
      const seen = this.#keyframes.get(`${position.chunk} ${position.offset}`);
      if (seen === undefined || seen.seq !== position.seq || seen.time !== position.time) {
        throw new FormatError('index.keyframes', `no keyframe of seq ${position.seq} where it says`);
      }
      const { chunk, end } = seen.screen;
      const goesOn = position.screenChunk === chunk ? position.screenOffset === end : position.screenOffset === 0;
      if (!goesOn || position.screenChunk - chunk > 1 || position.screenChunk < chunk) {
        throw new FormatError('index.keyframes', `the screen does not go on from seq ${position.seq} where it says`);
      }
    }
  }

  end(readable: readonly Stream[]): Check {
    if (this.#screen === null) return this.#findings.skipped('no decoder was given');
    if (!readable.includes('screen')) return this.#findings.skipped('the identity does not open the screen');
    if (this.#lost !== null) {
      return this.#findings.skipped(`the screen cannot be replayed beyond ${chunkPath(this.#lost)}`);
    }
    return this.#findings.passedOrFailed(`${this.#keyframes.size} keyframes equal the replay in every pixel`);
  }
}
