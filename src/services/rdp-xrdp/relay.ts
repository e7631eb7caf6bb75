/** Joins a client to a server, frame by frame, with the recording between them. */
import { DisconnectReason, SERVER_USER_ID, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import type { ServerRedirection } from '#rdp/pdu/server-redirection.ts';
import { ShareControlType, writeShareControl } from '#rdp/pdu/share-control.ts';
import type { ClientDescription } from '#rdp/sequence/server-connection.ts';
import type { SessionPolicy } from './channel-plan.ts';
import { ChannelRelay } from './channel-relay.ts';
import { FromClient } from './from-client.ts';
import { FromServer } from './from-server.ts';
import type { Leg, LegEnd } from './leg.ts';
import type { Recording } from './recording.ts';
import type { ServerLeg } from './server-leg.ts';
import type { Share } from './share.ts';

export interface RelayEvents {
  offered(share: Share): void;
  opened(share: Share): void;
  active(): void;
  redirected(redirection: ServerRedirection): void;
  errorInfo(code: number, words: string): void;
  /** A peer said that it leaves. */
  left(side: 'client' | 'server'): void;
  /** A peer's line is over without that. */
  ended(side: 'client' | 'server', end: LegEnd): void;
}

export interface RelayOptions {
  client: ClientDescription;
  clientLeg: Leg;
  policy: SessionPolicy;
  recording: Recording;
  events: RelayEvents;
}

export class Relay {
  readonly #options: RelayOptions;
  #serverLeg: Leg | null = null;
  #fromServer: FromServer | null = null;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  get share(): Share | null {
    return this.#fromServer?.share ?? null;
  }

  get serverLeg(): Leg | null {
    return this.#serverLeg;
  }

  /** Begins with a server, at its Demand Active. */
  attach({ leg, server, demandActive }: ServerLeg): void {
    const { client, clientLeg, policy, recording, events } = this.#options;
    const sendToServer = (frame: Uint8Array) => leg.send(frame);
    const channels = new ChannelRelay(policy, client.channels, server, recording, sendToServer);
    const clientChannelId = client.ioChannelId;
    const fromServer = new FromServer({
      clientChannelId,
      serverChannelId: server.ioChannelId,
      recording,
      channels,
      events: {
        offered: events.offered,
        opened: () => fromServer.share && events.opened(fromServer.share),
        redirected: events.redirected,
        errorInfo: events.errorInfo,
        left: () => events.left('server'),
      },
    });
    const fromClient = new FromClient({
      clientChannelId,
      server,
      allowsInput: policy.input === true,
      recording,
      channels,
      sendToServer,
      events: { active: events.active, left: () => events.left('client') },
    });
    this.#fromServer = fromServer;
    this.#serverLeg = leg;
    leg.onFrame = (frame) => {
      fromServer.receive(frame);
      if (recording.isFull || clientLeg.isBackedUp) leg.hold();
    };
    clientLeg.onFrame = (frame) => {
      fromClient.receive(frame);
      if (recording.isFull || leg.isBackedUp) clientLeg.hold();
    };
    leg.onEnd = (end) => events.ended('server', end);
    clientLeg.onEnd = (end) => events.ended('client', end);
    leg.onDrain = clientLeg.onDrain = () => this.relieved();
    if (clientLeg.end) events.ended('client', clientLeg.end);
    fromServer.receive(demandActive);
    clientLeg.flow();
    leg.flow();
  }

  /** Some of what waited is gone: looks whether reading may go on. */
  relieved(): void {
    const { clientLeg, recording } = this.#options;
    const leg = this.#serverLeg;
    if (leg === null || recording.isFull) return;
    if (!clientLeg.isBackedUp) leg.flow();
    if (!leg.isBackedUp) clientLeg.flow();
  }

  /** Lets go of the server: nothing more comes from it or goes to it. The client's leg is held. */
  detach(): void {
    const { clientLeg } = this.#options;
    const leg = this.#serverLeg;
    clientLeg.hold();
    clientLeg.onFrame = () => {};
    clientLeg.onDrain = () => {};
    if (leg === null) return;
    leg.onFrame = () => {};
    leg.onEnd = () => {};
    leg.onDrain = () => {};
    this.#serverLeg = null;
    leg.send(writeDomainPdu({ kind: 'disconnectProviderUltimatum', reason: DisconnectReason.userRequested }));
    leg.close();
  }

  /** Takes the client's share away, for the next server to offer one. */
  deactivate(): void {
    const { client, recording } = this.#options;
    const share = this.share;
    if (!share?.isOpen) return;
    share.isOpen = false;
    // shareId, then an empty source descriptor.
    const body = Uint8Array.of(
      share.id & 0xff,
      (share.id >> 8) & 0xff,
      (share.id >> 16) & 0xff,
      share.id >>> 24,
      1,
      0,
      0,
    );
    const payload = writeShareControl(ShareControlType.deactivateAll, SERVER_USER_ID, body);
    recording.screen(
      writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId: client.ioChannelId, payload }),
    );
  }
}
