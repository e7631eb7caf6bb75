import assert from 'node:assert/strict';
import type WebSocket from 'ws';
import { decodeLiveFrame, LIVE_NEXT, type LiveEvent, type LiveFrame } from '#contract/live-frames.ts';
import { LivePicture } from '#contract/live-picture.ts';

/** A viewer of the recorder's own live view: it takes a frame when a test says so. */
export class Viewer {
  readonly picture = new LivePicture();
  readonly events: LiveEvent[] = [];
  readonly ended: Promise<{ code: number; reason: string }>;
  readonly #socket: WebSocket;
  readonly #opened: Promise<void>;
  #onFrame = Promise.withResolvers<LiveFrame | null>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#opened = new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    this.#opened.catch(() => {});
    socket.on('message', (message: Buffer, isBinary) => {
      if (isBinary) this.#onFrame.resolve(decodeLiveFrame(Uint8Array.from(message)));
      else this.events.push(JSON.parse(message.toString()));
    });
    this.ended = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.#onFrame.resolve(null);
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** Asks for a frame and paints it. @returns null when the view has ended instead */
  async next(): Promise<LiveFrame | null> {
    await this.#opened;
    this.#onFrame = Promise.withResolvers();
    if (this.#socket.readyState !== this.#socket.OPEN) return null;
    this.#socket.send(LIVE_NEXT);
    const frame = await this.#onFrame.promise;
    if (frame) await this.picture.apply(frame);
    return frame;
  }

  /** Takes frames until the picture is exactly that of `seq`, or of a later record. */
  async until(seq: number): Promise<void> {
    while (this.picture.seq < seq || !this.picture.isExact) {
      if ((await this.next()) === null) assert.fail(`the live view ended with ${(await this.ended).reason}`);
    }
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  async leave(): Promise<void> {
    this.#socket.close();
    await this.ended;
  }
}
