import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { clientCapabilities } from '#demo/client-settings.ts';
import { FrameSocket } from '#demo/frame-socket.ts';
import { connectUnixSocket } from '#platform/unix-socket.ts';
import type { DemandActive } from '#rdp/pdu/active.ts';
import { findCapability } from '#rdp/pdu/capability-set.ts';
import { DisconnectReason, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { Protocol } from '#rdp/pdu/negotiation.ts';
import { ClientActivation } from '#rdp/sequence/client-activation.ts';
import { type AttachedServer, ClientConnection } from '#rdp/sequence/client-connection.ts';
import { clientBlocks, clientInfo } from '#rdp/sequence/client-settings.ts';
import { Desktop } from '#services/rdp-server-manager/desktop/desktop.ts';
import type { Backend } from '#services/rdp-server-manager/desktop/options.ts';
import { missingPackages } from '#services/rdp-server-manager/desktop/programs.ts';

const missing = [...new Set([...missingPackages('vnc', true), ...missingPackages('xorg', true)])];
const skip = missing.length > 0 && process.env.CI !== 'true' && `needs the Debian packages ${missing.join(', ')}`;

const CHANNELS = [
  { name: 'cliprdr', options: 0xc0a00000 },
  { name: '', options: 0 },
  { name: 'longname', options: 0x80000000 },
  { name: 'drdynvc', options: 0xc0800000 },
];

/** What was seen of a desktop. */
interface Visit {
  server: AttachedServer;
  demand: DemandActive;
}

/** Connects to a desktop, waits until it has sent a picture, and leaves. */
async function visit(path: string, bitsPerPixel: 16 | 24 | 32): Promise<Visit> {
  const client = new ClientConnection({
    cookie: 'someone',
    routingToken: null,
    protocols: Protocol.ssl,
    blocks: clientBlocks({ width: 1024, height: 768, bitsPerPixel, clientName: 'lucid', channels: CHANNELS }),
    info: clientInfo({ domain: '', userName: 'someone', password: 'something' }),
  });
  const socket = new FrameSocket(connectUnixSocket(path));
  const { promise, resolve, reject } = Promise.withResolvers<Visit>();
  const closed = new Promise<void>((left) => {
    socket.onEnd = (error) => {
      reject(error ?? new Error(`the server left in phase ${client.state.phase}`));
      left();
    };
  });
  socket.onFrame = (frame) => {
    socket.send(client.receive(frame));
    const { state } = client;
    if (state.phase === 'upgrade') socket.connectTls(null).then(() => socket.send(client.secured()), reject);
    if (state.phase === 'demandActive') watch(socket, state.server, state.frame, resolve);
  };
  socket.send(client.start());
  const seen = await promise;
  socket.send([writeDomainPdu({ kind: 'disconnectProviderUltimatum', reason: DisconnectReason.userRequested })]);
  socket.close();
  await closed;
  return seen;
}

function watch(socket: FrameSocket, server: AttachedServer, first: Uint8Array, done: (visit: Visit) => void): void {
  const activation = new ClientActivation(server, (demand) => clientCapabilities(demand, true));
  let picture = 0;
  socket.onFrame = (frame) => {
    const answers = activation.receive(frame);
    socket.send(answers ?? []);
    const { state } = activation;
    if (answers === null && state.phase === 'active') picture += frame.length;
    if (picture > 5_000 && state.phase === 'active') done({ server, demand: state.demand });
  };
  socket.onFrame(first);
}

describe('a client of ours and xrdp', { skip, concurrency: false, timeout: 400_000 }, () => {
  const data = mkdtempSync(join(tmpdir(), 'lucid-client-'));
  chmodSync(data, 0o711);
  for (const backend of ['vnc', 'xorg'] satisfies Backend[]) {
    describe(backend, () => {
      let desktop: Desktop;
      before(async () => {
        const host = { sandbox: 'bubblewrap', uid: 65532, hidden: [] } as const;
        desktop = await Desktop.start(join(data, backend), { backend }, host);
      });
      after(async () => {
        await desktop?.stop();
      });

      for (const depth of [16, 24, 32] as const) {
        test(`connect at ${depth} bits per pixel, open the share and get a picture`, async () => {
          const { server, demand } = await visit(desktop.socketPath, depth);
          assert.equal(server.selectedProtocol, Protocol.ssl);
          assert.deepEqual(
            server.channels.map(({ name }) => name),
            ['cliprdr', 'drdynvc'],
          );
          const bitmap = findCapability(demand.capabilitySets, 'bitmap');
          assert.deepEqual([bitmap?.desktopWidth, bitmap?.desktopHeight], [1024, 768]);
          assert.equal(bitmap?.preferredBitsPerPixel, depth);
        });
      }
    });
  }
  after(() => rmSync(data, { recursive: true, force: true }));
});
