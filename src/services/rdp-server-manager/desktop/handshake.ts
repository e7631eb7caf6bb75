import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Framer } from '#rdp/framer.ts';
import {
  type ConnectionConfirm,
  FailureCode,
  Protocol,
  readConnectionConfirm,
  writeConnectionRequest,
} from '#rdp/pdu/negotiation.ts';
import { DesktopError } from './desktop-error.ts';

export interface HandshakeResult {
  /** Security protocol that the server chose: see Protocol. */
  protocol: number;
  /** SHA-256 of the server's certificate (DER), 64 hex digits. */
  fingerprint: string;
}

/**
 * Greets an RDP server as a client does: negotiation (MS-RDPBCGR 2.2.1.1, 2.2.1.2), then TLS, then leaves. It goes no
 * further on purpose: from the MCS exchange on, some servers would put the person out who is at work there.
 *
 * @param socket a connection to the server, also one still being made; is closed in the end
 * @param timeoutMs for the whole exchange
 * @throws DesktopError saying how far it came
 */
export async function handshake(socket: Socket, timeoutMs: number): Promise<HandshakeResult> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const abort = () => socket.destroy(new Error(`no answer in ${timeoutMs / 1000} s`));
  deadline.addEventListener('abort', abort);
  let stage = 'connecting';
  try {
    if (socket.connecting) await once(socket, 'connect');
    stage = 'RDP negotiation';
    const protocol = await negotiate(socket);
    stage = 'TLS';
    const tls = connectTls({ socket, rejectUnauthorized: false, minVersion: 'TLSv1.2' });
    await once(tls, 'secureConnect');
    const fingerprint = tls.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
    // A proper end, lest the server's log fill with broken connections.
    tls.end();
    await once(tls.resume(), 'close');
    if (fingerprint === undefined) throw new Error('the server shows no certificate');
    return { protocol, fingerprint };
  } catch (error) {
    throw new DesktopError(`${stage}: ${error instanceof Error ? error.message : error}`, { cause: error });
  } finally {
    deadline.removeEventListener('abort', abort);
    socket.on('error', () => {}).destroy();
  }
}

async function negotiate(socket: Socket): Promise<number> {
  const requestedProtocols = Protocol.ssl | Protocol.hybrid;
  const nothing = new Uint8Array();
  socket.write(
    writeConnectionRequest({
      cookie: null,
      routingToken: null,
      negotiation: { flags: 0, requestedProtocols },
      trailing: nothing,
    }),
  );
  const confirm = readConnectionConfirm(await firstFrame(socket));
  if (confirm.kind === 'response') return confirm.selectedProtocol;
  throw new Error(refusal(confirm));
}

function refusal(confirm: Exclude<ConnectionConfirm, { kind: 'response' }>): string {
  if (confirm.kind === 'none') return 'the server offers legacy RDP encryption only, which is not safe';
  const name = Object.entries(FailureCode).find(([, code]) => code === confirm.code)?.[0] ?? 'unknown';
  return `the server refuses, code ${confirm.code} (${name})`;
}

async function firstFrame(socket: Socket): Promise<Uint8Array> {
  const framer = new Framer();
  for (;;) {
    const bytes: Buffer | null = socket.read();
    if (bytes === null) {
      if (socket.readableEnded || socket.destroyed) throw socket.errored ?? new Error('the server hung up');
      await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
      continue;
    }
    framer.push(bytes);
    const frame = framer.next();
    if (frame) return frame.bytes;
  }
}
