import type { EventEmitter } from 'node:events';
import { ServiceError } from '#contract/errors.ts';

/** Bounds how many chunks are taken at a time: each is held in memory until it is stored. */
export class Uploads {
  readonly #most: number;
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Takes a place until the answer is sent, or its connection is gone.
   *
   * @throws ServiceError `unavailable` when there is none: come again in a moment
   */
  enter(answer: EventEmitter): void {
    if (this.#running >= this.#most) {
      const words = `${this.#most} chunks are being taken already: try again in a moment`;
      throw new ServiceError('unavailable', words, { retry_after_seconds: 1 });
    }
    this.#running++;
    answer.once('close', () => this.#running--);
  }
}
