/** Strangers at the gateway's port: whatever they send ends their own connection, and nothing else. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { HeadlessClient } from '#demo/headless-client.ts';
import { Framer } from '#rdp/framer.ts';
import { Protocol, writeConnectionRequest } from '#rdp/pdu/negotiation.ts';
import { ClientConnection } from '#rdp/sequence/client-connection.ts';
import { clientBlocks, clientInfo } from '#rdp/sequence/client-settings.ts';
import { SECRET, startGateway, type TestGateway } from '../support/gateway.ts';
import { OpenRecorder } from '../support/open-recorder.ts';
import { ScriptedServer } from '../support/scripted-server.ts';

const REQUEST = writeConnectionRequest({
  cookie: null,
  routingToken: null,
  negotiation: { flags: 0, requestedProtocols: Protocol.ssl },
  trailing: new Uint8Array(0),
});
const NOTHING = new Uint8Array(0);

describe('hostile clients', { timeout: 400_000 }, () => {
  let desktop: DemoDesktop;
  let gateway: TestGateway;

  before(async () => {
    desktop = await DemoDesktop.start();
    gateway = await startGateway({
      target: { host: '127.0.0.1', port: desktop.port },
      policy: { input: true, clipboard_to_client: true, clipboard_to_server: true },
      records: new OpenRecorder(),
      env: { LUCID_RDP_MAX_HANDSHAKES_PER_ADDRESS: '8' },
    });
  });
  after(async () => {
    await gateway.close();
    await desktop.close();
  });

  const dial = async (): Promise<Socket> => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };

  /** Sends bytes after TLS is up. */
  const dialTls = async (): Promise<Socket> => {
    const socket = await dial();
    socket.write(REQUEST);
    await once(socket, 'readable');
    socket.read();
    const tls = connectTls({ socket, rejectUnauthorized: false });
    tls.on('error', () => {});
    await once(tls, 'secureConnect');
    return tls;
  };

  /** The gateway serves whoever behaves. */
  const serves = async (): Promise<void> => {
    const to = { host: '127.0.0.1', port: gateway.port };
    const client = await HeadlessClient.connect({ to, pin: null, userName: gateway.createTicket(), password: SECRET });
    await client.waitForPad(() => true, 'anything');
    await client.disconnect();
  };

  /** Sends bytes, then waits until the gateway is done with them: it closes, or has nothing to say. */
  const provoke = async (socket: Socket, bytes: Uint8Array): Promise<void> => {
    const closed = once(socket, 'close');
    socket.resume();
    socket.end(bytes);
    await closed;
  };

  test('random bytes, in clear and inside TLS', async () => {
    const random = fc.uint8Array({ maxLength: 400 });
    const header = fc.constantFrom(
      NOTHING,
      REQUEST,
      Uint8Array.of(3, 0),
      Uint8Array.of(3, 0, 0, 40),
      Uint8Array.of(0x47),
    );
    await fc.assert(
      fc.asyncProperty(header, random, async (start, rest) => provoke(await dial(), Buffer.concat([start, rest]))),
      { numRuns: 60 },
    );
    const inside = fc.constantFrom(NOTHING, Uint8Array.of(3, 0, 0, 200, 2, 0xf0, 0x80), Uint8Array.of(0x80, 0x80));
    await fc.assert(
      fc.asyncProperty(inside, random, async (start, rest) => provoke(await dialTls(), Buffer.concat([start, rest]))),
      { numRuns: 25 },
    );
    await serves();
  });

  test('PDUs of the connection phase with bytes changed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(5), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, at, change) => {
        const client = new ClientConnection({
          cookie: null,
          routingToken: null,
          protocols: Protocol.ssl,
          blocks: clientBlocks({ width: 640, height: 480, bitsPerPixel: 16, clientName: 'x', channels: [] }),
          info: clientInfo({ domain: '', userName: 'a', password: 'b' }),
        });
        client.start();
        const socket = await dial();
        let sent = 0;
        const spoil = (frames: Uint8Array[]) =>
          frames.map((frame) => {
            if (sent++ !== which) return frame;
            const spoilt = frame.slice();
            spoilt[at % frame.length] ^= change;
            return spoilt;
          });
        socket.write(Buffer.concat(spoil([REQUEST])));
        const confirm = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => null)]);
        if (confirm === null) return;
        try {
          client.receive(confirm[0] as Uint8Array);
        } catch {
          socket.destroy();
          return;
        }
        const tls = connectTls({ socket, rejectUnauthorized: false });
        tls.on('error', () => {});
        await once(tls, 'secureConnect');
        const framer = new Framer();
        tls.write(Buffer.concat(spoil(client.secured())));
        const over = once(tls, 'close');
        tls.on('data', (bytes: Uint8Array) => {
          framer.push(bytes);
          try {
            for (let frame = framer.next(); frame; frame = framer.next()) {
              for (const answer of spoil(client.receive(frame.bytes))) tls.write(answer);
              // The refusal's desktop is as far as this goes.
              if (client.state.phase === 'demandActive') tls.destroy();
            }
          } catch {
            tls.destroy();
          }
        });
        // A spoilt PDU may leave the gateway waiting for more: that is what its time limits are for.
        const patience = setTimeout(() => tls.destroy(), 300);
        await over;
        clearTimeout(patience);
      }),
      { numRuns: 20 },
    );
    await serves();
  });

  test('malformed PDUs in an open session end it, and are no dropped line', async () => {
    const to = { host: '127.0.0.1', port: gateway.port };
    for (const bytes of [
      Uint8Array.of(0x01, 0x02, 0x03),
      Uint8Array.of(3, 0, 0, 4),
      Uint8Array.of(3, 0, 0, 9, 2, 0xf0, 0x80, 0xff, 0xff),
      Uint8Array.of(3, 0, 0, 20, 2, 0xf0, 0x80, 0x64, 0, 6, 3, 0xeb, 0x70, 0x80, 6, 0x99, 0x99, 0, 0, 0),
    ]) {
      const count = gateway.ended.length;
      const client = await HeadlessClient.connect({
        to,
        pin: null,
        userName: gateway.createTicket(),
        password: SECRET,
      });
      client.sendRaw(bytes);
      await client.waitForEnd();
      await gateway.untilEnded(count + 1);
      const { reason, resumable } = gateway.ended[count];
      assert.match(reason, /the client sent what is not RDP/);
      assert.equal(resumable, false);
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), async (bytes, isShare) => {
        const count = gateway.ended.length;
        const client = await HeadlessClient.connect({
          to,
          pin: null,
          userName: gateway.createTicket(),
          password: SECRET,
        });
        const length = bytes.length + 15;
        const header = [3, 0, length >> 8, length & 255, 2, 0xf0, 0x80, 0x64, 0, 6, 3, 0xeb, 0x70];
        const size = [0x80 | (bytes.length >> 8), bytes.length & 255];
        client.sendRaw(isShare ? Uint8Array.of(...header, ...size, ...bytes) : bytes);
        client.abort();
        await gateway.untilEnded(count + 1);
      }),
      { numRuns: 8 },
    );
    await serves();
  });

  test('silent and slow clients take no more than their places, and not for long', async () => {
    const startedAt = performance.now();
    const idle = await Promise.all(Array.from({ length: 8 }, () => dial()));
    for (const socket of idle) socket.write(Uint8Array.of(3));
    const turnedAway = await dial();
    turnedAway.resume();
    await once(turnedAway, 'close');
    assert.ok(!idle.some((socket) => socket.closed), 'one too many is turned away before the others have to go');
    const drip = setInterval(() => idle[0].write(Uint8Array.of(0)), 3000);
    await Promise.all(
      idle.map((socket) => {
        socket.resume();
        return once(socket, 'close');
      }),
    );
    clearInterval(drip);
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(seconds > 8, `slow clients were cut off after ${seconds} s`);
    await serves();
  });

  test('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    for (const [version, wanted] of [
      ['TLSv1.1', null],
      ['TLSv1.2', 'TLSv1.2'],
      ['TLSv1.3', 'TLSv1.3'],
    ] as const) {
      const socket = await dial();
      socket.write(REQUEST);
      await once(socket, 'readable');
      socket.read();
      const ciphers = 'DEFAULT@SECLEVEL=0';
      const tls = connectTls({ socket, rejectUnauthorized: false, minVersion: version, maxVersion: version, ciphers });
      const failed = once(tls, 'error').then(() => null);
      const found = await Promise.race([once(tls, 'secureConnect').then(() => tls.getProtocol()), failed]);
      assert.equal(found, wanted);
      tls.destroy();
    }
  });

  test('grants one TLS handshake a connection', async () => {
    const socket = await dial();
    socket.write(REQUEST);
    await once(socket, 'readable');
    socket.read();
    const tls = connectTls({ socket, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    await once(tls, 'secureConnect');
    const refused = once(tls, 'error');
    tls.renegotiate({ rejectUnauthorized: false }, () => {});
    assert.match(String((await refused)[0]), /no renegotiation/i);
    tls.destroy();
  });

  test('HTTP there knows its health only', async () => {
    const health = await fetch(`http://127.0.0.1:${gateway.port}/health`);
    assert.equal(health.status, 200);
    const report = (await health.json()) as { service: string; status: string };
    assert.deepEqual([report.service, report.status], ['rdp-xrdp', 'healthy']);
    for (const path of ['/', '/v1/connections', '/metrics', '/health/live']) {
      assert.equal((await fetch(`http://127.0.0.1:${gateway.port}${path}`)).status, 404, path);
    }
    const post = await fetch(`http://127.0.0.1:${gateway.port}/health`, { method: 'POST', body: 'x' });
    assert.equal(post.status, 404);
  });
});

