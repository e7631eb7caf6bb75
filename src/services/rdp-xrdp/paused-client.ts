/** A client whose session is paused: what its person does is dropped, what the client itself says is kept for later. */
import { readFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { type InputEvent, readInputPdu, type UnknownInputEvent } from '#rdp/pdu/input.ts';
import { readDomainPdu, type SendData, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readShareControls, type ShareControl, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType } from '#rdp/pdu/share-data.ts';
import { TPKT_VERSION } from '#rdp/pdu/x224.ts';

/** Above this much kept the client is not read any more. */
export const KEPT_LIMIT_BYTES = 1024 * 1024;

export interface PausedClientEvents {
  left(): void;
  /** The client asks whether it may close: it waits for the answer. */
  asksToLeave(): void;
}

export class PausedClient {
  readonly #ioChannelId: number;
  readonly #events: PausedClientEvents;
  readonly #kept: Uint8Array[] = [];
  #bytes = 0;
  /** State of the lock keys, as the client told it last while it was paused; null when it did not. */
  toggleFlags: number | null = null;

  constructor(ioChannelId: number, events: PausedClientEvents) {
    this.#ioChannelId = ioChannelId;
    this.#events = events;
  }

  /** Frames for the server, in order. */
  get kept(): readonly Uint8Array[] {
    return this.#kept;
  }

  get isFull(): boolean {
    return this.#bytes > KEPT_LIMIT_BYTES;
  }

  /** @throws DecodeError on malformed bytes */
  receive(frame: Uint8Array): void {
    if (frame[0] !== TPKT_VERSION) {
      this.#drop(readFastPathInput(frame));
      return;
    }
    const pdu = readDomainPdu(frame);
    switch (pdu.kind) {
      case 'disconnectProviderUltimatum':
      case 'disconnectRequest':
        this.#events.left();
        break;
      case 'sendDataRequest':
        if (pdu.channelId === this.#ioChannelId) this.#takeShares(frame, pdu);
        else this.#keep(frame);
        break;
      default:
        this.#keep(frame);
    }
  }

  #takeShares(frame: Uint8Array, pdu: SendData): void {
    const shares = readShareControls(pdu.payload);
    const later = shares.filter((share) => !this.#takeAtOnce(share));
    if (later.length === shares.length) this.#keep(frame);
    else if (later.length > 0) {
      this.#keep(writeDomainPdu({ ...pdu, payload: Buffer.concat(later.map(({ bytes }) => bytes)) }));
    }
  }

  /** @returns whether nothing of it is for the server */
  #takeAtOnce({ type, body }: ShareControl): boolean {
    if (type !== ShareControlType.data) return false;
    const data = readShareData(body);
    if (data.type === ShareDataType.input) this.#drop(readInputPdu(data.body));
    else if (data.type === ShareDataType.shutdownRequest) this.#events.asksToLeave();
    else return false;
    return true;
  }

  #drop(events: readonly (InputEvent | UnknownInputEvent)[]): void {
    for (const event of events) if (event.kind === 'synchronize') this.toggleFlags = event.toggleFlags;
  }

  #keep(frame: Uint8Array): void {
    this.#kept.push(frame.slice());
    this.#bytes += frame.length;
  }
}
