/** A viewer's picture of a session, kept from the frames of its live view. */
import { type LiveFrame, LiveFrameError, type LivePointer, pixelsOf } from './live-frames.ts';

const OPAQUE_BLACK = 0xff000000;

/** What is used of the platform's streams: ECMAScript's own library does not declare it. */
interface Platform {
  DecompressionStream: new (
    format: 'deflate-raw',
  ) => {
    writable: { getWriter(): { write(bytes: Uint8Array): Promise<void>; close(): Promise<void> } };
    readable: { getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array }>; cancel(): Promise<void> } };
  };
}

const platform = globalThis as unknown as Platform;

export class LivePicture {
  #width = 0;
  #height = 0;
  #pixels = new Uint8Array(0);
  #pointer: LivePointer = { shown: 'default', position: null, image: null };
  #next = 0;
  /** µs on the session's clock, and seq, of the last record that was shown; -1 before the first frame. */
  timeUs = -1;
  seq = -1;
  /** Whether it is the picture of `seq` in every pixel. */
  isExact = false;

  get width(): number {
    return this.#width;
  }

  get height(): number {
    return this.#height;
  }

  /** R, G, B, 0xFF each, rows from the top, without the pointer: fit for `ImageData`. */
  get pixels(): Uint8Array<ArrayBuffer> {
    return this.#pixels;
  }

  get pointer(): LivePointer {
    return this.#pointer;
  }

  /**
   * Takes a frame.
   * @throws LiveFrameError when it does not follow on the one before, or its pixels cannot be inflated
   */
  async apply(frame: LiveFrame): Promise<void> {
    const { width, height, number, isWhole } = frame;
    if (number !== this.#next) throw new LiveFrameError('number', `${number}, wanted ${this.#next}`);
    if (!isWhole && (width !== this.#width || height !== this.#height)) {
      throw new LiveFrameError('size', `${width} × ${height}, and the frame does not begin anew`);
    }
    const pixels = await inflate(frame.deflated, pixelsOf(frame.rectangles) * 4);
    this.#next++;
    if (isWhole) {
      this.#width = width;
      this.#height = height;
      this.#pixels = new Uint8Array(new Uint32Array(width * height).fill(OPAQUE_BLACK).buffer);
    }
    let from = 0;
    for (const { left, top, width, height } of frame.rectangles) {
      for (let y = top; y < top + height; y++, from += width * 4) {
        this.#pixels.set(pixels.subarray(from, from + width * 4), (y * this.#width + left) * 4);
      }
    }
    if (frame.pointer) this.#pointer = frame.pointer;
    this.timeUs = frame.timeUs;
    this.seq = frame.seq;
    this.isExact = frame.isExact;
  }
}

/** @throws LiveFrameError unless `deflated` inflates to exactly `size` bytes */
async function inflate(deflated: Uint8Array, size: number): Promise<Uint8Array> {
  const pixels = new Uint8Array(size);
  const { writable, readable } = new platform.DecompressionStream('deflate-raw');
  const writer = writable.getWriter();
  const reader = readable.getReader();
  // What fails while writing fails while reading too.
  const written = writer.write(deflated).then(() => writer.close());
  written.catch(() => {});
  let at = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (at + part.value!.length > size) throw new LiveFrameError('pixels', `more than ${size} bytes`);
      pixels.set(part.value!, at);
      at += part.value!.length;
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    if (error instanceof LiveFrameError) throw error;
    throw new LiveFrameError('pixels', `cannot be inflated: ${(error as Error).message}`);
  }
  if (at !== size) throw new LiveFrameError('pixels', `${at} bytes, wanted ${size}`);
  return pixels;
}
