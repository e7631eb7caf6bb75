/**
 * The client's side of a connection up to the first Demand Active (MS-RDPBCGR 1.3.1.1), as a state machine without I/O.
 *
 * The driver owns the socket: it sends what `start` returns, gives whole frames to `receive`, sends what that returns,
 * in order, and then looks at `state`. In `upgrade` it does TLS and calls `secured`. In `demandActive` the owner takes
 * over: a gateway forwards the frame, a client of our own goes on with ClientActivation. `redirected` asks the owner to
 * connect again elsewhere.
 *
 * What this side cannot do, it does not announce: the message channel and what needs it (auto-detect, heartbeat),
 * multitransport, skipped joins.
 */
import { type ClientInfo, writeClientInfo } from '../pdu/client-info.ts';
import { describeErrorInfo, readSetErrorInfo } from '../pdu/error-info.ts';
import { type ChannelDef, type ClientBlocks, writeClientBlocks } from '../pdu/gcc-client-blocks.ts';
import { ClientEarlyFlag, completeTail } from '../pdu/gcc-client-core.ts';
import { readConferenceCreateResponse, writeConferenceCreateRequest } from '../pdu/gcc-conference.ts';
import { readServerBlocks, type ServerBlocks } from '../pdu/gcc-server-blocks.ts';
import { CLIENT_DOMAIN_PARAMETERS, readConnectResponse, writeConnectInitial } from '../pdu/mcs-connect.ts';
import { type DomainPdu, MCS_SUCCESSFUL, readDomainPdu, writeDomainPdu } from '../pdu/mcs-domain.ts';
import { FailureCode, Protocol, readConnectionConfirm, writeConnectionRequest } from '../pdu/negotiation.ts';
import { readSecurityHeader, SecurityFlag, writeSecurityHeader } from '../pdu/security-header.ts';
import { readServerRedirection, type ServerRedirection } from '../pdu/server-redirection.ts';
import { readShareControls, ShareControlType } from '../pdu/share-control.ts';
import { readShareData, ShareDataType } from '../pdu/share-data.ts';
import { answerLicense } from './licensing.ts';
import { NegotiationFailure, SequenceError } from './sequence-error.ts';
import { isChannelName, type StaticChannel } from './static-channel.ts';

export interface ClientOptions {
  /** User name for a load balancer, sent in clear; null for none. */
  cookie: string | null;
  /** A load balancer's line, sent instead of the cookie; null for none. */
  routingToken: string | null;
  /** Security protocols that the driver can carry out, ORed. */
  protocols: number;
  /**
   * What the client says about itself. Before it is sent, the fields that depend on the connection are set, and what
   * this side cannot do is taken out; so are channels whose names are empty or longer than 7 characters.
   */
  blocks: ClientBlocks;
  info: ClientInfo;
}

/** What is known once the server's settings are read. */
export interface ServerDescription {
  selectedProtocol: number;
  /** Flags of RDP_NEG_RSP. */
  negotiationFlags: number;
  blocks: ServerBlocks;
  ioChannelId: number;
  /** The channels that were given and joined: not always all that were asked for. */
  channels: StaticChannel[];
}

/** ... and once the server has given this client its own channel. */
export interface AttachedServer extends ServerDescription {
  /** The initiator of what this client sends. */
  userChannelId: number;
}

export type ClientState =
  | { phase: 'start' }
  | { phase: 'negotiation' }
  /** Do TLS (and CredSSP for hybrid protocols), then call `secured`. */
  | { phase: 'upgrade'; selectedProtocol: number; negotiationFlags: number }
  | { phase: 'settings'; selectedProtocol: number; negotiationFlags: number; channels: ChannelDef[] }
  | { phase: 'attaching'; server: ServerDescription }
  /** `joins` are the channel ids still to be confirmed, the first of them asked for. */
  | { phase: 'joining'; server: AttachedServer; joins: number[] }
  /** Client Info is sent; `errorInfo` is the last code that the server set, 0 for none. */
  | { phase: 'licensing'; server: AttachedServer; errorInfo: number }
  /** The owner goes on with this frame, which holds the server's Demand Active. */
  | { phase: 'demandActive'; server: AttachedServer; frame: Uint8Array }
  | { phase: 'redirected'; redirection: ServerRedirection };

type Phase<P extends ClientState['phase']> = Extract<ClientState, { phase: P }>;

const NOTHING = new Uint8Array(0);
/** earlyCapabilityFlags that promise something which this side does not do. */
const UNSUPPORTED_EARLY_FLAGS =
  ClientEarlyFlag.supportSkipChannelJoin |
  ClientEarlyFlag.supportHeartbeatPdu |
  ClientEarlyFlag.supportNetCharAutodetect;

