import { createHmac } from 'node:crypto';
import { connect, type NetConnectOpts } from 'node:net';
import { type AutoReconnectPacket, autoReconnectVerifier } from '#rdp/pdu/auto-reconnect.ts';
import type { CodecName } from '#rdp/pdu/codec-properties.ts';
import { describeErrorInfo, readSetErrorInfo } from '#rdp/pdu/error-info.ts';
import { fastPathMaxEvents, writeFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import type { ChannelDef } from '#rdp/pdu/gcc-client-blocks.ts';
import type { InputEvent } from '#rdp/pdu/input.ts';
import { DisconnectReason, readDomainPdu, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { Protocol } from '#rdp/pdu/negotiation.ts';
import { readShareControls, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType, writeShareData } from '#rdp/pdu/share-data.ts';
import { TPKT_VERSION } from '#rdp/pdu/x224.ts';
import { ClientActivation } from '#rdp/sequence/client-activation.ts';
import { type AttachedServer, ClientConnection } from '#rdp/sequence/client-connection.ts';
import { clientBlocks, clientInfo, type DesktopWish } from '#rdp/sequence/client-settings.ts';
import { clientCapabilities } from './client-settings.ts';
import { FrameSocket } from './frame-socket.ts';

export interface LinkOptions {
  /** `{ host, port }`, or `{ path }` of a UNIX socket. */
  to: NetConnectOpts;
  /** SHA-256 of the server's certificate in DER, hex; null accepts any. */
  pin: string | null;
  userName: string;
  password: string;
  domain?: string;
  /** User name for a load balancer, sent in clear. */
  cookie?: string;
  /** A load balancer's line, such as `Cookie: msts=...`, sent instead of the cookie. */
  routingToken?: string;
  /** Pixels; 1024 × 640 by default. */
  width?: number;
  height?: number;
  bitsPerPixel?: DesktopWish['bitsPerPixel'];
  channels?: ChannelDef[];
  /** Whether to ask for bulk compression; false by default. */
  bulkCompression?: boolean;
  /** Whether the server may send on the fast path; true by default. */
  fastPath?: boolean;
  /** Codecs of surface commands to announce; none by default. */
  codecs?: CodecName[];
  /** Whether to announce drawing orders and their caches; false by default. */
  orders?: boolean;
  /** Cookie of an earlier connection, to come back to its session. */
  autoReconnect?: AutoReconnectPacket;
}

/** What a link tells its owner. */
export interface LinkEvents {
  /** A frame from the server on the I/O channel or the fast path, since the connection phase. */
  shown(frame: Uint8Array): void;
  /** A share data PDU among them, other than updates. */
  data(type: number, body: Uint8Array): void;
  /** A chunk on a static channel. */
  channel(name: string, payload: Uint8Array): void;
  /** Something happened. */
  changed(): void;
  /** The connection is over, for this reason. Called once. */
  ended(reason: Error): void;
}

const hmacMd5 = (key: Uint8Array, data: Uint8Array): Uint8Array => createHmac('md5', key).update(data).digest();

/** One connection of an RDP client: socket, TLS and sequences. */
export class ClientLink {
  /** The last reason that the server set, 0 for none. */
  errorInfo = 0;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #socket: FrameSocket;
  readonly #connection: ClientConnection;
  #server: AttachedServer | null = null;
  #activation: ClientActivation | null = null;
  #isEnded = false;

  /** Connects at once; `events` tell how it goes. */
  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#connection = new ClientConnection({
      cookie: options.cookie ?? null,
      routingToken: options.routingToken ?? null,
      protocols: Protocol.ssl,
      blocks: clientBlocks({
        width: options.width ?? 1024,
        height: options.height ?? 640,
        bitsPerPixel: options.bitsPerPixel ?? 32,
        clientName: 'lucid',
        channels: options.channels ?? [],
      }),
      info: infoOf(options),
    });
    this.#socket = new FrameSocket(connect(options.to));
    this.#socket.onFrame = (frame) => this.#receive(frame);
    this.#socket.onEnd = (error) => this.#end(error);
    this.#socket.send(this.#connection.start());
  }

  /** Whether the share is open. */
  get isActive(): boolean {
    return this.#activation?.state.phase === 'active';
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  send(events: readonly InputEvent[]): void {
    for (let at = 0; at < events.length; at += fastPathMaxEvents)
      this.#socket.send([writeFastPathInput(events.slice(at, at + fastPathMaxEvents))]);
  }

  /** Sends bytes as they are. */
  sendRaw(bytes: Uint8Array): void {
    this.#socket.send([bytes]);
  }

  /** Sends a share data PDU; nothing while the share is not open. */
  sendData(type: number, body: Uint8Array): void {
    const state = this.#activation?.state;
    if (state?.phase !== 'active' || !this.#server) return;
    const { ioChannelId, userChannelId } = this.#server;
    this.#sendTo(ioChannelId, writeShareData(state.demand.shareId, userChannelId, type, body));
  }

  /** @throws Error when the server gave no channel of this name */
  sendOnChannel(name: string, payload: Uint8Array): void {
    const channel = this.#server?.channels.find((each) => each.name === name);
    if (!channel) throw new Error(`there is no channel ${JSON.stringify(name)} on this connection`);
    this.#sendTo(channel.id, payload);
  }

  /** Ends in order: a Disconnect Provider Ultimatum, then TLS and TCP. */
  close(): void {
    const reason = DisconnectReason.userRequested;
    this.#socket.send([writeDomainPdu({ kind: 'disconnectProviderUltimatum', reason })]);
    this.#socket.close();
  }

  /** Cuts the line. */
  destroy(): void {
    this.#socket.destroy();
  }

  #receive(frame: Uint8Array): void {
    if (this.#activation && this.#server) this.#serve(this.#activation, this.#server, frame);
    else this.#connect(frame);
    this.#events.changed();
  }

  #connect(frame: Uint8Array): void {
    this.#socket.send(this.#connection.receive(frame));
    const { state } = this.#connection;
    if (state.phase === 'upgrade') {
      this.#socket.connectTls(this.#options.pin).then(
        () => this.#socket.send(this.#connection.secured()),
        (error) => this.#end(error),
      );
    } else if (state.phase === 'demandActive') {
      const { fastPath = true, codecs, orders } = this.#options;
      this.#server = state.server;
      this.#activation = new ClientActivation(state.server, (demand) =>
        clientCapabilities(demand, fastPath, codecs, orders),
      );
      this.#serve(this.#activation, state.server, state.frame);
    } else if (state.phase === 'redirected') {
      throw new Error('the server redirects this client elsewhere, which only the gateway follows');
    }
  }

  #serve(activation: ClientActivation, server: AttachedServer, frame: Uint8Array): void {
    const answers = activation.receive(frame);
    if (answers) this.#socket.send(answers);
    if (frame[0] !== TPKT_VERSION) {
      this.#events.shown(frame);
      return;
    }
    const pdu = readDomainPdu(frame);
    if (pdu.kind === 'disconnectProviderUltimatum' || pdu.kind === 'disconnectRequest') this.#socket.close();
    if (pdu.kind !== 'sendDataIndication') return;
    if (pdu.channelId !== server.ioChannelId) {
      const channel = server.channels.find(({ id }) => id === pdu.channelId);
      if (channel) this.#events.channel(channel.name, pdu.payload);
      return;
    }
    this.#events.shown(frame);
    for (const { type, body } of readShareControls(pdu.payload)) {
      if (type === ShareControlType.data) this.#takeData(body);
    }
  }

  #takeData(bytes: Uint8Array): void {
    const { type, body } = readShareData(bytes);
    if (type === ShareDataType.setErrorInfo) this.errorInfo = readSetErrorInfo(body);
    if (type !== ShareDataType.update && type !== ShareDataType.pointer) this.#events.data(type, body);
  }

  #sendTo(channelId: number, payload: Uint8Array): void {
    const initiator = this.#server?.userChannelId ?? 0;
    this.#socket.send([writeDomainPdu({ kind: 'sendDataRequest', initiator, channelId, payload })]);
  }

  #end(error?: Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#socket.destroy();
    const { state } = this.#connection;
    if (state.phase === 'licensing') this.errorInfo ||= state.errorInfo;
    this.#events.ended(this.#reason(error));
  }

  #reason(error?: Error): Error {
    if (this.errorInfo !== 0) return new Error(`the connection ended: ${describeErrorInfo(this.errorInfo)}`);
    const phase = this.#activation?.state.phase ?? this.#connection.state.phase;
    return error ?? new Error(`the connection ended in phase "${phase}"`);
  }
}

function infoOf({ domain = '', userName, password, autoReconnect, bulkCompression = false }: LinkOptions) {
  const info = clientInfo({ domain, userName, password }, bulkCompression);
  if (!info.extended || !autoReconnect) return info;
  const { logonId, secret } = autoReconnect;
  const proof = { logonId, secret: autoReconnectVerifier(secret, hmacMd5) };
  return { ...info, extended: { ...info.extended, autoReconnect: proof } };
}
