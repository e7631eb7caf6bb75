/**
 * The client's side of activation and finalisation (MS-RDPBCGR 1.3.1.1, phases 9 and 10), without I/O: Demand Active to
 * Font Map. It begins with the frame at which ClientConnection stops, and again by itself after every Deactivate All.
 *
 * Servers send updates before they are through; such frames are the owner's business.
 */
import { type DemandActive, readDemandActive, writeConfirmActive } from '../pdu/active.ts';
import type { CapabilitySet } from '../pdu/capability-set.ts';
import { ControlAction, writeControl, writeFontList, writeSynchronize } from '../pdu/finalization.ts';
import { readDomainPdu, SERVER_USER_ID, writeDomainPdu } from '../pdu/mcs-domain.ts';
import { readShareControls, type ShareControl, ShareControlType } from '../pdu/share-control.ts';
import { readShareData, ShareDataType, writeShareData } from '../pdu/share-data.ts';
import { asciiBytes } from '../pdu/text.ts';
import { TPKT_VERSION } from '../pdu/x224.ts';
import type { AttachedServer } from './client-connection.ts';

export type ClientActivationState =
  | { phase: 'demand' }
  | { phase: 'finalization'; demand: DemandActive }
  /** The share is open: input may be sent. */
  | { phase: 'active'; demand: DemandActive };

/** sourceDescriptor, NUL included: what Microsoft's client sends. */
const SOURCE_DESCRIPTOR = asciiBytes('MSTSC\0');
const NOTHING = new Uint8Array(0);

export class ClientActivation {
  readonly #server: Pick<AttachedServer, 'ioChannelId' | 'userChannelId'>;
  readonly #capabilities: (demand: DemandActive) => CapabilitySet[];
  #state: ClientActivationState = { phase: 'demand' };

  /** @param capabilities what to confirm: desktop size and depth come from what the server demands */
  constructor(
    server: Pick<AttachedServer, 'ioChannelId' | 'userChannelId'>,
    capabilities: (demand: DemandActive) => CapabilitySet[],
  ) {
    this.#server = server;
    this.#capabilities = capabilities;
  }

  get state(): ClientActivationState {
    return this.#state;
  }

  /**
   * Takes one frame from the server.
   * @returns frames to send, in order; null when the frame holds nothing of activation, so that the owner may use it
   * @throws DecodeError on malformed bytes
   */
  receive(frame: Uint8Array): Uint8Array[] | null {
    if (frame[0] !== TPKT_VERSION) return null;
    const pdu = readDomainPdu(frame);
    if (pdu.kind !== 'sendDataIndication' || pdu.channelId !== this.#server.ioChannelId) return null;
    const answers = readShareControls(pdu.payload).map((share) => this.#take(share));
    const taken = answers.filter((answer) => answer !== null);
    return taken.length === 0 ? null : taken.flat();
  }

  #take({ type, body }: ShareControl): Uint8Array[] | null {
    switch (type) {
      case ShareControlType.demandActive:
        return this.#confirm(readDemandActive(body));
      case ShareControlType.deactivateAll:
        this.#state = { phase: 'demand' };
        return [];
      case ShareControlType.data:
        return this.#state.phase === 'finalization' ? this.#finalize(this.#state.demand, body) : null;
      default:
        return null;
    }
  }

  /** Confirms, and finalises without waiting: no client does wait. */
  #confirm(demand: DemandActive): Uint8Array[] {
    this.#state = { phase: 'finalization', demand };
    const { shareId } = demand;
    const capabilitySets = this.#capabilities(demand);
    const confirm = { shareId, originatorId: SERVER_USER_ID, sourceDescriptor: SOURCE_DESCRIPTOR, capabilitySets };
    const user = this.#server.userChannelId;
    const data = (type: number, body: Uint8Array) => this.#send(writeShareData(shareId, user, type, body));
    return [
      this.#send(writeConfirmActive({ ...confirm, rest: NOTHING }, user)),
      data(ShareDataType.synchronize, writeSynchronize(SERVER_USER_ID)),
      data(ShareDataType.control, writeControl(ControlAction.cooperate)),
      data(ShareDataType.control, writeControl(ControlAction.requestControl)),
      data(ShareDataType.fontList, writeFontList()),
    ];
  }

  #finalize(demand: DemandActive, body: Uint8Array): Uint8Array[] | null {
    const { type } = readShareData(body);
    if (type === ShareDataType.synchronize || type === ShareDataType.control) return [];
    if (type !== ShareDataType.fontMap) return null;
    this.#state = { phase: 'active', demand };
    return [];
  }

  #send(payload: Uint8Array): Uint8Array {
    const { userChannelId, ioChannelId } = this.#server;
    return writeDomainPdu({ kind: 'sendDataRequest', initiator: userChannelId, channelId: ioChannelId, payload });
  }
}