export class ClientConnection {
  readonly #options: ClientOptions;
  #state: ClientState = { phase: 'start' };

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The first frame to send. @throws RangeError when cookie or routing token do not fit */
  start(): Uint8Array[] {
    if (this.#state.phase !== 'start') throw new TypeError(`ClientConnection.start: phase is ${this.#state.phase}`);
    this.#state = { phase: 'negotiation' };
    const { cookie, routingToken, protocols } = this.#options;
    const negotiation = { flags: 0, requestedProtocols: protocols };
    return [writeConnectionRequest({ cookie, routingToken, negotiation, trailing: NOTHING })];
  }

  /**
   * Tells that the selected security protocol is in place: from now on frames come from inside TLS.
   * @returns frames to send
   */
  secured(): Uint8Array[] {
    const state = this.#state;
    if (state.phase !== 'upgrade') throw new TypeError(`ClientConnection.secured: phase is ${state.phase}`);
    const channels = this.#options.blocks.channels?.filter(({ name }) => isChannelName(name)) ?? [];
    this.#state = { ...state, phase: 'settings', channels };
    const blocks = announcedBlocks(this.#options.blocks, channels, state.selectedProtocol);
    const userData = writeConferenceCreateRequest(writeClientBlocks(blocks));
    return [writeConnectInitial({ ...CLIENT_DOMAIN_PARAMETERS, userData })];
  }

  /**
   * Takes one frame from the server.
   * @param frame a whole TPKT packet; its bytes may be kept in the state
   * @returns frames to send, in order
   * @throws DecodeError on malformed bytes, NegotiationFailure or another SequenceError when the server refuses, leaves
   *   or sends what has no place here; the connection must then be ended
   */
  receive(frame: Uint8Array): Uint8Array[] {
    const state = this.#state;
    switch (state.phase) {
      case 'negotiation':
        this.#state = this.#negotiated(frame);
        return [];
      case 'settings':
        return this.#settle(state, frame);
      case 'attaching':
        return this.#attach(state, readDomainPdu(frame));
      case 'joining':
        return this.#join(state, readDomainPdu(frame));
      case 'licensing':
        return this.#license(state, frame);
      default:
        throw unexpected(readDomainPdu(frame), state);
    }
  }

  #negotiated(frame: Uint8Array): ClientState {
    const confirm = readConnectionConfirm(frame);
    if (confirm.kind === 'failure') throw new NegotiationFailure(confirm.code);
    if (confirm.kind === 'none') throw new NegotiationFailure(FailureCode.sslNotAllowedByServer);
    const { selectedProtocol, flags } = confirm;
    if (selectedProtocol === Protocol.rdp) throw new NegotiationFailure(FailureCode.sslNotAllowedByServer);
    if ((selectedProtocol & this.#options.protocols) !== selectedProtocol) {
      const hex = (value: number) => `0x${value.toString(16)}`;
      const found = `the server selected ${hex(selectedProtocol)}, asked for were ${hex(this.#options.protocols)}`;
      throw new NegotiationFailure(FailureCode.inconsistentFlags, `security negotiation: ${found}`);
    }
    return { phase: 'upgrade', selectedProtocol, negotiationFlags: flags };
  }

  #settle({ selectedProtocol, negotiationFlags, channels }: Phase<'settings'>, frame: Uint8Array): Uint8Array[] {
    const response = readConnectResponse(frame);
    if (response.result !== MCS_SUCCESSFUL) {
      throw new SequenceError('refused', `MCS Connect-Response: the server refused with result ${response.result}`);
    }
    const blocks = readServerBlocks(readConferenceCreateResponse(response.userData));
    if (blocks.security.encryptionMethod !== 0) {
      throw new SequenceError('refused', 'SC_SECURITY: the server wants legacy RDP encryption inside TLS, wanted none');
    }
    const { ioChannelId, channelIds } = blocks.network;
    if (channelIds.length < channels.length) {
      const counts = `${channelIds.length} channels, asked for were ${channels.length}`;
      throw new SequenceError('refused', `SC_NET: the server gives ${counts}; allow channels on the server`);
    }
    // 0 stands for a channel that the server does not give.
    const joined = channels.map((channel, i) => ({ ...channel, id: channelIds[i] })).filter(({ id }) => id !== 0);
    const server = { selectedProtocol, negotiationFlags, blocks, ioChannelId, channels: joined };
    this.#state = { phase: 'attaching', server };
    return [writeDomainPdu({ kind: 'erectDomainRequest' }), writeDomainPdu({ kind: 'attachUserRequest' })];
  }

  #attach(state: Phase<'attaching'>, pdu: DomainPdu): Uint8Array[] {
    if (pdu.kind !== 'attachUserConfirm') throw unexpected(pdu, state);
    if (pdu.result !== MCS_SUCCESSFUL || pdu.initiator === null) {
      throw new SequenceError('refused', `MCS Attach User: the server refused with result ${pdu.result}`);
    }
    const server = { ...state.server, userChannelId: pdu.initiator };
    const joins = [server.userChannelId, server.ioChannelId, ...server.channels.map(({ id }) => id)];
    this.#state = { phase: 'joining', server, joins };
    return [joinRequest(server, joins[0])];
  }

