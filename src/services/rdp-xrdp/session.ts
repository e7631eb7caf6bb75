/** An admitted connection: recording, server and relay, until something ends it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { Admission } from '#contract/rdp-controller.ts';
import type { RecordTransport } from '#contract/record-transport.ts';
import type { Log } from '#platform/log.ts';
import { writeSaveSessionInfo } from '#rdp/pdu/save-session-info.ts';
import { RedirectionFlag, type ServerRedirection } from '#rdp/pdu/server-redirection.ts';
import { ShareDataType } from '#rdp/pdu/share-data.ts';
import type { ClientDescription, ServerConnection } from '#rdp/sequence/server-connection.ts';
import { configOf, type Settled } from './config-record.ts';
import { type Display, displayOf } from './display.ts';
import {
  CLIENT_LEFT,
  clientGone,
  type EndCause,
  ended,
  failure,
  recordingFailed,
  serverGone,
  serverLeft,
} from './end-cause.ts';
import type { Leg } from './leg.ts';
import { noticeFrames } from './notice-frames.ts';
import type { Notice } from './notice-picture.ts';
import type { ReconnectCookies } from './reconnect-cookies.ts';
import { Recording } from './recording.ts';
import { isExpected, sentence } from './refusal.ts';
import { Relay } from './relay.ts';
import { connectServer, ServerLegError, type ServerLegOptions } from './server-leg.ts';
import { type LimitWatch, watchLimits } from './session-limits.ts';
import { type Share, shareDataFrame } from './share.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface SessionOptions {
  log: Log;
  controller: Peers['rdp-controller'];
  records: RecordTransport;
  cookies: ReconnectCookies;
  admission: Admission;
  client: ClientDescription;
  clientLeg: Leg;
  /** In phase `admission`. */
  sequence: ServerConnection;
}

/** The time from a server's first offer of a share, or from a redirection, to an open one. */
const ACTIVATION_TIMEOUT_MS = 60_000;
/** Redirections of one connection's open shares: a farm needs one, a server that plays needs an end. */
const MAX_REDIRECTIONS = 8;
const REPORT_ATTEMPTS = 5;
const REPORT_PAUSE_MS = 1000;

