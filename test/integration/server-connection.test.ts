import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createSecureContext, type SecureContext } from 'node:tls';
import { FrameSocket } from '#demo/frame-socket.ts';
import { createSelfSigned } from '#platform/pki.ts';
import { findCapability } from '#rdp/pdu/capability-set.ts';
import { ErrorInfo, writeSetErrorInfo } from '#rdp/pdu/error-info.ts';
import { wantedBitsPerPixel } from '#rdp/pdu/gcc-client-core.ts';
import { DisconnectReason, SERVER_USER_ID, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { Protocol } from '#rdp/pdu/negotiation.ts';
import { ShareDataType, writeShareData } from '#rdp/pdu/share-data.ts';
import { ServerActivation } from '#rdp/sequence/server-activation.ts';
import { type ClientDescription, ServerConnection } from '#rdp/sequence/server-connection.ts';
import { serverCapabilities } from '#rdp/sequence/server-settings.ts';
import { FreeRdp } from '../support/freerdp.ts';
import { needs } from '../support/needs.ts';

const skip = needs('xfreerdp', 'Xvfb');

const SHARE_ID = 0x000103ea;

/** What was seen of one client. */
interface Visit {
  client: ClientDescription;
  confirmedDepth: number | undefined;
}

/** Serves one client up to an open share, then sends it away with a reason. */
function serve(socket: FrameSocket, tls: SecureContext): Promise<Visit> {
  const server = new ServerConnection({ protocols: Protocol.ssl, responseFlags: 0 });
  const visit = Promise.withResolvers<Visit>();
  socket.onEnd = (error) => visit.reject(error ?? new Error(`the client left in phase ${server.state.phase}`));
  socket.onFrame = (frame) => {
    socket.send(server.receive(frame));
    if (server.state.phase === 'upgrade') {
      server.secured();
      socket.acceptTls(tls).catch(visit.reject);
    }
    if (server.state.phase === 'admission') {
      const { client } = server.state;
      socket.send(server.admit());
      open(socket, client, visit.resolve);
    }
  };
  return visit.promise;
}

function open(socket: FrameSocket, client: ClientDescription, done: (visit: Visit) => void): void {
  const { core } = client.blocks;
  const capabilitySets = serverCapabilities(core.desktopWidth, core.desktopHeight, wantedBitsPerPixel(core));
  const activation = new ServerActivation(client, { shareId: SHARE_ID, capabilitySets });
  socket.send(activation.start());
  socket.onFrame = (frame) => {
    socket.send(activation.receive(frame) ?? []);
    if (activation.state.phase !== 'active') return;
    socket.onFrame = () => {};
    const why = writeSetErrorInfo(ErrorInfo.serverDeniedConnection);
    const payload = writeShareData(SHARE_ID, SERVER_USER_ID, ShareDataType.setErrorInfo, why);
    const { ioChannelId: channelId } = client;
    socket.send([
      writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId, payload }),
      writeDomainPdu({ kind: 'disconnectProviderUltimatum', reason: DisconnectReason.providerInitiated }),
    ]);
    socket.close();
    const bitmap = findCapability(activation.state.confirm.capabilitySets, 'bitmap');
    done({ client, confirmedDepth: bitmap?.preferredBitsPerPixel });
  };
}

describe('FreeRDP and a server of ours', { skip, concurrency: false, timeout: 400_000 }, () => {
  let listener: Server;
  let tls: SecureContext;
  before(async () => {
    tls = createSecureContext(await createSelfSigned('localhost'));
    listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
  });
  after(() => listener?.close());

  async function visit(args: string[]): Promise<Visit & { output: string }> {
    const { port } = listener.address() as AddressInfo;
    const account = { user: 'alice', password: 'p\u00e4ssword' };
    const arrival = once(listener, 'connection', { signal: AbortSignal.timeout(10_000) });
    const client = await FreeRdp.start({ port, width: 800, height: 600, ...account, args });
    try {
      const [socket] = await arrival;
      const seen = await serve(new FrameSocket(socket), tls);
      await client.ended();
      return { ...seen, output: client.output };
    } finally {
      await client.close();
    }
  }

  for (const depth of [16, 24, 32]) {
    test(`it connects at ${depth} bits per pixel, opens the share and is told why it must go`, async () => {
      const { client, output, confirmedDepth } = await visit([`/bpp:${depth}`, '+clipboard']);
      assert.equal(client.request.cookie, 'alice');
      assert.deepEqual([client.info.userName, client.info.password], ['alice', 'p\u00e4ssword']);
      assert.deepEqual([client.blocks.core.desktopWidth, client.blocks.core.desktopHeight], [800, 600]);
      assert.equal(client.blocks.core.tail.serverSelectedProtocol, Protocol.ssl);
      assert.ok(client.channels.some(({ name }) => name === 'cliprdr'));
      assert.equal(confirmedDepth, depth);
      assert.match(output, /ERRINFO_SERVER_DENIED_CONNECTION/);
    });
  }

  test('a routing token comes through', async () => {
    const { client } = await visit(['/load-balance-info:Cookie: msts=ticket.42']);
    assert.equal(client.request.routingToken, 'Cookie: msts=ticket.42');
    assert.equal(client.request.cookie, null);
  });
});
