/**
 * Which frame shows which moment. Frame n is on for the n-th interval of 1 / frame rate and shows the screen as it was at
 * that interval's end, so that nothing which the recording ends with is left out. Cuts shorten the video; captions, shown on
 * frames of their own, lengthen it.
 */
import type { Cut } from './idle.ts';

/** Seconds that a caption stays. */
export const CAPTION_SECONDS = 2;

/** Something to tell between two frames. */
export interface Caption {
  /** µs of the session's clock. */
  readonly time: number;
  readonly text: string;
}

export interface TimelineOptions {
  readonly frameRate: number;
  /** The session's last moment, in µs. */
  readonly end: number;
  /** In order, apart from each other. */
  readonly cuts: readonly Cut[];
  readonly captions: readonly Caption[];
}

export class Timeline {
  /** Frames that show the screen. */
  readonly screenFrames: number;
  /** Frames that one caption takes. */
  readonly captionFrames: number;
  /** All frames. */
  readonly frames: number;
  readonly #frameRate: number;
  readonly #cuts: readonly Cut[];
  /** What has been cut before each cut, in µs. */
  readonly #cutBefore: readonly number[];
  readonly #captions = new Map<number, string[]>();

  constructor({ frameRate, end, cuts, captions }: TimelineOptions) {
    this.#frameRate = frameRate;
    this.#cuts = cuts;
    let total = 0;
    this.#cutBefore = cuts.map(({ from, to }) => {
      const before = total;
      total += to - from;
      return before;
    });
    this.screenFrames = this.slot(end) + 1;
    this.captionFrames = Math.max(1, Math.round(CAPTION_SECONDS * frameRate));
    for (const { time, text } of captions) {
      const slot = this.slot(time);
      const texts = this.#captions.get(slot);
      if (texts === undefined) this.#captions.set(slot, [text]);
      else texts.push(text);
    }
    this.frames = this.screenFrames + this.#captions.size * this.captionFrames;
  }

  /** Captions, those that come at the same moment counted once. */
  get captionCount(): number {
    return this.#captions.size;
  }

  /** How many screen frames are over before what happens at a moment: the number of the first one that shows it. */
  slot(time: number): number {
    return Math.floor((this.#videoTime(time) * this.#frameRate) / 1e6);
  }

  /** What is told before screen frame `slot`, or null. */
  captionsBefore(slot: number): readonly string[] | null {
    return this.#captions.get(slot) ?? null;
  }

  /** µs into the video, captions aside. */
  #videoTime(time: number): number {
    const i = this.#lastCutBegunBy(time);
    if (i < 0) return time;
    const { from, to } = this.#cuts[i];
    return Math.max(from, time - (to - from)) - this.#cutBefore[i];
  }

  #lastCutBegunBy(time: number): number {
    let [low, high] = [0, this.#cuts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#cuts[middle].from <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
