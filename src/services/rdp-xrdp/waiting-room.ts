/** Where a client waits that connects to a paused session: a desktop of the gateway's own, which says so. */
import { ShareDataType } from '#rdp/pdu/share-data.ts';
import type { ClientDescription, ServerConnection } from '#rdp/sequence/server-connection.ts';
import type { Leg, LegEnd } from './leg.ts';
import { openLocalDesktop } from './local-desktop.ts';
import { noticeFrames } from './notice-frames.ts';
import type { Notice } from './notice-picture.ts';
import { PausedClient } from './paused-client.ts';
import { deactivateAllFrame, type Share, shareDataFrame } from './share.ts';

/** What a client is told that comes while the session is paused. */
export const WAITING: Notice = {
  title: 'The session is paused',
  text: 'Nothing is lost. Stay connected: your desktop comes back as soon as the session is resumed.',
  hint: '',
};

export interface WaitingRoomEvents {
  left(): void;
  ended(end: LegEnd): void;
}

export class WaitingRoom {
  readonly share: Share;
  readonly #leg: Leg;
  readonly #client: ClientDescription;

  private constructor(leg: Leg, client: ClientDescription, share: Share) {
    this.#leg = leg;
    this.#client = client;
    this.share = share;
  }

  /**
   * Lets the client in. What its person does goes nowhere.
   *
   * @param sequence in phase `admission`
   * @throws DecodeError, LegEndedError, DeadlineError when the client does not follow
   */
  static async open(
    leg: Leg,
    sequence: ServerConnection,
    client: ClientDescription,
    events: WaitingRoomEvents,
  ): Promise<WaitingRoom> {
    const share = await openLocalDesktop(leg, sequence);
    const denied = shareDataFrame(share, client.ioChannelId, ShareDataType.shutdownDenied, NOTHING);
    const deny = () => {
      if (!leg.isBackedUp) leg.send(denied);
    };
    leg.onEnd = events.ended;
    leg.onFrame = (frame) =>
      new PausedClient(client.ioChannelId, { left: events.left, asksToLeave: deny }).receive(frame);
    for (const frame of noticeFrames(share, client.ioChannelId, WAITING)) leg.send(frame);
    if (leg.end) events.ended(leg.end);
    return new WaitingRoom(leg, client, share);
  }

  /** Takes the desktop away, for a server to offer one; the client's leg is held. */
  close(): void {
    this.#leg.hold();
    this.share.isOpen = false;
    this.#leg.send(deactivateAllFrame(this.share, this.#client.ioChannelId));
  }
}

const NOTHING = new Uint8Array(0);
