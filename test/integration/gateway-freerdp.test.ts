/** FreeRDP through the gateway to a real xrdp desktop: what a person with a stock client gets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Desktop } from '#services/rdp-server-manager/desktop/desktop.ts';
import { Display } from '../support/display.ts';
import { eventually } from '../support/eventually.ts';
import { FreeRdp } from '../support/freerdp.ts';
import { SECRET, startGateway, type TestGateway } from '../support/gateway.ts';
import { needs } from '../support/needs.ts';
import { OpenRecorder } from '../support/open-recorder.ts';
import { difference } from '../support/pixels.ts';

const SIZE = { width: 1024, height: 768 };

/** A line that a test can cut, as networks do. */
async function startLine(port: number): Promise<{ port: number; cut(): void; close(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const target = connect(port, '127.0.0.1');
    for (const each of [socket, target]) {
      sockets.add(each);
      each.on('error', () => each.destroy());
      each.on('close', () => {
        sockets.delete(each);
        socket.destroy();
        target.destroy();
      });
    }
    socket.pipe(target).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close() {
      cut();
      server.close();
    },
  };
}

describe('FreeRDP through the gateway', {
  skip: needs('bwrap', 'xrdp', 'Xvnc', 'xfreerdp', 'Xvfb', 'xwd', 'xdotool'),
  timeout: 400_000,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'lucid-gateway-freerdp-'));
  let desktop: Desktop;
  let screen: Display;
  let gateway: TestGateway;

  before(async () => {
    chmodSync(folder, 0o755);
    const host = { sandbox: 'bubblewrap', uid: 65532, hidden: [] } as const;
    desktop = await Desktop.start(join(folder, 'desktop'), { ...SIZE, exposeDisplay: true }, host);
    screen = Display.ofSocket(desktop.displaySocket);
    gateway = await startGateway({
      target: { socket_path: desktop.socketPath, user: 'someone', password: 'something' },
      policy: { input: true },
      records: new OpenRecorder(),
    });
  });
  after(async () => {
    await gateway.close();
    await screen.close();
    await desktop.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (args: string[], credentials: { user: string; password: string }, port = gateway.port) =>
    FreeRdp.start({ port, ...SIZE, ...credentials, args });

  /** Waits until the client shows what the desktop holds. */
  async function showsTheDesktop(client: FreeRdp): Promise<void> {
    await eventually('the same picture on both sides', async () => {
      const there = await screen.quietScreenshot();
      const here = await client.display.screenshot();
      return there.width === here.width && there.height === here.height && difference(there, here) === null;
    });
  }

  test('a ticket in the routing token, its secret as user name: every pixel is the desktop’s', async () => {
    const routing = `/load-balance-info:Cookie: msts=${gateway.createTicket()}`;
    const client = await start([routing, '/bpp:32'], { user: SECRET, password: '' });
    await client.connected();
    await client.click(512, 384);
    await client.type('echo through the gateway');
    await client.key('Return');
    await client.display.act('mousemove', 5, 5);
    await showsTheDesktop(client);
    await client.close();
    await gateway.untilEnded(1);
  });

  test('/auto-reconnect comes back to the same session when the line drops', async () => {
    const line = await startLine(gateway.port);
    const ticket = gateway.createTicket();
    const client = await start(
      ['/auto-reconnect', '/auto-reconnect-max-retries:5'],
      { user: ticket, password: SECRET },
      line.port,
    );
    await client.connected();
    await showsTheDesktop(client);
    const count = gateway.ended.length;
    line.cut();
    await gateway.untilEnded(count + 1);
    assert.deepEqual([gateway.ended[count].session, gateway.ended[count].resumable], [ticket, true]);
    await eventually('the return of FreeRDP', () => gateway.readmitted.length > 0);
    assert.deepEqual(gateway.readmitted, [ticket]);
    await client.type('echo back again');
    await client.key('Return');
    await client.display.act('mousemove', 6, 6);
    await showsTheDesktop(client);
    await client.close();
    line.close();
  });

  test('a client that is refused shows why, and ends at a key', async () => {
    const client = await start([], { user: 'nobody', password: 'nothing' });
    await client.connected();
    const picture = await client.display.quietScreenshot();
    assert.deepEqual([...picture.pixels.subarray(0, 3)], [0x1f, 0x2a, 0x36]);
    await client.key('Return');
    await client.ended();
    assert.match(client.output, /ERRINFO_SERVER_DENIED_CONNECTION/);
    await client.close();
  });
});
