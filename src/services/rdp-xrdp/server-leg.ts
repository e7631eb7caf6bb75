/** The gateway's connection to a server, up to its first Demand Active. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { ServerTarget } from '#contract/rdp-server-manager.ts';
import { connectUnixSocket } from '#platform/unix-socket.ts';
import type { ServerRedirection } from '#rdp/pdu/server-redirection.ts';
import { type AttachedServer, ClientConnection } from '#rdp/sequence/client-connection.ts';
import type { ClientDescription } from '#rdp/sequence/server-connection.ts';
import type { SessionPolicy } from './channel-plan.ts';
import { LegEndedError } from './client-leg.ts';
import { Leg } from './leg.ts';
import { upstreamRequest } from './upstream-request.ts';
import { withDeadline } from './with-deadline.ts';

/** The time a server may take for each phase, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;
const TLS_TIMEOUT_MS = 10_000;
const SETTINGS_TIMEOUT_MS = 30_000;
const MAX_REDIRECTIONS = 4;

/** A server that cannot be used: the message is fit to be shown. */
export class ServerLegError extends Error {
  override readonly name = 'ServerLegError';
}

export interface ServerLegOptions {
  target: ServerTarget;
  policy: SessionPolicy;
  client: ClientDescription;
  /** Told what a server without a pin has shown, before it gets any credentials; throws to refuse it. */
  pin(certificateSha256: string): Promise<void>;
  signal: AbortSignal;
}

/** A server that has sent its Demand Active; the leg is held after it. */
export interface ServerLeg {
  leg: Leg;
  server: AttachedServer;
  demandActive: Uint8Array;
}

/**
 * Connects to the target and follows its redirections.
 *
 * @param redirection what a server said in mid-session, or null
 * @throws ServerLegError or the library's errors; whatever had been opened is closed
 */
export async function connectServer(
  options: ServerLegOptions,
  redirection: ServerRedirection | null = null,
): Promise<ServerLeg> {
  let redirected = redirection;
  for (let hops = 0; hops <= MAX_REDIRECTIONS; hops++) {
    const result = await attempt(options, redirected);
    if ('leg' in result) return result;
    redirected = result;
  }
  throw new ServerLegError(`the server redirected more than ${MAX_REDIRECTIONS} times`);
}

async function attempt(
  options: ServerLegOptions,
  redirection: ServerRedirection | null,
): Promise<ServerLeg | ServerRedirection> {
  const { target, policy, client, signal } = options;
  signal.throwIfAborted();
  const leg = new Leg(await openSocket(target, redirection, signal));
  const abort = () => leg.close(0);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const sequence = new ClientConnection(upstreamRequest(client, policy, target, redirection));
    const reached = (goal: (phase: string) => boolean) => runUntil(leg, sequence, goal);
    for (const frame of sequence.start()) leg.send(frame);
    await withDeadline(
      reached((phase) => phase === 'upgrade'),
      CONNECT_TIMEOUT_MS,
      "the server's negotiation",
    );
    await leg.secure((socket) => withDeadline(startTls(socket), TLS_TIMEOUT_MS, "the server's TLS handshake"));
    await checkCertificate(leg.socket as TLSSocket, options);
    for (const frame of sequence.secured()) leg.send(frame);
    await withDeadline(
      reached((phase) => phase === 'demandActive' || phase === 'redirected'),
      SETTINGS_TIMEOUT_MS,
      "the server's settings",
    );
    signal.throwIfAborted();
    const { state } = sequence;
    if (state.phase === 'demandActive') return { leg, server: state.server, demandActive: state.frame };
    if (state.phase !== 'redirected') throw new TypeError(`server leg: phase is ${state.phase}`);
    leg.close();
    return state.redirection;
  } catch (error) {
    leg.close(0);
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Feeds the sequence until it reaches a phase; the leg is then held. */
function runUntil(leg: Leg, sequence: ClientConnection, goal: (phase: string) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    leg.onEnd = (end) => reject(new LegEndedError('server', end));
    if (leg.end) leg.onEnd(leg.end);
    leg.onFrame = (frame) => {
      try {
        for (const answer of sequence.receive(frame)) leg.send(answer);
      } catch (error) {
        leg.hold();
        reject(error);
        return;
      }
      if (goal(sequence.state.phase)) {
        leg.hold();
        resolve();
      }
    };
    leg.flow();
  });
}

/** A broker that gives no routing token names another address instead; its certificate must be the pinned one. */
async function openSocket(
  target: ServerTarget,
  redirection: ServerRedirection | null,
  signal: AbortSignal,
): Promise<Socket> {
  const elsewhere = redirection?.loadBalanceInfo ? undefined : redirection?.targetNetAddress;
  try {
    const socket =
      target.socket_path !== null
        ? connectUnixSocket(target.socket_path)
        : connect({ host: elsewhere || (target.host ?? ''), port: target.port ?? 3389, noDelay: true });
    const late = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
    await once(socket, 'connect', { signal: AbortSignal.any([signal, late]) }).catch((error) => {
      socket.on('error', () => {}).destroy();
      throw late.aborted ? new Error(`no answer in ${CONNECT_TIMEOUT_MS / 1000} s`) : error;
    });
    return socket;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ServerLegError(`the server cannot be reached: ${typeof code === 'string' ? code : message}`);
  }
}

function startTls(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // Who the server is, its certificate's hash says: RDP servers sign their own.
    const secured = tlsConnect({ socket, rejectUnauthorized: false, minVersion: 'TLSv1.2' });
    // These stay: an error that nobody listens to would end the process.
    secured.on('error', reject);
    secured.on('close', () => reject(new ServerLegError('the server dropped the line in the TLS handshake')));
    secured.once('secureConnect', () => resolve(secured));
  });
}

async function checkCertificate(socket: TLSSocket, { target, pin }: ServerLegOptions): Promise<void> {
  const { raw } = socket.getPeerCertificate();
  if (!raw) throw new ServerLegError('the server showed no certificate');
  const seen = createHash('sha256').update(raw).digest('hex');
  if (target.certificate_sha256 === null) {
    await pin(seen);
  } else if (target.certificate_sha256 !== seen) {
    throw new ServerLegError(
      `the server's certificate is not the pinned one (it shows SHA-256 ${seen}); if it was renewed, pin the new one`,
    );
  }
}
