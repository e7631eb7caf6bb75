/** Plays a recording frame by frame, and compares it with the receipts on the way. */
import { inflateSync } from 'node:zlib';
import { FormatError } from '#evidence/format-error.ts';
import type { Keyframe } from '#evidence/keyframe.ts';
import { equal } from '#evidence/merkle.ts';
import type { BundleReader } from '#evidence/node/bundle-reader.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { RecordType } from '#evidence/record.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import { toHex } from '#evidence/text.ts';
import { readPng } from '#rdp/graphics/png.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { handsOf } from './input-events.ts';
import { RenderError } from './render-error.ts';
import { clock } from './session-time.ts';
import type { PointerOnScreen, Stage } from './stage.ts';
import { type Survey, streamsFor } from './survey.ts';
import type { Timeline } from './timeline.ts';
import { type Step, walk } from './walk.ts';

export interface PlaybackOptions {
  readonly survey: Survey;
  readonly timeline: Timeline;
  readonly stage: Stage;
  /** Whether the pointer is drawn, where it is known. */
  readonly pointer: boolean;
}

/** What playing has shown, so far and in the end. */
export interface PlaybackTotals {
  readonly receipts: number;
  readonly undecodableBytes: number;
}

export class Playback {
  readonly #reader: BundleReader;
  readonly #options: PlaybackOptions;
  #decoder: ScreenDecoder;
  /** Where the person last put the pointer. */
  #hand: { readonly x: number; readonly y: number } | null = null;
  #blank: string | null = null;
  #receipts = 0;
  #undecodableBefore = 0;

  constructor(reader: BundleReader, options: PlaybackOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#decoder = startScreen(reader);
    options.stage.attach(this.#decoder);
  }

  get totals(): PlaybackTotals {
    return {
      receipts: this.#receipts,
      undecodableBytes: this.#undecodableBefore + this.#decoder.undecodableBytes,
    };
  }

  /**
   * Brings the stage up to date for each frame of the video, in order.
   * @returns for each frame, whether it differs from the one before
   * @throws RenderError that names the keyframe when the pixels are not those of a receipt
   */
  *frames(): Generator<boolean, void, undefined> {
    const { timeline } = this.#options;
    let slot = 0;
    // What is missing has been told by the survey.
    const steps = walk(this.#reader, { streams: streamsFor(this.#reader), onMissing: () => {} });
    for (const step of steps) {
      for (const due = timeline.slot(step.time); slot < due; slot++) yield* this.#frame(slot);
      this.#take(step);
    }
    for (; slot < timeline.screenFrames; slot++) yield* this.#frame(slot);
  }

  *#frame(slot: number): Generator<boolean, void, undefined> {
    const { timeline, stage } = this.#options;
    const captions = timeline.captionsBefore(slot);
    if (captions !== null) {
      const text = captions.join('\n');
      for (let i = 0; i < timeline.captionFrames; i++) yield stage.update(null, text);
    }
    yield stage.update(this.#pointer(), this.#blank);
  }

  #pointer(): PointerOnScreen | null {
    const { pointer } = this.#decoder;
    const place = this.#hand ?? pointer.position;
    if (!this.#options.pointer || place === null || pointer.image === null) return null;
    return { image: pointer.image, x: place.x, y: place.y };
  }

  #take(step: Step): void {
    switch (step.kind) {
      case 'screen': {
        const before = this.#decoder.pointer.position;
        applyScreenRecord(this.#decoder, step.record);
        const after = this.#decoder.pointer.position;
        // The server put the pointer elsewhere: it is there until the person moves it again.
        if (after !== before) this.#hand = after;
        break;
      }
      case 'input':
        if (step.record.type === RecordType.clientPdu) this.#hand = handsOf(step.record.body).pointer ?? this.#hand;
        break;
      case 'receipt':
        this.#compare(step);
        break;
      case 'lost':
        this.#blank = this.#options.survey.blanks.find(({ from }) => from === step.time)?.text ?? '';
        break;
      case 'found':
        this.#restore(step.keyframe);
        this.#blank = null;
        break;
    }
  }

  #compare({ keyframe, where, time }: Extract<Step, { kind: 'receipt' }>): void {
    const { width, height, pixels } = this.#decoder;
    const at = `keyframe ${where} (record ${keyframe.seq}, ${clock(time)})`;
    if (keyframe.width !== width || keyframe.height !== height) {
      throw new RenderError(`${at} is ${keyframe.width} x ${keyframe.height}, the replay is ${width} x ${height}`);
    }
    const replayed = sha256(pixels);
    if (!equal(replayed, keyframe.sha256)) {
      throw new RenderError(
        `${at}: pixels hash to ${toHex(keyframe.sha256)}, the replay's to ${toHex(replayed)}: this video would not show ` +
          'what was recorded',
      );
    }
    this.#receipts++;
  }

  /** @throws RenderError when the keyframe's picture is not what its receipt says */
  #restore({ state, png, sha256: wanted, seq }: Keyframe): void {
    const { pixels } = readPng(png, (bytes, limit) => inflateSync(bytes, { maxOutputLength: limit }));
    if (!equal(sha256(pixels), wanted)) throw new RenderError(`keyframe of record ${seq}: its PNG shows other pixels`);
    this.#undecodableBefore += this.#decoder.undecodableBytes;
    this.#decoder = ScreenDecoder.restore(state, pixels);
    // Those of before the keyframe are counted in its state, whether they were seen here or not.
    this.#undecodableBefore -= this.#decoder.undecodableBytes;
    this.#options.stage.attach(this.#decoder);
  }
}

/** A black screen of the size that the first config says; of no size where that is missing. */
function startScreen(reader: BundleReader): ScreenDecoder {
  const screen = new ScreenDecoder();
  try {
    screen.configure(reader.config(0));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return screen;
}
