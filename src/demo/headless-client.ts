import { createHash } from 'node:crypto';
import { BulkHistory } from '#rdp/bulk/bulk-history.ts';
import { clipboardChannelName } from '#rdp/channel/clipboard.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { announceCodec, codecNumbers } from '#rdp/graphics/surface-capabilities.ts';
import { announcedOrders } from '#rdp/order/order-announcement.ts';
import { orderSupportOf } from '#rdp/order/order-support.ts';
import type { AutoReconnectPacket } from '#rdp/pdu/auto-reconnect.ts';
import { ChannelOption } from '#rdp/pdu/gcc-client-blocks.ts';
import { type InputEvent, PointerFlag } from '#rdp/pdu/input.ts';
import { readSaveSessionInfo } from '#rdp/pdu/save-session-info.ts';
import { ShareDataType } from '#rdp/pdu/share-data.ts';
import { writeFrameAcknowledge } from '#rdp/pdu/surface-commands.ts';
import { ClientLink, type LinkOptions } from './client-link.ts';
import { ClipboardEnd } from './clipboard-end.ts';
import { controlEvents, typingEvents } from './keyboard.ts';
import { readPad } from './text-reader.ts';
import { Waiters } from './waiters.ts';

/** The data of further `channels` is kept in `channelData`. */
export interface HeadlessOptions extends LinkOptions {
  /** Whether to open the clipboard channel; true by default. */
  clipboard?: boolean;
  /** Whether `shown` keeps every frame; true by default. */
  keepShown?: boolean;
  /** Milliseconds that connecting, and each wait without a time of its own, may take. */
  timeoutMs?: number;
}

export interface Place {
  x: number;
  y: number;
}

const defaultTimeoutMs = 60_000;
const dragStepMs = 15;
const shutdownMs = 1000;
const clipboardOptions = (ChannelOption.initialized | ChannelOption.encryptRdp | ChannelOption.showProtocol) >>> 0;
/** The beginning of a PDU that says it has more bytes than follow. */
const cutPdu = Uint8Array.of(3, 0, 0x40, 0, 2, 0xf0, 0x80, 0x64);
const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** An RDP client without a window: a program uses it as a person uses a client. */
export class HeadlessClient {
  /** The screen as this client was shown it. */
  readonly decoder: ScreenDecoder;
  /** Every frame from the server since the connection phase, in order: proof of what was shown. */
  readonly shown: Uint8Array[] = [];
  /** Bytes of those frames. */
  shownBytes = 0;
  /** Frames from the server since the connection phase. */
  frames = 0;
  /** Chunks received on channels other than the clipboard, by name. */
  readonly channelData = new Map<string, Uint8Array[]>();
  /** What lets a later connection come back to this session; null until the server gives it. */
  reconnectCookie: AutoReconnectPacket | null = null;
  /** Who the server says is logged on; null until it does. */
  loggedOnAs: string | null = null;
  readonly #options: HeadlessOptions;
  readonly #link: ClientLink;
  readonly #history = BulkHistory.empty();
  readonly #waiters = new Waiters();
  readonly #clipboard: ClipboardEnd;
  #lastFrameAt = performance.now();
  #isShutdownDenied = false;

