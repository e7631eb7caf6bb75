/** Finds the stretches of a session in which nothing happened. Times are µs of the session's clock. */

export interface Cut {
  /** The first moment that is left out, and the first after it that is not. */
  readonly from: number;
  readonly to: number;
}

/**
 * What the screen may change in a second without anything having happened: a clock, a blinking cursor. It counts only
 * where the person's input is known, since typed letters are as small.
 */
const SMALL_CHANGE_PIXELS = 64 * 64;
const SECOND = 1_000_000;

/** Is told what happened, in order, and says what to leave out. */
export class IdleFinder {
  readonly #keep: number;
  readonly #worth: number;
  readonly #smallChange: number;
  readonly #cuts: Cut[] = [];
  #active = 0;
  #second = 0;
  #painted = 0;

  /**
   * @param keep what remains of each stretch, from its beginning
   * @param worth shorter cuts than this are not made: what telling of one takes
   * @param inputKnown whether all input is told of
   */
  constructor(options: { keep: number; worth: number; inputKnown: boolean }) {
    this.#keep = options.keep;
    this.#worth = options.worth;
    this.#smallChange = options.inputKnown ? SMALL_CHANGE_PIXELS : 0;
  }

  /** Something happened that counts. */
  active(time: number): void {
    const from = this.#active + this.#keep;
    if (time - from > this.#worth) this.#cuts.push({ from, to: time });
    this.#active = Math.max(this.#active, time);
  }

  /** So many pixels of the screen were painted. */
  painted(time: number, pixels: number): void {
    const second = Math.floor(time / SECOND);
    if (second !== this.#second) this.#painted = 0;
    this.#second = second;
    this.#painted += pixels;
    if (this.#painted > this.#smallChange) this.active(time);
  }

  /** @param end of the session */
  finish(end: number): Cut[] {
    this.active(end);
    return this.#cuts;
  }
}
