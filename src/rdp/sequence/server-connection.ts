/**
 * The server's side of a connection up to licensing (MS-RDPBCGR 1.3.1.1), as a state machine without I/O.
 *
 * The driver owns the socket: it gives whole frames to `receive`, sends what that returns, in order, and then looks at
 * `state`. Two states wait for the driver: `upgrade` (send, do TLS, call `secured`) and `admission` (look at the
 * client, call `admit` or end the connection). In `connected` the owner takes over, beginning with a Demand Active.
 *
 * No message channel, no multitransport and no skipped joins are offered. Every channel that the client asks for gets an
 * id and may be joined: what policy denies is known only after Client Info, and its data is then left unread.
 */
import { type ClientInfo, readClientInfo } from '../pdu/client-info.ts';
import { type ClientBlocks, readClientBlocks } from '../pdu/gcc-client-blocks.ts';
import { readConferenceCreateRequest, writeConferenceCreateResponse } from '../pdu/gcc-conference.ts';
import { writeServerBlocks } from '../pdu/gcc-server-blocks.ts';
import { LicenseErrorCode, LicenseTransition, writeLicenseError } from '../pdu/license.ts';
import { readConnectInitial, SERVER_DOMAIN_PARAMETERS, writeConnectResponse } from '../pdu/mcs-connect.ts';
import { type DomainPdu, MCS_SUCCESSFUL, readDomainPdu, SERVER_USER_ID, writeDomainPdu } from '../pdu/mcs-domain.ts';
import {
  type ConnectionRequest,
  FailureCode,
  Protocol,
  readConnectionRequest,
  writeConnectionConfirm,
} from '../pdu/negotiation.ts';
import { readSecurityHeader, SecurityFlag, writeSecurityHeader } from '../pdu/security-header.ts';
import { NegotiationFailure, SequenceError } from './sequence-error.ts';
import { IO_CHANNEL_ID, type StaticChannel } from './static-channel.ts';

export interface ServerOptions {
  /** Security protocols that the driver can carry out, ORed: `Protocol.ssl`, and with CredSSP hybrid ones. */
  protocols: number;
  /**
   * Flags of RDP_NEG_RSP. 0 keeps clients from sending monitor, message-channel and multitransport blocks;
   * `ResponseFlag.extendedClientDataSupported` invites them, which multi-monitor needs.
   */
  responseFlags: number;
}

/** What is known once security is negotiated. */
export interface Negotiated {
  request: ConnectionRequest;
  /** A value of Protocol. */
  selectedProtocol: number;
}

/** What is known once the client's settings are read. */
export interface ClientSettings extends Negotiated {
  blocks: ClientBlocks;
  ioChannelId: number;
  /** The client's own channel: the initiator of what it sends. */
  userChannelId: number;
  /** In the client's order. */
  channels: StaticChannel[];
}

/** Everything that a client says before it is let in. */
export interface ClientDescription extends ClientSettings {
  info: ClientInfo;
}

export type ServerState =
  | { phase: 'negotiation' }
  /** Send, then do TLS (and CredSSP for hybrid protocols), then call `secured`. */
  | ({ phase: 'upgrade' } & Negotiated)
  | ({ phase: 'settings' } & Negotiated)
  | { phase: 'channels'; settings: ClientSettings; attached: boolean; joined: Set<number> }
  /** Call `admit`, or end the connection. */
  | { phase: 'admission'; client: ClientDescription }
  /** The owner goes on with a Demand Active. */
  | { phase: 'connected'; client: ClientDescription }
  /** Send, then end the connection: nothing may follow. */
  | { phase: 'refused'; failure: NegotiationFailure };

/** RDP 5.0 to 8.1: what servers without newer features say. */
const SERVER_VERSION = 0x00080004;
const NO_SUCH_CHANNEL = 1;
const NOTHING = new Uint8Array(0);

export class ServerConnection {
  readonly #options: ServerOptions;
  #state: ServerState = { phase: 'negotiation' };

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get state(): ServerState {
    return this.#state;
  }

  /**
   * Takes one frame from the client.
   * @param frame a whole TPKT packet; its bytes may be kept in the state
   * @returns frames to send, in order
   * @throws DecodeError on malformed bytes, SequenceError when the client leaves or sends what has no place here; the
   *   connection must then be ended
   */
  receive(frame: Uint8Array): Uint8Array[] {
    const state = this.#state;
    switch (state.phase) {
      case 'negotiation':
        return [this.#negotiate(readConnectionRequest(frame))];
      case 'settings':
        return [this.#exchangeSettings(state, frame)];
      case 'channels':
        return this.#setUpChannels(state, readDomainPdu(frame));
      default:
        throw unexpected(readDomainPdu(frame), state.phase);
    }
  }

  /** Tells that the selected security protocol is in place: from now on frames come from inside TLS. */
  secured(): void {
    const state = this.#state;
    if (state.phase !== 'upgrade') throw new TypeError(`ServerConnection.secured: phase is ${state.phase}`);
    this.#state = { ...state, phase: 'settings' };
  }

  /**
   * Lets the client in.
   * @returns the licensing PDU that ends the connection phase, to be sent before any Demand Active
   */
  admit(): Uint8Array[] {
    const state = this.#state;
    if (state.phase !== 'admission') throw new TypeError(`ServerConnection.admit: phase is ${state.phase}`);
    this.#state = { phase: 'connected', client: state.client };
    const body = writeLicenseError({
      errorCode: LicenseErrorCode.validClient,
      stateTransition: LicenseTransition.noTransition,
    });
    const payload = writeSecurityHeader({ flags: SecurityFlag.licensePacket, body });
    const channelId = state.client.ioChannelId;
    return [writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId, payload })];
  }

