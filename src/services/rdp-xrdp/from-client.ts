/** What a client sends in an open session: forwarded, rewritten, recorded or dropped as profile and policy say. */
import { DecodeError } from '#rdp/bytes.ts';
import { readConfirmActive, writeConfirmActive } from '#rdp/pdu/active.ts';
import { readDomainPdu, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readShareControls, type ShareControl, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType } from '#rdp/pdu/share-data.ts';
import { TPKT_VERSION } from '#rdp/pdu/x224.ts';
import { rewriteConfirmActive } from '#rdp/profile/bitmap-only.ts';
import type { AttachedServer } from '#rdp/sequence/client-connection.ts';
import type { ChannelRelay } from './channel-relay.ts';
import { withPduSource } from './frame-patch.ts';
import type { Recording } from './recording.ts';

export interface FromClientOptions {
  /** I/O channel of the client. */
  clientChannelId: number;
  server: AttachedServer;
  /** Whether keyboard and mouse reach the server. */
  allowsInput: boolean;
  recording: Recording;
  channels: ChannelRelay;
  sendToServer(frame: Uint8Array): void;
  events: {
    /** The person did something. */
    active(): void;
    left(): void;
  };
}

/** Share data PDUs of a client that a server may see; what is not listed goes nowhere. */
const FORWARDED: ReadonlySet<number> = new Set([
  ShareDataType.control,
  ShareDataType.synchronize,
  ShareDataType.refreshRect,
  ShareDataType.shutdownRequest,
  ShareDataType.fontList,
  ShareDataType.frameAcknowledge,
]);

export class FromClient {
  readonly #options: FromClientOptions;

  constructor(options: FromClientOptions) {
    this.#options = options;
  }

  /** @throws DecodeError on malformed bytes */
  receive(frame: Uint8Array): void {
    const { clientChannelId, channels, events, sendToServer } = this.#options;
    if (frame[0] !== TPKT_VERSION) {
      if (this.#admitsInput(frame)) sendToServer(frame);
      return;
    }
    const pdu = readDomainPdu(frame);
    switch (pdu.kind) {
      case 'sendDataRequest':
        if (pdu.channelId === clientChannelId) this.#takeShares(frame, readShareControls(pdu.payload));
        else channels.fromClient(pdu);
        break;
      case 'disconnectProviderUltimatum':
      case 'disconnectRequest':
        events.left();
        break;
      default:
        throw new DecodeError('MCS PDU', `the client sent ${pdu.kind} in an open session`, 0);
    }
  }

  /** Records input that the policy allows. */
  #admitsInput(frame: Uint8Array): boolean {
    const { allowsInput, recording, events } = this.#options;
    events.active();
    if (allowsInput) recording.input(frame);
    return allowsInput;
  }

  #takeShares(frame: Uint8Array, shares: ShareControl[]): void {
    const kinds = shares.map((share) => (share.type === ShareControlType.data ? readShareData(share.body).type : -1));
    const admitsInput = kinds.includes(ShareDataType.input) && this.#admitsInput(frame);
    shares.forEach((share, i) => {
      if (share.type === ShareControlType.confirmActive) this.#confirm(share);
      else if (kinds[i] === ShareDataType.input ? admitsInput : FORWARDED.has(kinds[i])) {
        this.#send(withPduSource(share.bytes, this.#options.server.userChannelId));
      }
    });
  }

  #confirm({ body }: ShareControl): void {
    const confirm = rewriteConfirmActive(readConfirmActive(body));
    this.#send(writeConfirmActive(confirm, this.#options.server.userChannelId));
  }

  #send(payload: Uint8Array): void {
    const { server, sendToServer } = this.#options;
    const initiator = server.userChannelId;
    sendToServer(writeDomainPdu({ kind: 'sendDataRequest', initiator, channelId: server.ioChannelId, payload }));
  }
}
