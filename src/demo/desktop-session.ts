import type { SecureContext } from 'node:tls';
import { MppcEncoder } from '#rdp/bulk/mppc-encoder.ts';
import type { BitsPerPixel } from '#rdp/codec/pixel.ts';
import type { ClientInfo } from '#rdp/pdu/client-info.ts';
import { ErrorInfo, writeSetErrorInfo } from '#rdp/pdu/error-info.ts';
import { readFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { wantedBitsPerPixel } from '#rdp/pdu/gcc-client-core.ts';
import { readInputPdu } from '#rdp/pdu/input.ts';
import { DisconnectReason, readDomainPdu, SERVER_USER_ID, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { Protocol } from '#rdp/pdu/negotiation.ts';
import { readSuppressOutput } from '#rdp/pdu/output-control.ts';
import type { PointerUpdate } from '#rdp/pdu/pointer-update.ts';
import { writeSaveSessionInfo } from '#rdp/pdu/save-session-info.ts';
import { readShareControls, ShareControlType, writeShareControl } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType, writeShareData } from '#rdp/pdu/share-data.ts';
import { TPKT_VERSION } from '#rdp/pdu/x224.ts';
import { wantsBulkCompression } from '#rdp/profile/upstream-client.ts';
import { ServerActivation } from '#rdp/sequence/server-activation.ts';
import { type ClientDescription, ServerConnection } from '#rdp/sequence/server-connection.ts';
import { serverCapabilities } from '#rdp/sequence/server-settings.ts';
import type { DemoModel } from './demo-model.ts';
import { DesktopClipboard } from './desktop-clipboard.ts';
import { DesktopInput, type Region } from './desktop-input.ts';
import { beamPointer, grabPointer } from './desktop-pointers.ts';
import { confirmedModes } from './desktop-settings.ts';
import type { FrameSocket } from './frame-socket.ts';
import { Scene } from './scene.ts';
import { ScreenSender } from './screen-sender.ts';

export interface SessionOptions {
  model: DemoModel;
  secureContext: SecureContext;
  /** Who may log on; null lets everybody in. */
  credentials: { userName: string; password: string } | null;
  /** Wall-clock time that the desktop shows. */
  now: () => Date;
  /** Milliseconds between two looks at the clock; 0 never looks. */
  tickMs: number;
}

interface Share {
  activation: ServerActivation;
  shareId: number;
  scene: Scene;
  input: DesktopInput;
  /** Null until the client has confirmed. */
  sender: ScreenSender | null;
  colorPointers: boolean;
}

const greatestSide = 4096;
/** No more pictures while this much waits to be sent. */
const backlogLimit = 512 * 1024;
const frameMs = 30;
const protocolUse = { protocols: Protocol.ssl, responseFlags: 0 };

/** One client's connection to the demo desktop. */
export class DesktopSession {
  readonly #socket: FrameSocket;
  readonly #options: SessionOptions;
  readonly #connection = new ServerConnection(protocolUse);
  readonly #onEnd: (error?: Error) => void;
  #client: ClientDescription | null = null;
  /** Outlives shares, as the client's side does. */
  #bulk: MppcEncoder | null = null;
  #share: Share | null = null;
  #nextShareId = 0x103ea;
  #clipboard: DesktopClipboard | null = null;
  #isLoggedOn = false;
  #suppressed = false;
  #region: Region = 'desk';
  readonly #knownPointers = new Set<number>();
  #nextFrame: NodeJS.Timeout | null = null;
  #ticks: NodeJS.Timeout | null = null;
  readonly #unsubscribe: () => void;

  /** @param onEnd called once, when the connection is over; with an error when the client broke the protocol */
  constructor(socket: FrameSocket, options: SessionOptions, onEnd: (error?: Error) => void) {
    this.#socket = socket;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#unsubscribe = options.model.onChange(() => this.#scheduleFrame());
    socket.onFrame = (frame) => this.#receive(frame);
    socket.onDrain = () => this.#scheduleFrame();
    socket.onEnd = (error) => this.#end(error);
  }

  /** What the client said about itself, once it was let in. */
  get client(): ClientDescription | null {
    return this.#client;
  }

  /** Gives the client a desktop of another size: the share ends and begins anew. */
  resize(width: number, height: number): void {
    if (!this.#client || !this.#share) return;
    // xrdp's form: the header alone
    this.#sendIo(writeShareControl(ShareControlType.deactivateAll, SERVER_USER_ID, new Uint8Array(0)));
    this.#startShare(this.#client, width, height);
  }

  /** Ends the connection in order: with a reason, a Disconnect Provider Ultimatum, then TLS and TCP. */
  disconnect(errorInfo: number = ErrorInfo.none): void {
    if (errorInfo !== ErrorInfo.none) this.#sendData(ShareDataType.setErrorInfo, writeSetErrorInfo(errorInfo));
    const reason = DisconnectReason.providerInitiated;
    this.#socket.send([writeDomainPdu({ kind: 'disconnectProviderUltimatum', reason })]);
    this.#socket.close();
  }

  /** Cuts the line. */
  destroy(): void {
    this.#socket.destroy();
  }

  #receive(frame: Uint8Array): void {
    if (this.#share) this.#serve(this.#share, frame);
    else this.#connect(frame);
  }

  #connect(frame: Uint8Array): void {
    this.#socket.send(this.#connection.receive(frame));
    const { state } = this.#connection;
    if (state.phase === 'upgrade') {
      this.#socket.acceptTls(this.#options.secureContext).then(
        () => this.#connection.secured(),
        (error) => this.#end(error),
      );
    } else if (state.phase === 'refused') {
      this.#socket.close();
    } else if (state.phase === 'admission') {
      this.#admit(state.client);
    }
  }

  #admit(client: ClientDescription): void {
    this.#client = client;
    this.#bulk = wantsBulkCompression(client.info) ? new MppcEncoder() : null;
    this.#socket.send(this.#connection.admit());
    const { credentials } = this.#options;
    const { userName, password } = client.info;
    if (credentials && (credentials.userName !== userName || credentials.password !== password)) {
      this.disconnect(ErrorInfo.serverDeniedConnection);
      return;
    }
    const side = (wanted: number, least: number) => Math.min(greatestSide, Math.max(least, wanted));
    const { desktopWidth, desktopHeight } = client.blocks.core;
    this.#clipboard = DesktopClipboard.open(client, this.#options.model, (id, payload) => this.#sendTo(id, payload));
    this.#startShare(client, side(desktopWidth, 200), side(desktopHeight, 200));
  }

  #startShare(client: ClientDescription, width: number, height: number): void {
    const shareId = this.#nextShareId++;
    const depth = wantedBitsPerPixel(client.blocks.core);
    const capabilitySets = serverCapabilities(width, height, depth);
    const activation = new ServerActivation(client, { shareId, capabilitySets });
    const scene = new Scene(width, height);
    const input = new DesktopInput(this.#options.model, scene.layout, {
      copy: () => this.#clipboard?.copy(),
      paste: () => void this.#clipboard?.paste(),
      hover: (region) => this.#hover(region),
    });
    this.#share = { activation, shareId, scene, input, sender: null, colorPointers: false };
    this.#region = 'desk';
    this.#knownPointers.clear();
    this.#socket.send(activation.start());
  }

  #serve(share: Share, frame: Uint8Array): void {
    if (frame[0] !== TPKT_VERSION) {
      for (const event of readFastPathInput(frame)) share.input.take(event);
      return;
    }
    const answers = share.activation.receive(frame);
    if (answers) this.#socket.send(answers);
    if (share.activation.state.phase === 'active' && !share.sender) this.#begin(share);
    if (answers) return;
    const pdu = readDomainPdu(frame);
    if (pdu.kind === 'disconnectProviderUltimatum' || pdu.kind === 'disconnectRequest') this.#socket.close();
    if (pdu.kind !== 'sendDataRequest') return;
    if (pdu.channelId === this.#clipboard?.channelId) this.#clipboard.receive(pdu.payload);
    if (pdu.channelId !== this.#client?.ioChannelId) return;
    for (const { type, body } of readShareControls(pdu.payload)) {
      if (type === ShareControlType.data) this.#serveData(share, body);
    }
  }

  #serveData(share: Share, body: Uint8Array): void {
    const data = readShareData(body);
    switch (data.type) {
      case ShareDataType.input:
        for (const event of readInputPdu(data.body)) share.input.take(event);
        break;
      case ShareDataType.refreshRect:
        share.sender?.forget();
        this.#scheduleFrame();
        break;
      case ShareDataType.suppressOutput:
        this.#suppressed = readSuppressOutput(data.body) === null;
        if (!this.#suppressed) share.sender?.forget();
        this.#scheduleFrame();
        break;
      case ShareDataType.shutdownRequest:
        this.#sendData(ShareDataType.shutdownDenied, new Uint8Array(0));
        break;
    }
  }

  /** The share is open: from now on pictures flow. */
  #begin(share: Share): void {
    const { state } = share.activation;
    if (state.phase !== 'active' || !this.#client) return;
    const { colorPointers, ...modes } = confirmedModes(state.confirm.capabilitySets);
    const { ioChannelId, info, blocks } = this.#client;
    const bitsPerPixel: BitsPerPixel = wantedBitsPerPixel(blocks.core);
    share.colorPointers = colorPointers;
    share.sender = new ScreenSender({ shareId: share.shareId, ioChannelId, bitsPerPixel, bulk: this.#bulk, ...modes });
    if (!this.#isLoggedOn) this.#logOn(info);
    this.#frame();
  }

  /** What is said once, however many shares follow. */
  #logOn({ domain, userName }: ClientInfo): void {
    this.#isLoggedOn = true;
    const logon = { kind: 'logon', domain, userName, sessionId: 1 } as const;
    this.#sendData(ShareDataType.saveSessionInfo, writeSaveSessionInfo(logon));
    this.#clipboard?.start();
    if (this.#options.tickMs > 0) this.#ticks = setInterval(() => this.#scheduleFrame(), this.#options.tickMs);
  }

  #scheduleFrame(): void {
    this.#nextFrame ??= setTimeout(() => {
      this.#nextFrame = null;
      this.#frame();
    }, frameMs);
  }

  #frame(): void {
    const share = this.#share;
    if (!share?.sender || this.#suppressed || this.#socket.backlog > backlogLimit) return;
    share.scene.paint(this.#options.model.state, this.#options.now());
    this.#socket.send(share.sender.changes(share.scene.screen, share.scene.layout.width));
  }

  #hover(region: Region): void {
    const share = this.#share;
    if (!share?.sender || !share.colorPointers || region === this.#region) return;
    this.#region = region;
    this.#socket.send(share.sender.pointer(this.#pointerOf(region)));
  }

  #pointerOf(region: Region): PointerUpdate {
    if (region === 'desk') return { kind: 'default' };
    const shape = region === 'pad' ? beamPointer : grabPointer;
    if (this.#knownPointers.has(shape.cacheIndex)) return { kind: 'cached', cacheIndex: shape.cacheIndex };
    this.#knownPointers.add(shape.cacheIndex);
    return shape;
  }

  #sendData(type: number, body: Uint8Array): void {
    this.#sendIo(writeShareData(this.#share?.shareId ?? 0, SERVER_USER_ID, type, body));
  }

  #sendIo(payload: Uint8Array): void {
    if (this.#client) this.#sendTo(this.#client.ioChannelId, payload);
  }

  #sendTo(channelId: number, payload: Uint8Array): void {
    this.#socket.send([writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId, payload })]);
  }

  #end(error?: Error): void {
    this.#unsubscribe();
    this.#clipboard?.stop();
    if (this.#nextFrame) clearTimeout(this.#nextFrame);
    if (this.#ticks) clearInterval(this.#ticks);
    this.#socket.destroy();
    this.#onEnd(error);
  }
}