  #join(state: Phase<'joining'>, pdu: DomainPdu): Uint8Array[] {
    if (pdu.kind !== 'channelJoinConfirm') throw unexpected(pdu, state);
    const [wanted, ...joins] = state.joins;
    const { server } = state;
    if (pdu.result !== MCS_SUCCESSFUL || pdu.channelId !== wanted) {
      const found = `result ${pdu.result}, channel ${pdu.channelId ?? 'none'}`;
      throw new SequenceError('refused', `MCS Channel Join of ${wanted}: the server answered ${found}`);
    }
    if (joins.length > 0) {
      this.#state = { phase: 'joining', server, joins };
      return [joinRequest(server, joins[0])];
    }
    this.#state = { phase: 'licensing', server, errorInfo: 0 };
    return [sendSecured(server, SecurityFlag.infoPacket, writeClientInfo(this.#options.info))];
  }

  #license(state: Phase<'licensing'>, frame: Uint8Array): Uint8Array[] {
    const pdu = readDomainPdu(frame);
    if (pdu.kind !== 'sendDataIndication') throw unexpected(pdu, state);
    // Data of other channels has no meaning before the share exists.
    if (pdu.channelId !== state.server.ioChannelId) return [];
    if (!holdsShareControl(pdu.payload)) {
      const { flags, body } = readSecurityHeader(pdu.payload);
      if ((flags & SecurityFlag.licensePacket) === 0) throw unexpected(pdu, state);
      const answer = answerLicense(body);
      return answer === null ? [] : [sendSecured(state.server, SecurityFlag.licensePacket, answer)];
    }
    for (const { type, body } of readShareControls(pdu.payload)) {
      if (type === ShareControlType.demandActive) {
        this.#state = { phase: 'demandActive', server: state.server, frame };
        return [];
      }
      if (type === ShareControlType.serverRedirection) {
        this.#state = { phase: 'redirected', redirection: readServerRedirection(body) };
        return [];
      }
      if (type === ShareControlType.data) {
        const data = readShareData(body);
        if (data.type === ShareDataType.setErrorInfo) state.errorInfo = readSetErrorInfo(data.body);
      }
    }
    return [];
  }
}

/** The client's blocks as they fit this connection. */
function announcedBlocks(blocks: ClientBlocks, channels: ChannelDef[], selectedProtocol: number): ClientBlocks {
  const tail = completeTail(blocks.core);
  const earlyCapabilityFlags = tail.earlyCapabilityFlags & ~UNSUPPORTED_EARLY_FLAGS;
  // The server compares the protocol with its own selection: it shows that nobody altered the negotiation.
  const core = { ...blocks.core, tail: { ...tail, earlyCapabilityFlags, serverSelectedProtocol: selectedProtocol } };
  const security = { encryptionMethods: 0, extEncryptionMethods: 0, trailing: NOTHING };
  return { ...blocks, core, security, channels, messageChannel: null, multitransport: null };
}

/**
 * Under TLS licensing PDUs have a security header and share PDUs none; nothing but their content tells them apart. A
 * share PDU says its own length and the protocol version 1.
 */
function holdsShareControl(payload: Uint8Array): boolean {
  if (payload.length < 4) return false;
  const totalLength = payload[0] | (payload[1] << 8);
  return totalLength >= 6 && totalLength <= payload.length && (payload[2] & 0xf0) === 0x10 && payload[3] === 0;
}

function joinRequest({ userChannelId }: AttachedServer, channelId: number): Uint8Array {
  return writeDomainPdu({ kind: 'channelJoinRequest', initiator: userChannelId, channelId });
}

function sendSecured({ userChannelId, ioChannelId }: AttachedServer, flags: number, body: Uint8Array): Uint8Array {
  const payload = writeSecurityHeader({ flags, body });
  return writeDomainPdu({ kind: 'sendDataRequest', initiator: userChannelId, channelId: ioChannelId, payload });
}

function unexpected(pdu: DomainPdu, state: ClientState): SequenceError {
  if (pdu.kind !== 'disconnectProviderUltimatum' && pdu.kind !== 'disconnectRequest') {
    const found = `the server sent ${pdu.kind} in phase "${state.phase}", where it has no place`;
    return new SequenceError('unexpectedPdu', found);
  }
  const errorInfo = state.phase === 'licensing' ? state.errorInfo : 0;
  const why = errorInfo === 0 ? 'without saying why' : `because ${describeErrorInfo(errorInfo)}`;
  return new SequenceError('disconnected', `the server ended the connection in phase "${state.phase}" ${why}`);
}