  private constructor(options: HeadlessOptions) {
    this.#options = options;
    this.decoder = new ScreenDecoder();
    this.decoder.configure({
      width: options.width ?? 1024,
      height: options.height ?? 640,
      depth: options.bitsPerPixel ?? 32,
      codecs: codecNumbers((options.codecs ?? []).map(announceCodec)),
      ...(options.orders && { orders: orderSupportOf(announcedOrders()) }),
    });
    // Servers send few frames ahead of the last one acknowledged
    this.decoder.listener = {
      frameEnded: (frameId) => this.#link.sendData(ShareDataType.frameAcknowledge, writeFrameAcknowledge(frameId)),
    };
    this.#clipboard = new ClipboardEnd('client', (payload) => this.#link.sendOnChannel(clipboardChannelName, payload));
    this.#clipboard.onOffer = () => this.#waiters.notify();
    const clipboard = options.clipboard === false ? [] : [{ name: clipboardChannelName, options: clipboardOptions }];
    this.#link = new ClientLink(
      { ...options, channels: [...clipboard, ...(options.channels ?? [])] },
      {
        shown: (frame) => this.#show(frame),
        data: (type, body) => this.#takeData(type, body),
        channel: (name, payload) => this.#takeChannel(name, payload),
        changed: () => this.#waiters.notify(),
        ended: (reason) => {
          this.#clipboard.stop();
          this.#waiters.fail(reason);
        },
      },
    );
  }

  /**
   * Connects, and goes on until the server lets input in.
   * @throws Error with the server's reason when it refuses, ends the connection, or takes too long
   */
  static async connect(options: HeadlessOptions): Promise<HeadlessClient> {
    const client = new HeadlessClient(options);
    try {
      await client.waitUntil(() => client.isActive, 'the server to open the share');
    } catch (error) {
      client.abort();
      throw error;
    }
    return client;
  }

  /** Whether the share is open. */
  get isActive(): boolean {
    return this.#link.isActive;
  }

  /** Whether the connection is over. */
  get isClosed(): boolean {
    return this.#link.isEnded;
  }

  /** The last reason that the server set, 0 for none. */
  get errorInfo(): number {
    return this.#link.errorInfo;
  }

  /** SHA-256 of the pixels shown, RGBX without the pointer, hex: what a keyframe of a recording holds. */
  pixelHash(): string {
    return createHash('sha256').update(this.decoder.pixels).digest('hex');
  }

  /** What the demo desktop's text pad shows. */
  readPad(): string {
    return readPad(this.decoder.screen);
  }

  /** Waits until a condition holds: it is looked at after whatever the server sends. */
  waitUntil(check: () => boolean, what: string, timeoutMs = this.#timeoutMs): Promise<void> {
    return this.#waiters.until(check, what, timeoutMs);
  }

  /** Waits until the text pad of the demo desktop shows a text. */
  waitForPad(check: (text: string) => boolean, what: string, timeoutMs?: number): Promise<void> {
    return this.waitUntil(() => check(this.readPad()), `the text pad to show ${what}`, timeoutMs);
  }

  /** Waits until the pixels have a SHA-256, hex. */
  waitForHash(hash: string, timeoutMs?: number): Promise<void> {
    return this.waitUntil(() => this.pixelHash() === hash, `pixels with SHA-256 ${hash}`, timeoutMs);
  }

  /** Waits until the server has sent nothing for a while. */
  async waitForQuiet(quietMs: number, timeoutMs = this.#timeoutMs): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const quiet = performance.now() - this.#lastFrameAt;
      if (quiet >= quietMs) return;
      if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${quietMs} ms without a frame`);
      await delay(quietMs - quiet);
    }
  }

  /** Waits until the connection is over. */
  async waitForEnd(timeoutMs = this.#timeoutMs): Promise<void> {
    await this.waitUntil(() => this.isClosed, 'the connection to end', timeoutMs);
  }

  /** Sends events as they are. */
  send(events: readonly InputEvent[]): void {
    this.#link.send(events);
  }

  /**
   * Types a text, key by key.
   * @param pauseMs between two characters
   */
  async type(text: string, pauseMs = 0): Promise<void> {
    for (const character of text) {
      this.send(typingEvents(character));
      if (pauseMs > 0) await delay(pauseMs);
    }
  }

  /** Presses a key while Control is held. */
  pressControl(character: string): void {
    this.send(controlEvents(character));
  }

  moveMouse({ x, y }: Place): void {
    this.send([{ kind: 'mouse', flags: PointerFlag.move, x, y }]);
  }

  /** Presses or releases the left button. */
  pressMouse({ x, y }: Place, isDown: boolean): void {
    this.send([{ kind: 'mouse', flags: PointerFlag.button1 | (isDown ? PointerFlag.down : 0), x, y }]);
  }

  click(place: Place): void {
    this.moveMouse(place);
    this.pressMouse(place, true);
    this.pressMouse(place, false);
  }

  /** Moves to a place, and from there with the left button held to another, in steps as a hand would. */
  async drag(from: Place, to: Place, steps = 12): Promise<void> {
    this.moveMouse(from);
    this.pressMouse(from, true);
    for (let step = 1; step <= steps; step++) {
      const share = step / steps;
      const between = (a: number, b: number) => Math.round(a + (b - a) * share);
      this.moveMouse({ x: between(from.x, to.x), y: between(from.y, to.y) });
      await delay(dragStepMs);
    }
    this.pressMouse(to, false);
  }

  /** Copies a text here: the server is told, and may paste it. */
  copy(text: string): void {
    this.#clipboard.copy(text);
  }

  /** Waits until the server has taken note of what was copied here. */
  waitForCopy(timeoutMs?: number): Promise<void> {
    return this.waitUntil(() => this.#clipboard.isTaken, 'the server to take note of what was copied', timeoutMs);
  }

  /** Waits until the server says that text was copied there. */
  waitForClipboard(timeoutMs?: number): Promise<void> {
    return this.waitUntil(() => this.#clipboard.isOffered, 'the server to offer text on its clipboard', timeoutMs);
  }

  /** Pastes here: the text that was copied on the server, or null when there is none or it is refused. */
  paste(): Promise<string | null> {
    return this.#clipboard.paste();
  }

  /** Sends the user data of one chunk on a static channel. */
  sendOnChannel(name: string, payload: Uint8Array): void {
    this.#link.sendOnChannel(name, payload);
  }

  /** Sends a share data PDU. */
  sendData(type: number, body: Uint8Array): void {
    this.#link.sendData(type, body);
  }

  /** Sends bytes as they are: for tests of what a server makes of them. */
  sendRaw(bytes: Uint8Array): void {
    this.#link.sendRaw(bytes);
  }

  /** Asks whether it may close, and waits to be told no: what was sent before has arrived by then. */
  async askToLeave(timeoutMs = this.#timeoutMs): Promise<void> {
    this.#isShutdownDenied = false;
    this.#link.sendData(ShareDataType.shutdownRequest, new Uint8Array(0));
    await this.waitUntil(() => this.#isShutdownDenied, 'an answer to Shutdown Request', timeoutMs);
  }

  /** Leaves as a person does who closes the window: asks to shut down, is told no, disconnects. */
  async disconnect(): Promise<void> {
    // a server that lets go at once, or does not answer, is left just the same
    if (this.isActive) await this.askToLeave(shutdownMs).catch(() => {});
    this.#link.close();
    await this.waitForEnd().catch(() => this.abort());
  }

  /** Cuts the line: in the middle of a PDU if asked to. */
  abort(options: { midPdu?: boolean } = {}): void {
    if (options.midPdu) this.#link.sendRaw(cutPdu);
    this.#link.destroy();
  }

  /**
   * Comes back to the same session: a new connection with the cookie that this one was given.
   * @param changes to the options, such as another size
   */
  reconnect(changes: Partial<HeadlessOptions> = {}): Promise<HeadlessClient> {
    const autoReconnect = this.reconnectCookie ?? undefined;
    return HeadlessClient.connect({ ...this.#options, autoReconnect, ...changes });
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? defaultTimeoutMs;
  }

  #show(frame: Uint8Array): void {
    this.frames++;
    this.#lastFrameAt = performance.now();
    this.shownBytes += frame.length;
    if (this.#options.keepShown !== false) this.shown.push(frame);
    this.decoder.apply(this.#history.undo(frame));
  }

  #takeData(type: number, body: Uint8Array): void {
    if (type === ShareDataType.shutdownDenied) this.#isShutdownDenied = true;
    if (type !== ShareDataType.saveSessionInfo) return;
    const info = readSaveSessionInfo(body);
    if (info.kind === 'logon') this.loggedOnAs = info.userName;
    if (info.kind === 'extended' && info.autoReconnect) this.reconnectCookie = info.autoReconnect;
  }

  #takeChannel(name: string, payload: Uint8Array): void {
    if (name === clipboardChannelName) {
      this.#clipboard.receive(payload);
      return;
    }
    const chunks = this.channelData.get(name);
    if (chunks) chunks.push(payload);
    else this.channelData.set(name, [payload]);
  }
}
