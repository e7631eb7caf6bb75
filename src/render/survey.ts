/** A first pass over a recording, without decoding a picture: what the video must be ready for, and whether all is there. */
import { CLOSE_PATH, LEAVES_PATH } from '#evidence/bundle-layout.ts';
import { parseEntry } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import { type BundleReader, MAX_SMALL_FILE_BYTES } from '#evidence/node/bundle-reader.ts';
import { parseNote } from '#evidence/note.ts';
import { CAPTURED_STREAMS, RecordType, type SessionRecord, type Stream } from '#evidence/record.ts';
import { type MarkerKind, readConfigBody, readMarkerBody } from '#evidence/record-body.ts';
import type { Size } from './canvas.ts';
import { type Cut, IdleFinder } from './idle.ts';
import { handsOf } from './input-events.ts';
import { inspectPdu } from './inspect-pdu.ts';
import { MarkerWords } from './marker-words.ts';
import { clock, span } from './session-time.ts';
import type { RenderSettings } from './settings.ts';
import { CAPTION_SECONDS, type Caption } from './timeline.ts';
import { type Missing, type Step, walk } from './walk.ts';

/** A time whose pixels nobody knows, in µs. */
export interface Blank {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export interface Survey {
  /** Sizes of the session's desktops, each once, in the order in which they came. */
  readonly sizes: readonly Size[];
  /** The session's last moment, in µs. */
  readonly end: number;
  readonly cuts: readonly Cut[];
  /** Resizes aside, which show by themselves; in order. */
  readonly captions: readonly Caption[];
  readonly blanks: readonly Blank[];
  readonly missing: readonly Missing[];
  /** Receipts that the rendered input must match. */
  readonly receipts: number;
}

/** Streams that a video is made from. */
export function streamsFor(reader: BundleReader): Stream[] {
  const streams: Stream[] = ['screen', 'input', 'keyframes'];
  return streams.filter((stream) => reader.readable.includes(stream));
}

/** @param onProgress told how many stored bytes have been read, and of how many */
export function* surveyRecording(
  reader: BundleReader,
  { cutIdle }: Pick<RenderSettings, 'cutIdle'>,
): Generator<{ done: number; total: number }, Survey, undefined> {
  const streams = streamsFor(reader);
  const surveyor = new Surveyor(cutIdle, streams.includes('input'));
  const missing = missingAtOnce(reader);
  const read = reader.leaves.filter((leaf) => streams.includes(leaf.stream));
  const total = read.reduce((bytes, leaf) => bytes + leaf.storedBytes, 0);
  let [done, told] = [0, 0];
  const steps = walk(reader, {
    streams,
    onMissing: (part) => missing.push(part),
    onChunk: (bytes) => {
      done += bytes;
    },
  });
  surveyor.begin(reader);
  for (const step of steps) {
    surveyor.take(step);
    if (done > told) yield { done, total };
    told = done;
  }
  const captured = reader.leaves.filter(({ stream }) => (CAPTURED_STREAMS as readonly Stream[]).includes(stream));
  const end = captured.reduce((latest, leaf) => Math.max(latest, leaf.lastTime), 0);
  return surveyor.finish(end, missing);
}

class Surveyor {
  readonly #idle: IdleFinder | null;
  readonly #sizes: Size[] = [];
  readonly #captions: Caption[] = [];
  readonly #blanks: Blank[] = [];
  readonly #words = new MarkerWords();
  #lost: { time: number; missing: Missing } | null = null;
  #receipts = 0;
  #pausedAt: number | null = null;
  readonly #pauses: Cut[] = [];

  constructor(cutIdle: number | null, inputKnown: boolean) {
    const worth = CAPTION_SECONDS * 1e6;
    this.#idle = cutIdle === null ? null : new IdleFinder({ keep: cutIdle * 1e6, worth, inputKnown });
  }