  #negotiate(request: ConnectionRequest): Uint8Array {
    const requested = request.negotiation?.requestedProtocols ?? Protocol.rdp;
    const common = requested & this.#options.protocols;
    const selectedProtocol = [Protocol.hybridEx, Protocol.hybrid, Protocol.ssl].find((one) => common & one);
    if (selectedProtocol === undefined) return this.#refuse(requested);
    this.#state = { phase: 'upgrade', request, selectedProtocol };
    return writeConnectionConfirm({ kind: 'response', flags: this.#options.responseFlags, selectedProtocol });
  }

  #refuse(requested: number): Uint8Array {
    const code =
      this.#options.protocols & Protocol.ssl ? FailureCode.sslRequiredByServer : FailureCode.hybridRequiredByServer;
    const wanted = code === FailureCode.sslRequiredByServer ? 'TLS' : 'network level authentication';
    const found = requested === Protocol.rdp ? 'only legacy RDP encryption' : `protocols 0x${requested.toString(16)}`;
    const failure = new NegotiationFailure(code, `security negotiation: the client offers ${found}, wanted ${wanted}`);
    this.#state = { phase: 'refused', failure };
    return writeConnectionConfirm({ kind: 'failure', code });
  }

  #exchangeSettings({ request, selectedProtocol }: Negotiated, frame: Uint8Array): Uint8Array {
    const blocks = readClientBlocks(readConferenceCreateRequest(readConnectInitial(frame).userData));
    const firstChannel = IO_CHANNEL_ID + 1;
    const channels = (blocks.channels ?? []).map((channel, i) => ({ ...channel, id: firstChannel + i }));
    const userChannelId = firstChannel + channels.length;
    const settings = { request, selectedProtocol, blocks, ioChannelId: IO_CHANNEL_ID, userChannelId, channels };
    this.#state = { phase: 'channels', settings, attached: false, joined: new Set() };
    const answer = writeServerBlocks({
      // Clients check that the echo is what they had sent: it shows that nobody altered the negotiation.
      core: {
        version: SERVER_VERSION,
        clientRequestedProtocols: request.negotiation?.requestedProtocols ?? Protocol.rdp,
        earlyCapabilityFlags: 0,
        trailing: NOTHING,
      },
      security: { encryptionMethod: 0, encryptionLevel: 0, trailing: NOTHING },
      network: { ioChannelId: IO_CHANNEL_ID, channelIds: channels.map(({ id }) => id) },
      messageChannelId: null,
      multitransport: null,
      unknown: [],
    });
    return writeConnectResponse({
      result: MCS_SUCCESSFUL,
      domainParameters: SERVER_DOMAIN_PARAMETERS,
      userData: writeConferenceCreateResponse(answer),
    });
  }

  #setUpChannels(state: Extract<ServerState, { phase: 'channels' }>, pdu: DomainPdu): Uint8Array[] {
    const { settings } = state;
    const initiator = settings.userChannelId;
    switch (pdu.kind) {
      case 'erectDomainRequest':
        return [];
      case 'attachUserRequest':
        state.attached = true;
        return [writeDomainPdu({ kind: 'attachUserConfirm', result: MCS_SUCCESSFUL, initiator })];
      case 'channelJoinRequest': {
        const requested = pdu.channelId;
        const known = requested === settings.ioChannelId || isOwnChannel(settings, requested);
        if (known) state.joined.add(requested);
        const result = known ? MCS_SUCCESSFUL : NO_SUCH_CHANNEL;
        const channelId = known ? requested : null;
        return [writeDomainPdu({ kind: 'channelJoinConfirm', result, initiator, requested, channelId })];
      }
      case 'sendDataRequest': {
        if (!state.attached || !state.joined.has(pdu.channelId) || pdu.channelId !== settings.ioChannelId) {
          throw unexpected(pdu, state.phase);
        }
        const { flags, body } = readSecurityHeader(pdu.payload);
        if ((flags & SecurityFlag.infoPacket) === 0) throw unexpected(pdu, state.phase);
        this.#state = { phase: 'admission', client: { ...settings, info: readClientInfo(body) } };
        return [];
      }
      default:
        throw unexpected(pdu, state.phase);
    }
  }
}

function isOwnChannel({ userChannelId, channels }: ClientSettings, id: number): boolean {
  return id === userChannelId || channels.some((channel) => channel.id === id);
}

function unexpected(pdu: DomainPdu, phase: ServerState['phase']): SequenceError {
  if (pdu.kind === 'disconnectProviderUltimatum' || pdu.kind === 'disconnectRequest') {
    return new SequenceError('disconnected', `the client left in phase "${phase}"`);
  }
  return new SequenceError('unexpectedPdu', `the client sent ${pdu.kind} in phase "${phase}", where it has no place`);
}
