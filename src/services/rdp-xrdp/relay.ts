/** Joins a client to a server, frame by frame, with the recording between them. */
import { DisconnectReason, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { writeRefreshRect, writeSuppressOutput } from '#rdp/pdu/output-control.ts';
import type { ServerRedirection } from '#rdp/pdu/server-redirection.ts';
import { ShareDataType } from '#rdp/pdu/share-data.ts';
import { chooseProfile, negotiated, rewriteConfirmActive } from '#rdp/profile/profile.ts';
import type { ClientDescription } from '#rdp/sequence/server-connection.ts';
import { bulkFlushFrame } from './bulk-flush.ts';
import type { SessionPolicy } from './channel-plan.ts';
import { ChannelRelay } from './channel-relay.ts';
import type { Settled } from './config-record.ts';
import type { Display } from './display.ts';
import { FromClient } from './from-client.ts';
import { FromServer } from './from-server.ts';
import type { Leg, LegEnd } from './leg.ts';
import { PausedClient } from './paused-client.ts';
import type { Recording } from './recording.ts';
import type { ServerLeg } from './server-leg.ts';
import { deactivateAllFrame, type Share, shareDataFrame } from './share.ts';

export interface RelayEvents {
  offered(share: Share): void;
  /** The client has said what it can: called before the server hears of it. */
  confirmed(share: Share, settled: Settled): void;
  opened(share: Share): void;
  active(): void;
  redirected(redirection: ServerRedirection): void;
  errorInfo(code: number, words: string): void;
  unusable(reason: string): void;
  /** A peer said that it leaves. */
  left(side: 'client' | 'server'): void;
  /** A peer's line is over without that. */
  ended(side: 'client' | 'server', end: LegEnd): void;
}

export interface RelayOptions {
  client: ClientDescription;
  clientLeg: Leg;
  policy: SessionPolicy;
  display: Display;
  recording: Recording;
  events: RelayEvents;
}

export class Relay {
  readonly #options: RelayOptions;
  #serverLeg: Leg | null = null;
  #fromServer: FromServer | null = null;
  #fromClient: FromClient | null = null;
  /** While the session is paused: what comes from the client goes there. */
  #paused: PausedClient | null = null;

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
    const { client, clientLeg, policy, display, recording, events } = this.#options;
    const sendToServer = (frame: Uint8Array) => leg.send(frame);
    const channels = new ChannelRelay(policy, client.channels, server, recording, sendToServer);
    const clientChannelId = client.ioChannelId;
    const fromServer = new FromServer({
      clientChannelId,
      serverChannelId: server.ioChannelId,
      profiles: display.profiles,
      recording,
      channels,
      events: {
        offered: events.offered,
        opened: () => fromServer.share && events.opened(fromServer.share),
        redirected: events.redirected,
        errorInfo: events.errorInfo,
        unusable: events.unusable,
        left: () => events.left('server'),
      },
    });
    const fromClient = new FromClient({
      clientChannelId,
      server,
      allowsInput: policy.input === true,
      recording,
      channels,
      confirm: (asSent) => {
        if (!fromServer.takeConfirm()) return null;
        const chosen = chooseProfile(asSent.capabilitySets, fromServer.offered, display.profiles);
        const confirm = rewriteConfirmActive(asSent, chosen.profile);
        const settled = { ...chosen, ...negotiated(confirm.capabilitySets) };
        if (fromServer.share) events.confirmed(fromServer.share, settled);
        return confirm;
      },
      sendToServer,
      events: { active: events.active, left: () => events.left('client') },
    });
    this.#fromServer = fromServer;
    this.#fromClient = fromClient;
    this.#serverLeg = leg;
    leg.onFrame = (frame) => {
      fromServer.receive(frame);
      if (recording.isFull || clientLeg.isBackedUp) leg.hold();
    };
    clientLeg.onFrame = (frame) => {
      if (this.#paused) this.#paused.receive(frame);
      else fromClient.receive(frame);
      if (this.#paused ? this.#paused.isFull : recording.isFull || leg.isBackedUp) clientLeg.hold();
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
    if (leg === null || this.#paused || recording.isFull) return;
    if (!clientLeg.isBackedUp) leg.flow();
    if (!leg.isBackedUp) clientLeg.flow();
  }

  /**
   * Freezes both sides of an open share. The server is not read any more: what it sends waits there, and little does, as it
   * is asked for no pictures. Keys and buttons that are down are let go; what the person does from now on is dropped.
   */
  pause(): void {
    const { client, clientLeg, recording, events } = this.#options;
    const { share } = this;
    if (this.#paused || this.#serverLeg === null || share === null) return;
    this.#serverLeg.hold();
    this.#fromClient?.letGo(share);
    if (share.canSuppress) this.#fromClient?.say(share, ShareDataType.suppressOutput, writeSuppressOutput(null));
    const denied = shareDataFrame(share, client.ioChannelId, ShareDataType.shutdownDenied, new Uint8Array(0));
    this.#paused = new PausedClient(client.ioChannelId, {
      left: () => events.left('client'),
      asksToLeave: () => {
        if (!clientLeg.isBackedUp) recording.unrecorded(denied);
      },
    });
    clientLeg.flow();
  }

  /**
   * Lets both sides go on: what the client said meanwhile reaches the server, which is asked for the whole screen, as words
   * may stand on the client's.
   */
  resume(): void {
    const { clientLeg, events } = this.#options;
    const paused = this.#paused;
    const fromClient = this.#fromClient;
    const { share } = this;
    if (paused === null || fromClient === null || share === null) return;
    this.#paused = null;
    try {
      for (const frame of paused.kept) fromClient.receive(frame);
    } catch (error) {
      events.ended('client', { kind: 'malformed', detail: (error as Error).message });
      return;
    }
    if (paused.toggleFlags !== null) fromClient.synchronize(share, paused.toggleFlags);
    const all = { left: 0, top: 0, right: share.width - 1, bottom: share.height - 1 };
    if (share.canSuppress) fromClient.say(share, ShareDataType.suppressOutput, writeSuppressOutput(all));
    if (share.canRefresh) fromClient.say(share, ShareDataType.refreshRect, writeRefreshRect([all]));
    this.#serverLeg?.flow();
    clientLeg.flow();
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
    this.#fromClient = null;
    this.#paused = null;
    leg.send(writeDomainPdu({ kind: 'disconnectProviderUltimatum', reason: DisconnectReason.userRequested }));
    leg.close();
  }

  /** Takes the client's share away, for the next server to offer one. */
  deactivate(): void {
    const { client, display, recording } = this.#options;
    const share = this.share;
    if (!share?.isOpen) return;
    share.isOpen = false;
    if (display.bulkCompression) recording.screen(bulkFlushFrame());
    recording.screen(deactivateAllFrame(share, client.ioChannelId));
  }
}