  /** The config at the head of the first chunk may be a repetition, which no step tells of. */
  begin(reader: BundleReader): void {
    try {
      this.#addSize(reader.config(0));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'screen':
        this.#takeScreen(step.record, step.time);
        break;
      case 'input':
        if (step.record.type === RecordType.clientPdu && handsOf(step.record.body).active) {
          this.#idle?.active(step.time);
        }
        break;
      case 'receipt':
        this.#receipts++;
        break;
      case 'lost':
        this.#lost = step;
        this.#idle?.active(step.time);
        break;
      case 'found':
        this.#addSize(step.keyframe);
        this.#endBlank(step.time);
        this.#idle?.active(step.time);
        break;
    }
  }

  #takeScreen({ type, body }: SessionRecord, time: number): void {
    if (type === RecordType.serverPdu) {
      const { size, painted } = inspectPdu(body);
      if (size !== null) this.#addSize(size);
      if (painted > 0) this.#idle?.painted(time, painted);
      return;
    }
    let text: string | null;
    if (type === RecordType.config) {
      const config = readConfigBody(body);
      this.#addSize(config);
      text = this.#words.config(time, config);
    } else {
      const marker = readMarkerBody(body);
      this.#takePause(marker.kind, time);
      text = this.#words.marker(marker, time);
    }
    if (text !== null) this.#captions.push({ time, text });
    this.#idle?.active(time);
  }

  /** Nothing can happen in a pause: it is left out, and told at its end. */
  #takePause(kind: MarkerKind, time: number): void {
    if (kind === 'pause') this.#pausedAt ??= time;
    if (kind !== 'resume' || this.#pausedAt === null) return;
    if (time - this.#pausedAt > CAPTION_SECONDS * 1e6) this.#pauses.push({ from: this.#pausedAt, to: time });
    this.#pausedAt = null;
  }

  #addSize({ width, height }: Size): void {
    if (!this.#sizes.some((size) => size.width === width && size.height === height))
      this.#sizes.push({ width, height });
  }

  #endBlank(to: number): void {
    if (this.#lost === null) return;
    const { time: from, missing } = this.#lost;
    const text = `${clock(from)} to ${clock(to)} cannot be shown\n${missing.where}: ${missing.what}`;
    this.#blanks.push({ from, to, text });
    this.#lost = null;
  }

  finish(end: number, missing: readonly Missing[]): Survey {
    this.#endBlank(end + 1);
    const isPaused = (cut: Cut) => this.#pauses.some(({ from, to }) => cut.from >= from && cut.to <= to);
    const idle = (this.#idle?.finish(end) ?? []).filter((cut) => !isPaused(cut));
    const cuts = [...idle, ...this.#pauses].sort((a, b) => a.from - b.from);
    const told = idle.map(({ from, to }) => ({
      time: to,
      text: `${clock(from)} to ${clock(to)}  ${span(to - from)} in which nothing happened are left out`,
    }));
    const captions = [...this.#captions, ...told].sort((a, b) => a.time - b.time);
    return {
      ...{ sizes: this.#sizes, end, cuts, captions, blanks: this.#blanks, missing },
      receipts: this.#receipts,
    };
  }
}

/** What the entries and the leaves show to be missing before any chunk is read. */
function missingAtOnce(reader: BundleReader): Missing[] {
  if (!reader.source.has(CLOSE_PATH)) {
    return [{ where: CLOSE_PATH, what: 'is missing: the session is still open, or its end was cut off' }];
  }
  try {
    const close = parseEntry(parseNote(reader.source.read(CLOSE_PATH, MAX_SMALL_FILE_BYTES)).text);
    if (close.kind !== 'lucid/close/v1') return [{ where: CLOSE_PATH, what: `holds a ${close.kind}` }];
    const lacking = close.leaves - reader.leaves.length;
    return lacking > 0 ? [{ where: LEAVES_PATH, what: `lacks ${lacking} of ${close.leaves} leaves` }] : [];
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return [{ where: CLOSE_PATH, what: error.message }];
  }
}
