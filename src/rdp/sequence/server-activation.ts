/**
 * The server's side of activation and finalisation (MS-RDPBCGR 1.3.1.1, phases 9 and 10), without I/O: Demand Active to
 * Font Map. Used after ServerConnection, and again after every Deactivate All, with a new share id.
 *
 * Clients send input and channel data before they are through; such frames are the owner's business.
 */
import { type ConfirmActive, readConfirmActive, writeDemandActive } from '../pdu/active.ts';
import type { CapabilitySet } from '../pdu/capability-set.ts';
import { ControlAction, readControl, writeControl, writeFontMap, writeSynchronize } from '../pdu/finalization.ts';
import { readDomainPdu, SERVER_USER_ID, writeDomainPdu } from '../pdu/mcs-domain.ts';
import { readShareControls, type ShareControl, ShareControlType } from '../pdu/share-control.ts';
import { readShareData, ShareDataType, writeShareData } from '../pdu/share-data.ts';
import { asciiBytes } from '../pdu/text.ts';
import { TPKT_VERSION } from '../pdu/x224.ts';
import type { ClientSettings } from './server-connection.ts';

export interface ShareOffer {
  /** Different for every share of a connection. */
  shareId: number;
  capabilitySets: CapabilitySet[];
}

export type ServerActivationState =
  | { phase: 'demand' }
  | { phase: 'confirm' }
  | { phase: 'finalization'; confirm: ConfirmActive }
  /** The share is open: updates may be sent. */
  | { phase: 'active'; confirm: ConfirmActive };

/** sourceDescriptor, NUL included: what Microsoft's server sends. */
const SOURCE_DESCRIPTOR = asciiBytes('RDP\0');
const SESSION_ID = new Uint8Array(4);

export class ServerActivation {
  readonly #client: Pick<ClientSettings, 'ioChannelId' | 'userChannelId'>;
  readonly #offer: ShareOffer;
  #state: ServerActivationState = { phase: 'demand' };

  constructor(client: Pick<ClientSettings, 'ioChannelId' | 'userChannelId'>, offer: ShareOffer) {
    this.#client = client;
    this.#offer = offer;
  }

  get state(): ServerActivationState {
    return this.#state;
  }

  /** The Demand Active to send. */
  start(): Uint8Array[] {
    this.#state = { phase: 'confirm' };
    const { shareId, capabilitySets } = this.#offer;
    const demand = { shareId, sourceDescriptor: SOURCE_DESCRIPTOR, capabilitySets, rest: SESSION_ID };
    return [this.#send(writeDemandActive(demand))];
  }

  /**
   * Takes one frame from the client.
   * @returns frames to send, in order; null when the frame holds nothing of activation, so that the owner may use it
   * @throws DecodeError on malformed bytes
   */
  receive(frame: Uint8Array): Uint8Array[] | null {
    if (frame[0] !== TPKT_VERSION) return null;
    const pdu = readDomainPdu(frame);
    if (pdu.kind !== 'sendDataRequest' || pdu.channelId !== this.#client.ioChannelId) return null;
    const answers = readShareControls(pdu.payload).map((share) => this.#take(share));
    const taken = answers.filter((answer) => answer !== null);
    return taken.length === 0 ? null : taken.flat();
  }

  #take({ type, body }: ShareControl): Uint8Array[] | null {
    if (type === ShareControlType.confirmActive && this.#state.phase === 'confirm') {
      const confirm = readConfirmActive(body);
      // An answer to an earlier share, which a Deactivate All has overtaken.
      if (confirm.shareId === this.#offer.shareId) this.#state = { phase: 'finalization', confirm };
      return [];
    }
    if (type !== ShareControlType.data || this.#state.phase !== 'finalization') return null;
    const data = readShareData(body);
    switch (data.type) {
      case ShareDataType.synchronize:
        return [this.#sendData(ShareDataType.synchronize, writeSynchronize(this.#client.userChannelId))];
      case ShareDataType.control:
        return this.#control(readControl(data.body).action);
      case ShareDataType.persistentKeyList:
        return [];
      case ShareDataType.fontList:
        this.#state = { phase: 'active', confirm: this.#state.confirm };
        return [this.#sendData(ShareDataType.fontMap, writeFontMap())];
      default:
        return null;
    }
  }

  #control(action: number): Uint8Array[] {
    if (action === ControlAction.cooperate) {
      return [this.#sendData(ShareDataType.control, writeControl(ControlAction.cooperate))];
    }
    if (action === ControlAction.requestControl) {
      const granted = writeControl(ControlAction.grantedControl, this.#client.userChannelId, SERVER_USER_ID);
      return [this.#sendData(ShareDataType.control, granted)];
    }
    return [];
  }

  #sendData(type: number, body: Uint8Array): Uint8Array {
    return this.#send(writeShareData(this.#offer.shareId, SERVER_USER_ID, type, body));
  }

  #send(payload: Uint8Array): Uint8Array {
    const channelId = this.#client.ioChannelId;
    return writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId, payload });
  }
}
