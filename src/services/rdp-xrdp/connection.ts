/** One client's connection, from its first byte to its last. */
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Peers } from '#contract/index.ts';
import type { Admission } from '#contract/rdp-controller.ts';
import type { RecordTransport } from '#contract/record-transport.ts';
import type { Log } from '#platform/log.ts';
import { ErrorInfo } from '#rdp/pdu/error-info.ts';
import type { ClientDescription, ServerConnection } from '#rdp/sequence/server-connection.ts';
import { acceptClient, LegEndedError } from './client-leg.ts';
import type { Place } from './connection-limits.ts';
import { readCredentials } from './credentials.ts';
import { untilDismissed } from './dismissal.ts';
import { type EndCause, GATEWAY_STOPS } from './end-cause.ts';
import { sayFarewell } from './farewell.ts';
import { Leg } from './leg.ts';
import { openLocalDesktop } from './local-desktop.ts';
import { noticeFrames } from './notice-frames.ts';
import type { Notice } from './notice-picture.ts';
import type { ReconnectCookies } from './reconnect-cookies.ts';
import { NO_TICKET, refusalNotice } from './refusal.ts';
import { Session } from './session.ts';
import type { Share } from './share.ts';

export interface GatewayParts {
  log: Log;
  controller: Peers['rdp-controller'];
  records: RecordTransport;
  certificate: SecureContext;
  cookies: ReconnectCookies;
}

/** How long a notice stays when nobody dismisses it. */
const NOTICE_MS = 15_000;
const STOP_NOTICE_MS = 1500;

export class Connection {
  readonly #parts: GatewayParts;
  readonly #address: string;
  readonly #place: Place;
  readonly #leg: Leg;
  /** Set once the client is admitted. */
  session: Session | null = null;

  constructor(socket: Socket, address: string, place: Place, parts: GatewayParts) {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    this.#leg = new Leg(socket);
    this.#address = address;
    this.#place = place;
    this.#parts = parts;
  }

  /** Resolves when the connection is over; never rejects. */
  async run(): Promise<void> {
    const { log } = this.#parts;
    const startedAt = performance.now();
    const about = () => ({ client: this.#address, seconds: Math.round(performance.now() - startedAt) / 1000 });
    try {
      const sequence = await acceptClient(this.#leg, this.#parts.certificate);
      const { state } = sequence;
      if (state.phase !== 'admission') throw new TypeError(`connection: phase is ${state.phase}`);
      const admission = await this.#admit(state.client);
      if ('title' in admission) {
        log.info(about(), `connection refused: ${admission.title}: ${admission.text}`);
        await this.#refuse(sequence, state.client, admission);
      } else {
        const session = this.#begin(sequence, state.client, admission);
        const cause = await session.run();
        const { connection_id: connection, session_id } = admission;
        const facts = { ...about(), connection, session: session_id, resumable: cause.resumable };
        log[cause.isFault ? 'warn' : 'info'](facts, `connection ended: ${cause.reason}`);
        await this.#part(sequence, state.client, session, cause);
      }
    } catch (error) {
      const quiet = error instanceof LegEndedError && error.end.kind === 'closed';
      log[quiet ? 'debug' : 'warn'](about(), `connection ended: ${(error as Error).message}`);
    } finally {
      this.#leg.close();
      this.#place.released();
    }
  }

  /** Ends the connection because the gateway stops; words stay for a moment only. */
  stop(): void {
    this.session?.end(GATEWAY_STOPS);
    setTimeout(() => this.#leg.cut(GATEWAY_STOPS.reason), this.session ? STOP_NOTICE_MS : 0);
  }

  async #admit(client: ClientDescription): Promise<Admission | Notice> {
    const { controller, cookies } = this.#parts;
    const { info, blocks, request } = client;
    const about = { client_address: this.#address, client_name: blocks.core.clientName };
    try {
      const cookie = info.extended?.autoReconnect;
      const returning = cookie ? cookies.redeem(cookie) : null;
      if (returning !== null) {
        return await controller.readmit({ body: { session_id: returning, client_address: this.#address } });
      }
      const ticket = readCredentials(request.routingToken, info);
      if (ticket === null) return NO_TICKET;
      const { ticketId: ticket_id, secret } = ticket;
      return await controller.admit({ body: { ticket_id, secret, ...about } });
    } catch (error) {
      return refusalNotice(error);
    }
  }

  #begin(sequence: ServerConnection, client: ClientDescription, admission: Admission): Session {
    this.#place.admitted();
    this.session = new Session({ ...this.#parts, admission, client, clientLeg: this.#leg, sequence });
    return this.session;
  }

  /** Takes leave of a client whose session is over: the words, if there are any, were drawn where they could be. */
  async #part(
    sequence: ServerConnection,
    client: ClientDescription,
    { share }: Session,
    { notice, resumable, errorInfo }: EndCause,
  ): Promise<void> {
    if (this.#leg.end !== null) return;
    try {
      if (notice && sequence.state.phase === 'admission') await this.#refuse(sequence, client, notice, errorInfo);
      else if (notice && share?.isOpen) await this.#dismiss(client, share, errorInfo);
      else if (notice || !resumable) sayFarewell(this.#leg, client, share, errorInfo);
    } catch (error) {
      // The session is told to be over already: the client merely did not wait for the words.
      this.#parts.log.debug({ client: this.#address }, `notice not shown: ${(error as Error).message}`);
    }
  }

  /** Says why there is no session, on a desktop of the gateway's own. */
  async #refuse(
    sequence: ServerConnection,
    client: ClientDescription,
    notice: Notice,
    errorInfo: number = ErrorInfo.serverDeniedConnection,
  ): Promise<void> {
    const share = await openLocalDesktop(this.#leg, sequence);
    for (const frame of noticeFrames(share, client.ioChannelId, notice)) this.#leg.send(frame);
    await this.#dismiss(client, share, errorInfo);
  }

  async #dismiss(client: ClientDescription, share: Share, errorInfo: number): Promise<void> {
    await untilDismissed(this.#leg, client.ioChannelId, NOTICE_MS);
    if (this.#leg.end === null) sayFarewell(this.#leg, client, share, errorInfo);
  }
}