describe('hostile servers', { timeout: 400_000 }, () => {
  let server: ScriptedServer;
  let gateway: TestGateway;

  before(async () => {
    server = await ScriptedServer.start();
    gateway = await startGateway({
      target: { host: '127.0.0.1', port: server.port },
      policy: { input: true, clipboard_to_client: true, drives: true },
      records: new OpenRecorder(),
    });
  });
  after(async () => {
    await gateway.close();
    await server.close();
  });

  /** What a share PDU or channel chunk of a server's may hold. */
  const payload = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 300 }),
    fc
      .tuple(fc.constantFrom(0x11, 0x16, 0x17, 0x1a), fc.uint8Array({ maxLength: 200 }))
      .map(([type, body]) => Uint8Array.of((body.length + 6) & 255, (body.length + 6) >> 8, type, 0, 0xea, 3, ...body)),
  );

  test('what they send ends their session at most', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(payload, fc.boolean()), { minLength: 1, maxLength: 4 }), async (payloads) => {
        const count = gateway.ended.length;
        const client = await HeadlessClient.connect({
          to: { host: '127.0.0.1', port: gateway.port },
          pin: null,
          userName: gateway.createTicket(),
          password: SECRET,
        });
        const [mine] = server.clients.slice(-1);
        for (const [bytes, isRaw] of payloads) {
          if (isRaw) mine.socket.send([bytes]);
          else mine.send(bytes);
        }
        mine.socket.close();
        await gateway.untilEnded(count + 1);
        client.abort();
      }),
      { numRuns: 25 },
    );
    assert.equal((await fetch(`http://127.0.0.1:${gateway.port}/health`)).status, 200);
  });

  test('bytes that are not RDP are told to the person as a lost server', async () => {
    const count = gateway.ended.length;
    const client = await HeadlessClient.connect({
      to: { host: '127.0.0.1', port: gateway.port },
      pin: null,
      userName: gateway.createTicket(),
      password: SECRET,
    });
    server.clients.at(-1)!.socket.send([Uint8Array.of(0x01, 0x02)]);
    await gateway.untilEnded(count + 1);
    assert.match(gateway.ended[count].reason, /^the server sent what is not RDP: frame: starts with 0x1/);
    await client.type('x');
    await client.waitForEnd();
  });
});
