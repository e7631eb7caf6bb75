/** A client's connection up to its Client Info: negotiation, TLS, settings, channels. */
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { Protocol } from '#rdp/pdu/negotiation.ts';
import { ServerConnection } from '#rdp/sequence/server-connection.ts';
import type { Leg, LegEnd } from './leg.ts';
import { withDeadline } from './with-deadline.ts';

/** The time a client may take for each phase, in milliseconds: people do not act in them. */
const NEGOTIATION_TIMEOUT_MS = 10_000;
const TLS_TIMEOUT_MS = 10_000;
const SETTINGS_TIMEOUT_MS = 20_000;

/** A leg that ended where it should have gone on. */
export class LegEndedError extends Error {
  override readonly name = 'LegEndedError';
  readonly end: LegEnd;

  constructor(side: string, end: LegEnd) {
    super(`the ${side}'s connection ended: ${end.detail}`);
    this.end = end;
  }
}

/**
 * Brings a fresh connection to the point where the client has said who it is. The leg is then held.
 *
 * @returns the sequence, in phase `admission`
 * @throws DecodeError, SequenceError, LegEndedError or the error of TLS
 */
export async function acceptClient(leg: Leg, context: SecureContext): Promise<ServerConnection> {
  const sequence = new ServerConnection({ protocols: Protocol.ssl, responseFlags: 0 });
  const step = (phase: 'upgrade' | 'admission') =>
    new Promise<void>((resolve, reject) => {
      leg.onEnd = (end) => reject(new LegEndedError('client', end));
      if (leg.end) leg.onEnd(leg.end);
      leg.onFrame = (frame) => {
        try {
          for (const answer of sequence.receive(frame)) leg.send(answer);
        } catch (error) {
          leg.hold();
          reject(error);
          return;
        }
        const { state } = sequence;
        if (state.phase === 'refused') {
          leg.hold();
          reject(state.failure);
        } else if (state.phase === phase) {
          leg.hold();
          resolve();
        }
      };
      leg.flow();
    });
  await withDeadline(step('upgrade'), NEGOTIATION_TIMEOUT_MS, 'the negotiation');
  await leg.secure((socket) => withDeadline(acceptTls(socket, context), TLS_TIMEOUT_MS, 'the TLS handshake'));
  sequence.secured();
  await withDeadline(step('admission'), SETTINGS_TIMEOUT_MS, "the client's settings");
  return sequence;
}

function acceptTls(socket: Socket, secureContext: SecureContext): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const secured = new TLSSocket(socket, { isServer: true, secureContext });
    // These stay: an error that nobody listens to would end the process.
    secured.on('error', reject);
    secured.on('close', () => reject(new Error('the line dropped in the TLS handshake')));
    secured.once('secure', () => resolve(secured));
  });
}
