/** One connection's records, and the rule that nothing is shown before it is recorded. */
import {
  ACKNOWLEDGEMENT_TIMEOUT_MS,
  type RecordTransport,
  type RecordWriter,
  UNACKNOWLEDGED_LIMIT_BYTES,
} from '#contract/record-transport.ts';
import { RecordType } from '#evidence/record.ts';
import {
  type ChannelBody,
  type ConfigBody,
  type MarkerBody,
  writeChannelBody,
  writeJsonBody,
} from '#evidence/record-body.ts';

export interface RecordingEvents {
  /** These frames are durable: they may be shown, in this order. */
  release(frames: Uint8Array[]): void;
  /** Recording has stopped or hangs: the session must stop. Called once. */
  failed(reason: string): void;
}

/** How often a recorder that hangs is looked for. */
const WATCH_INTERVAL_MS = 500;
/** Looks in vain that make the timeout. Looks are counted, and no time: while this process stands still nothing is missed. */
const PATIENT_LOOKS = ACKNOWLEDGEMENT_TIMEOUT_MS / WATCH_INTERVAL_MS;
const FINISH_TIMEOUT_MS = ACKNOWLEDGEMENT_TIMEOUT_MS;

interface Held {
  number: number;
  frame: Uint8Array;
}

export class Recording {
  readonly #events: RecordingEvents;
  #writer!: RecordWriter;
  /** Frames whose records are not durable yet, oldest first; those before `#first` are released. */
  #held: Held[] = [];
  #first = 0;
  #last = -1;
  #releasing = false;
  #failed = false;
  /** Looks since the recorder last acknowledged, or last had nothing to acknowledge. */
  #looks = 0;
  #watch: NodeJS.Timeout | undefined;

  private constructor(events: RecordingEvents) {
    this.#events = events;
  }

  /** @throws ServiceError when the recording does not take this connection */
  static async attach(
    records: RecordTransport,
    sessionId: string,
    connectionId: string,
    events: RecordingEvents,
  ): Promise<Recording> {
    const recording = new Recording(events);
    recording.#writer = await records.attach(sessionId, connectionId, {
      acknowledged: () => recording.#acknowledged(),
      failed: (reason) => recording.#fail(reason),
    });
    recording.#watch = setInterval(() => recording.#lookForHang(), WATCH_INTERVAL_MS).unref();
    return recording;
  }

  /** Bytes handed over and not durable yet. */
  get unacknowledgedBytes(): number {
    return this.#writer.unacknowledgedBytes;
  }

  /** Whether the recorder is so far behind that no more must be read. */
  get isFull(): boolean {
    return this.#writer.unacknowledgedBytes >= UNACKNOWLEDGED_LIMIT_BYTES;
  }

  get hasFailed(): boolean {
    return this.#failed;
  }

  /** How long the session has lasted, by the recorder's clock. */
  get elapsedMs(): number {
    return this.#writer.now() / 1000;
  }

  /** Wall-clock time at which the session's clock stood at 0. */
  get startedAt(): Date {
    return new Date(Date.now() - this.elapsedMs);
  }

  config(body: ConfigBody): void {
    this.#append(RecordType.config, writeJsonBody(body));
  }

  marker(body: MarkerBody): void {
    this.#append(RecordType.marker, writeJsonBody(body));
  }

  /** Records a server PDU as the client is to see it, and shows it once that is durable. */
  screen(frame: Uint8Array): void {
    this.#hold(this.#append(RecordType.serverPdu, frame), frame);
  }

  /** Records channel data for the client, and shows the frame that holds it once that is durable. */
  channelToClient(channel: string, data: Uint8Array, frame: Uint8Array): void {
    const body: ChannelBody = { direction: 'server-to-client', channel, data };
    this.#hold(this.#append(RecordType.channelData, writeChannelBody(body)), frame);
  }

  /** Shows a frame of the gateway's own that holds nothing to be recorded, after all that was to be shown before it. */
  unrecorded(frame: Uint8Array): void {
    this.#hold(this.#last, frame);
  }

  channelToServer(channel: string, data: Uint8Array): void {
    this.#append(RecordType.channelData, writeChannelBody({ direction: 'client-to-server', channel, data }));
  }

  input(frame: Uint8Array): void {
    this.#append(RecordType.clientPdu, frame);
  }

  /** Resolves once all is durable and shown. @throws Error when recording has stopped */
  async flush(): Promise<void> {
    await this.#writer.flush();
    this.#release();
  }

  /** Waits, for a limited time, until all is durable and shown; then lets go of the recording. Never throws. */
  async finish(): Promise<void> {
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, FINISH_TIMEOUT_MS);
    const flushed = this.#failed ? Promise.resolve() : this.#writer.flush().then(this.#release);
    await Promise.race([flushed.catch(() => {}), deadline.promise]);
    clearInterval(this.#watch);
    this.#failed = true;
    await Promise.race([this.#writer.close().catch(() => {}), deadline.promise]);
    clearTimeout(timer);
  }

  #append(type: RecordType, body: Uint8Array): number {
    if (this.#failed) return -1;
    const timeUs = this.#writer.now();
    if (this.#writer.acknowledged >= this.#last) this.#looks = 0;
    this.#last = this.#writer.append({ type, flags: 0, timeUs, body });
    return this.#last;
  }

  #hold(number: number, frame: Uint8Array): void {
    if (this.#failed) return;
    this.#held.push({ number, frame });
    if (this.#writer.acknowledged >= number) this.#releaseSoon();
  }

  #acknowledged(): void {
    this.#looks = 0;
    this.#releaseSoon();
  }

  /** Releases after the present work, so that what is acknowledged in one go is sent in one go. */
  #releaseSoon(): void {
    if (this.#releasing) return;
    this.#releasing = true;
    queueMicrotask(this.#release);
  }

  readonly #release = (): void => {
    this.#releasing = false;
    if (this.#failed) return;
    const durable = this.#writer.acknowledged;
    const frames: Uint8Array[] = [];
    let at = this.#first;
    while (at < this.#held.length && this.#held[at].number <= durable) frames.push(this.#held[at++].frame);
    if (at === this.#held.length) {
      this.#held = [];
      this.#first = 0;
    } else {
      this.#first = at;
      // Drops what was released once it is the greater part, so that each frame is moved about once.
      if (at * 2 > this.#held.length) {
        this.#held = this.#held.slice(at);
        this.#first = 0;
      }
    }
    // Also called when all of it was input: whoever waits for room is to look again.
    this.#events.release(frames);
  };

  #lookForHang(): void {
    if (this.#writer.acknowledged >= this.#last) return;
    if (++this.#looks > PATIENT_LOOKS) {
      this.#fail(`the recorder has not answered for ${ACKNOWLEDGEMENT_TIMEOUT_MS / 1000} s`);
    }
  }

  #fail(reason: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#held = [];
    this.#first = 0;
    clearInterval(this.#watch);
    this.#events.failed(reason);
  }
}