export class Session {
  readonly #options: SessionOptions;
  readonly #log: Log;
  readonly #display: Display;
  readonly #ended = Promise.withResolvers<EndCause>();
  readonly #gone = new AbortController();
  #recording: Recording | null = null;
  #relay: Relay | null = null;
  #limits: LimitWatch | null = null;
  #activation: NodeJS.Timeout | undefined;
  #shares = 0;
  #redirections = 0;
  #hasCookie = false;
  #bytesToClient = 0;
  #serverReason: string | null = null;
  #isPaused: boolean;
  /** Resolves when a session that was paused when its client came is resumed. */
  readonly #resumed = Promise.withResolvers<void>();
  #waitingRoom: WaitingRoom | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#isPaused = options.admission.paused;
    const { connection_id, session_id, policy, target } = options.admission;
    this.#display = displayOf(options.client, policy, target);
    this.#log = options.log.child({ connection: connection_id, session: session_id });
  }

  get connectionId(): string {
    return this.#options.admission.connection_id;
  }

  get sessionId(): string {
    return this.#options.admission.session_id;
  }

  get share(): Share | null {
    return this.#relay?.share ?? this.#waitingRoom?.share ?? null;
  }

  /** Whether the connection has ended: words about it may still be shown. */
  get isOver(): boolean {
    return this.#gone.signal.aborted;
  }

  get traffic(): { bytes_to_client: number; bytes_to_server: number; unacknowledged_bytes: number } {
    return {
      bytes_to_client: this.#bytesToClient,
      bytes_to_server: this.#options.clientLeg.received,
      unacknowledged_bytes: this.#recording?.unacknowledgedBytes ?? 0,
    };
  }

  /**
   * Freezes display and input. Resolves when all that was shown is durable: nothing is recorded from then on.
   *
   * @param reason who paused it, and why: told to the person where the server can draw its screen anew afterwards
   * @throws ServiceError `conflict` while there is no desktop to freeze
   */
  async pause(reason: string): Promise<void> {
    if (this.#isPaused) return;
    const { share } = this;
    const recording = this.#recording;
    if (!share?.isOpen || !recording || !this.#relay?.serverLeg) {
      throw new ServiceError(
        'conflict',
        'the desktop of this session is not up yet, or is changing: try again in a moment',
      );
    }
    this.#isPaused = true;
    this.#limits?.pause();
    this.#relay.pause();
    // A palette would not come back with the screen.
    if (share.canRefresh && share.depth > 8) {
      const { ioChannelId } = this.#options.client;
      for (const frame of noticeFrames(share, ioChannelId, pausedNotice(reason))) recording.screen(frame);
    }
    await recording.flush();
    this.#log.info(`the session is ${reason}`);
  }

  /** Lets a paused session go on. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#limits?.resume();
    this.#relay?.resume();
    this.#resumed.resolve();
    this.#log.info('the session goes on');
  }

  /** Ends the connection, unless it is ending already. */
  end(cause: EndCause): void {
    this.#ended.resolve(cause);
    this.#gone.abort();
  }

  /** Resolves when the connection is over, its records are durable and the controller knows. Never rejects. */
  async run(): Promise<EndCause> {
    const { clientLeg, cookies } = this.#options;
    clientLeg.onEnd = (end) => this.end(clientGone(end));
    if (clientLeg.end) clientLeg.onEnd(clientLeg.end);
    this.#open().catch((error) => this.#fail(error));
    const cause = await this.#ended.promise;
    this.#limits?.stop();
    clearTimeout(this.#activation);
    this.#relay?.detach();
    await this.#settle(cause);
    if (cause.resumable) cookies.expire(this.sessionId);
    else cookies.revoke(this.sessionId);
    await this.#report(cause);
    return cause;
  }

  async #open(): Promise<void> {
    const { records, admission, clientLeg, sequence, client } = this.#options;
    const { policy, session_id, connection_id } = admission;
    const recording = await Recording.attach(records, session_id, connection_id, {
      release: (frames) => this.#release(frames),
      failed: (reason) => this.end(recordingFailed(reason)),
    });
    if (this.#gone.signal.aborted) {
      // Nobody else knows of it: held on to, it would keep the person out at their return.
      await recording.finish();
      return;
    }
    this.#recording = recording;
    if (this.#isPaused) await this.#untilResumed();
    if (this.#gone.signal.aborted) return;
    const server = await connectServer(this.#serverOptions());
    if (this.#gone.signal.aborted) {
      server.leg.close(0);
      return;
    }
    if (this.#waitingRoom) this.#leaveWaitingRoom(this.#waitingRoom);
    else for (const frame of sequence.admit()) clientLeg.send(frame);
    this.#limits = watchLimits(policy, recording.elapsedMs, (limit) => {
      this.end(ended('The session is over', limit.reason, limit.errorInfo));
    });
    this.#relay = new Relay({
      client,
      clientLeg,
      policy,
      display: this.#display,
      recording,
      events: {
        offered: (share) => {
          const { width, height, depth } = share;
          if (this.#shares++ > 0) recording.marker({ kind: 'resize', width, height, depth });
          this.#describe(share, null);
        },
        confirmed: (share, settled) => {
          this.#describe(share, settled);
          this.#log.info(`recording profile ${settled.profile.name}: ${settled.reason}`);
        },
        opened: (share) => {
          clearTimeout(this.#activation);
          this.#giveCookie(share);
        },
        active: () => this.#limits?.active(),
        redirected: (redirection) => this.#follow(redirection),
        errorInfo: (code, words) => {
          this.#serverReason = words;
          this.#log.info({ code }, `the server says: ${words}`);
        },
        unusable: (reason) => this.#fail(new ServerLegError(reason)),
        left: (side) => this.end(side === 'client' ? CLIENT_LEFT : serverLeft(this.#serverReason)),
        ended: (side, end) => this.end(side === 'client' ? clientGone(end) : serverGone(end, this.#serverReason)),
      },
    });
    this.#expectShare();
    this.#relay.attach(server);
    this.#log.info(
      { client: client.blocks.core.clientName, channels: server.server.channels.map(({ name }) => name) },
      'connected',
    );
  }

  /** Nothing of the desktop is shown while the session is paused: the client is told so, and stays. */
  async #untilResumed(): Promise<void> {
    const { clientLeg, sequence, client } = this.#options;
    const room = await WaitingRoom.open(clientLeg, sequence, client, {
      left: () => this.end(CLIENT_LEFT),
      ended: (end) => this.end(clientGone(end)),
    });
    this.#waitingRoom = room;
    this.#giveCookie(room.share);
    await Promise.race([this.#resumed.promise, this.#ended.promise]);
  }

  #leaveWaitingRoom(room: WaitingRoom): void {
    room.close();
    this.#waitingRoom = null;
  }

  #fail(error: unknown): void {
    if (!isExpected(error)) this.#log.error({ err: error }, 'a session failed for a reason inside the gateway');
    this.end(failure(error));
  }

  #expectShare(): void {
    clearTimeout(this.#activation);
    const reason = `client and server did not open a share within ${ACTIVATION_TIMEOUT_MS / 1000} s`;
    this.#activation = setTimeout(() => this.end(ended('The session did not begin', reason)), ACTIVATION_TIMEOUT_MS);
  }

  #serverOptions(): ServerLegOptions {
    const { admission, client, controller } = this.#options;
    const { target, policy, connection_id } = admission;
    return {
      target,
      policy,
      client,
      signal: this.#gone.signal,
      pin: async (certificate_sha256) => {
        await controller.serverCertificate({ params: { id: connection_id }, body: { certificate_sha256 } });
      },
    };
  }

  #release(frames: Uint8Array[]): void {
    const { clientLeg } = this.#options;
    for (const frame of frames) this.#bytesToClient += frame.length;
    clientLeg.sendAll(frames);
    this.#relay?.relieved();
  }

  /** Whoever replays the screen's records must know what they are of. */
  #describe(share: Share, settled: Settled | null): void {
    const recording = this.#recording!;
    const connection = `${this.connectionId}/${this.#redirections}`;
    const { startedAt } = recording;
    const { bulkCompression } = this.#display;
    recording.config(configOf(share, { session: this.sessionId, connection, startedAt, bulkCompression, settled }));
  }

  /** The gateway's own auto-reconnect cookie. It is a secret and shows nothing, so it is not recorded. */
  #giveCookie(share: Share): void {
    if (this.#hasCookie) return;
    this.#hasCookie = true;
    const { cookies, client } = this.#options;
    const autoReconnect = cookies.issue(this.sessionId);
    const body = writeSaveSessionInfo({ kind: 'extended', autoReconnect, logonError: null });
    this.#recording!.unrecorded(shareDataFrame(share, client.ioChannelId, ShareDataType.saveSessionInfo, body));
  }

  /** The server sends its client elsewhere: the gateway goes there, and the client stays where it is. */
  #follow(redirection: ServerRedirection): void {
    if (redirection.flags & RedirectionFlag.noRedirect) return;
    const relay = this.#relay!;
    // One PDU may hold many redirections: the first of them has let go of the server.
    if (relay.serverLeg === null) return;
    if (++this.#redirections > MAX_REDIRECTIONS) {
      this.#fail(new ServerLegError(`the server redirected an open session more than ${MAX_REDIRECTIONS} times`));
      return;
    }
    this.#log.info('following a redirection of the server');
    relay.deactivate();
    relay.detach();
    this.#expectShare();
    connectServer(this.#serverOptions(), redirection)
      .then((server) => {
        if (this.#gone.signal.aborted) server.leg.close(0);
        else relay.attach(server);
      })
      .catch((error) => this.#fail(error));
  }

  /** Draws the words, if there are any, and waits until all is durable; without a recorder nothing else is shown. */
  async #settle({ notice }: EndCause): Promise<void> {
    const { clientLeg, client } = this.#options;
    const { share } = this;
    const recording = this.#recording;
    const frames =
      notice && share?.isOpen && clientLeg.end === null ? noticeFrames(share, client.ioChannelId, notice) : [];
    if (recording === null) return;
    if (recording.hasFailed) clientLeg.sendAll(frames);
    else if (this.#isPaused || this.#waitingRoom) for (const frame of frames) recording.unrecorded(frame);
    else for (const frame of frames) recording.screen(frame);
    await recording.finish();
  }

  async #report({ reason, resumable }: EndCause): Promise<void> {
    const { controller } = this.#options;
    const body = { reason: reason.slice(0, 500), resumable };
    for (let attempt = 1; ; attempt++) {
      try {
        await controller.connectionEnded({ params: { id: this.connectionId }, body });
        return;
      } catch (error) {
        if (attempt === REPORT_ATTEMPTS) {
          this.#log.error({ err: error }, 'rdp-controller could not be told that a connection ended');
          return;
        }
        await sleep(REPORT_PAUSE_MS * attempt);
      }
    }
  }
}

/** @param reason who paused the session, and why */
export function pausedNotice(reason: string): Notice {
  const text = `${sentence(reason)} It goes on as soon as it is resumed.`;
  return { title: 'The session is paused', text, hint: '' };
}
