/** Buffers for frames on their way to FFmpeg: a frame that changed gets another buffer than those that are being written. */
import { FRAMES_IN_FLIGHT } from './ffmpeg.ts';

export class FramePool {
  readonly #buffers: readonly Uint8Array[];
  #current: Uint8Array;

  constructor(frameBytes: number) {
    this.#buffers = Array.from({ length: FRAMES_IN_FLIGHT + 1 }, () => new Uint8Array(frameBytes));
    this.#current = this.#buffers[0];
  }

  /** The frame that was put in last. */
  get current(): Uint8Array {
    return this.#current;
  }

  /** @param isBusy whether a buffer may not be written to */
  put(frame: Uint8Array, isBusy: (buffer: Uint8Array) => boolean): void {
    // No more are busy than are in flight, and there is one more than that.
    this.#current = this.#buffers.find((buffer) => !isBusy(buffer))!;
    this.#current.set(frame);
  }
}
