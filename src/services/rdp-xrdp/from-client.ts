/** What a client sends in an open session: forwarded, rewritten, recorded or dropped as profile and policy say. */
import { DecodeError } from '#rdp/bytes.ts';
import { type ConfirmActive, readConfirmActive, writeConfirmActive } from '#rdp/pdu/active.ts';
import { readFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { type InputEvent, readInputPdu, type UnknownInputEvent, writeInputPdu } from '#rdp/pdu/input.ts';
import { readDomainPdu, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readShareControls, type ShareControl, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType, writeShareData } from '#rdp/pdu/share-data.ts';
import { TPKT_VERSION } from '#rdp/pdu/x224.ts';
import type { AttachedServer } from '#rdp/sequence/client-connection.ts';
import type { ChannelRelay } from './channel-relay.ts';
import { withPduSource } from './frame-patch.ts';
import { HeldInput } from './held-input.ts';
import type { Recording } from './recording.ts';
import type { Share } from './share.ts';

export interface FromClientOptions {
  /** I/O channel of the client. */
  clientChannelId: number;
  server: AttachedServer;
  /** Whether keyboard and mouse reach the server. */
  allowsInput: boolean;
  recording: Recording;
  channels: ChannelRelay;
  /** The client's Confirm Active as the server is to see it; null: it answers nothing, and the server does not. */
  confirm(asSent: ConfirmActive): ConfirmActive | null;
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
  readonly #held = new HeldInput();

  constructor(options: FromClientOptions) {
    this.#options = options;
  }

  /** @throws DecodeError on malformed bytes */
  receive(frame: Uint8Array): void {
    const { clientChannelId, channels, events, sendToServer } = this.#options;
    if (frame[0] !== TPKT_VERSION) {
      if (this.#admitsInput(frame, () => readFastPathInput(frame))) sendToServer(frame);
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

  /** Lets go, at the server, of the keys and buttons that are down. */
  letGo(share: Share): void {
    this.#input(share, this.#held.release());
  }

  /** Tells the server the state of the lock keys. */
  synchronize(share: Share, toggleFlags: number): void {
    if (this.#options.allowsInput) this.#input(share, [{ kind: 'synchronize', toggleFlags }]);
  }

  /** Sends a share data PDU of the gateway's own. */
  say({ id }: Share, type: number, body: Uint8Array): void {
    this.#send(writeShareData(id, this.#options.server.userChannelId, type, body));
  }

  /** Input of the gateway's own, recorded as the server gets it. Slow path: every server takes that. */
  #input({ id }: Share, events: InputEvent[]): void {
    if (events.length === 0) return;
    const { server, recording, sendToServer } = this.#options;
    const payload = writeShareData(id, server.userChannelId, ShareDataType.input, writeInputPdu(events));
    const frame = this.#frame(payload);
    recording.input(frame);
    sendToServer(frame);
  }

  /** Records input that the policy allows. */
  #admitsInput(frame: Uint8Array, read: () => readonly (InputEvent | UnknownInputEvent)[]): boolean {
    const { allowsInput, recording, events } = this.#options;
    events.active();
    if (!allowsInput) return false;
    recording.input(frame);
    this.#held.take(read());
    return true;
  }

  #takeShares(frame: Uint8Array, shares: ShareControl[]): void {
    const data = shares.map((share) => (share.type === ShareControlType.data ? readShareData(share.body) : null));
    const inputs = data.filter((each) => each?.type === ShareDataType.input);
    const admitsInput =
      inputs.length > 0 && this.#admitsInput(frame, () => inputs.flatMap((each) => readInputPdu(each!.body)));
    shares.forEach((share, i) => {
      const type = data[i]?.type ?? -1;
      if (share.type === ShareControlType.confirmActive) this.#confirm(share);
      else if (type === ShareDataType.input ? admitsInput : FORWARDED.has(type)) {
        this.#send(withPduSource(share.bytes, this.#options.server.userChannelId));
      }
    });
  }

  #confirm({ body }: ShareControl): void {
    const { confirm, server } = this.#options;
    const confirmed = confirm(readConfirmActive(body));
    if (confirmed) this.#send(writeConfirmActive(confirmed, server.userChannelId));
  }

  #send(payload: Uint8Array): void {
    this.#options.sendToServer(this.#frame(payload));
  }

  #frame(payload: Uint8Array): Uint8Array {
    const { userChannelId: initiator, ioChannelId: channelId } = this.#options.server;
    return writeDomainPdu({ kind: 'sendDataRequest', initiator, channelId, payload });
  }
}
