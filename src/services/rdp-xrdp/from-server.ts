/** What a server sends: rewritten where the profile says so, recorded, and shown once that is durable. */
import { DecodeError } from '#rdp/bytes.ts';
import { readDemandActive, writeDemandActive } from '#rdp/pdu/active.ts';
import { BulkFlag } from '#rdp/pdu/bulk-flags.ts';
import type { CapabilitySet } from '#rdp/pdu/capability-set.ts';
import { describeErrorInfo, readSetErrorInfo } from '#rdp/pdu/error-info.ts';
import { readDomainPdu, SERVER_USER_ID, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readSaveSessionInfo, type SaveSessionInfo, writeSaveSessionInfo } from '#rdp/pdu/save-session-info.ts';
import { readServerRedirection, type ServerRedirection } from '#rdp/pdu/server-redirection.ts';
import { readShareControls, type ShareControl, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType, shareDataHeadersSize } from '#rdp/pdu/share-data.ts';
import { TPKT_VERSION } from '#rdp/pdu/x224.ts';
import { rewriteDemandActive } from '#rdp/profile/profile.ts';
import type { ChannelRelay } from './channel-relay.ts';
import { setChannelId } from './frame-patch.ts';
import type { Recording } from './recording.ts';
import { type Share, shareDataFrame, shareOf } from './share.ts';

export interface FromServerEvents {
  /** A share is offered: called before the client sees it. */
  offered(share: Share): void;
  /** The client may be drawn to. */
  opened(): void;
  redirected(redirection: ServerRedirection): void;
  /** The server says why it is about to end the connection. */
  errorInfo(code: number, words: string): void;
  /** The server does what the gateway cannot live with. */
  unusable(reason: string): void;
  left(): void;
}

export interface FromServerOptions {
  /** I/O channel towards the client, and from the server. */
  clientChannelId: number;
  serverChannelId: number;
  /** Recording profiles that may be chosen. */
  profiles: ReadonlySet<string>;
  recording: Recording;
  channels: ChannelRelay;
  events: FromServerEvents;
}

/** Share data PDUs that the gateway looks into. */
const LOOKED_INTO: ReadonlySet<number> = new Set([
  ShareDataType.saveSessionInfo,
  ShareDataType.setErrorInfo,
  ShareDataType.fontMap,
]);
const COMPRESSED_SESSION_INFO =
  'the server compresses what it says about the log-on: switch bulk_compression off for this server';
/** Offsets in a share data PDU with both its headers. */
const PDU_TYPE_OFFSET = 2;
const PDU_TYPE_2_OFFSET = 14;

export class FromServer {
  readonly #options: FromServerOptions;
  share: Share | null = null;
  /** What the server's last Demand Active had. */
  offered: readonly CapabilitySet[] = [];
  #awaitsConfirm = false;

  constructor(options: FromServerOptions) {
    this.#options = options;
  }

  /** Takes a frame, which is patched in place. @throws DecodeError on malformed bytes */
  receive(frame: Uint8Array): void {
    const { recording, channels, events, serverChannelId } = this.#options;
    if (frame[0] !== TPKT_VERSION) {
      recording.screen(frame);
      return;
    }
    const pdu = readDomainPdu(frame);
    switch (pdu.kind) {
      case 'sendDataIndication':
        if (pdu.channelId === serverChannelId) this.#takeShares(frame, pdu.payload);
        else channels.fromServer(frame, pdu);
        break;
      case 'disconnectProviderUltimatum':
      case 'disconnectRequest':
        events.left();
        break;
      default:
        throw new DecodeError('MCS PDU', `the server sent ${pdu.kind} in an open session`, 0);
    }
  }

  #takeShares(frame: Uint8Array, payload: Uint8Array): void {
    if (isPlain(payload)) {
      this.#forward(frame);
      return;
    }
    const shares = readShareControls(payload);
    if (shares.every(({ bytes }) => isPlain(bytes))) this.#forward(frame);
    else for (const share of shares) this.#take(share);
  }

  /** Whether a Confirm Active answers the server's last Demand Active: the first one does, any other would change what
   * the recording is decoded by while the server goes on as it was. */
  takeConfirm(): boolean {
    const awaited = this.#awaitsConfirm;
    this.#awaitsConfirm = false;
    return awaited;
  }

  #take(share: ShareControl): void {
    const { events } = this.#options;
    switch (share.type) {
      case ShareControlType.demandActive: {
        const asSent = readDemandActive(share.body);
        const demand = rewriteDemandActive(asSent, this.#options.profiles);
        this.offered = asSent.capabilitySets;
        this.#awaitsConfirm = true;
        this.share = shareOf(demand);
        events.offered(this.share);
        this.#send(writeDemandActive(demand, share.source));
        break;
      }
      case ShareControlType.deactivateAll:
        if (this.share) this.share.isOpen = false;
        this.#send(share.bytes);
        break;
      case ShareControlType.serverRedirection:
        events.redirected(readServerRedirection(share.body));
        break;
      case ShareControlType.data:
        this.#takeData(share);
        break;
      default:
        throw new DecodeError('pduType', `is ${share.type}, which no server sends`, 2);
    }
  }

  #takeData(share: ShareControl): void {
    const { events } = this.#options;
    const data = readShareData(share.body);
    const isReadable = (data.compressedType & BulkFlag.compressed) === 0;
    switch (data.type) {
      case ShareDataType.saveSessionInfo:
        // It can neither be shown, as it may hold secrets, nor left out, as later PDUs may refer to its bytes.
        if (isReadable) this.#takeSessionInfo(readSaveSessionInfo(data.body));
        else events.unusable(COMPRESSED_SESSION_INFO);
        break;
      case ShareDataType.setErrorInfo: {
        if (!isReadable) {
          this.#send(share.bytes);
          break;
        }
        const code = readSetErrorInfo(data.body);
        if (code !== 0) events.errorInfo(code, describeErrorInfo(code));
        this.#send(share.bytes);
        break;
      }
      case ShareDataType.fontMap:
        this.#send(share.bytes);
        if (this.share) this.share.isOpen = true;
        events.opened();
        break;
      default:
        this.#send(share.bytes);
    }
  }

  /** Whoever is logged on at the server is the gateway's business, and so is coming back. */
  #takeSessionInfo(info: SaveSessionInfo): void {
    const shown: SaveSessionInfo | null =
      info.kind === 'logon'
        ? { ...info, domain: '', userName: '' }
        : info.kind === 'extended' && info.logonError
          ? { ...info, autoReconnect: null }
          : info.kind === 'plainNotify'
            ? info
            : null;
    if (shown === null || this.share === null) return;
    const body = writeSaveSessionInfo(shown);
    this.#options.recording.screen(
      shareDataFrame(this.share, this.#options.clientChannelId, ShareDataType.saveSessionInfo, body),
    );
  }

  #send(payload: Uint8Array): void {
    const channelId = this.#options.clientChannelId;
    this.#options.recording.screen(
      writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId, payload }),
    );
  }

  #forward(frame: Uint8Array): void {
    setChannelId(frame, this.#options.clientChannelId);
    this.#options.recording.screen(frame);
  }
}

/** Whether this is one share data PDU that passes as it is: nearly all that comes, so no object is made to know it. */
function isPlain(payload: Uint8Array): boolean {
  return (
    payload.length >= shareDataHeadersSize &&
    (payload[0] | (payload[1] << 8)) === payload.length &&
    (payload[PDU_TYPE_OFFSET] & 0xf) === ShareControlType.data &&
    !LOOKED_INTO.has(payload[PDU_TYPE_2_OFFSET])
  );
}
