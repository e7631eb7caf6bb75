/** What goes wrong between a person, the gateway and a server: each is told in words, and no recording is lost. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '#contract/rdp-server-manager.ts';
import type { SessionTicket } from '#contract/session-api.ts';
import { Desktop } from '#services/rdp-server-manager/desktop/desktop.ts';
import { type Notice, paintNotice } from '#services/rdp-xrdp/notice-picture.ts';
import { sentence } from '#services/rdp-xrdp/refusal.ts';
import { pausedNotice } from '#services/rdp-xrdp/session.ts';
import type { Display } from '../support/display.ts';
import { eventually } from '../support/eventually.ts';
import { forwardTcp } from '../support/forwarder.ts';
import { FreeRdp, type FreeRdpOptions } from '../support/freerdp.ts';
import { TestLucid } from '../support/lucid.ts';
import { needs } from '../support/needs.ts';
import { type Moment, PICTURES, quietMoment } from '../support/person.ts';
import { assertSamePixels, difference } from '../support/pixels.ts';
import { Replay } from '../support/replay.ts';

const skip = needs('bwrap', 'xrdp', 'Xvnc', 'openbox', 'xterm', 'xfreerdp', 'Xvfb', 'xdotool', 'xwd', 'xwininfo');
const WIDTH = 800;
const HEIGHT = 600;
type Login = Pick<FreeRdpOptions, 'user' | 'password' | 'rdpFile'>;
const NOT_ACCEPTED = 'The ticket was not accepted';

describe('sessions of FreeRDP on xrdp', { skip, concurrency: false }, () => {
  let lucid: TestLucid;
  let server: Server;
  let desktop: Display;
  const open: { close(): unknown }[] = [];
  before(async () => {
    lucid = await TestLucid.start({ LUCID_LOCKOUT_ATTEMPTS: '1000' });
    server = await lucid.createDesktop('main');
    desktop = lucid.displayOf(server.id);
    await desktop.findWindow('xterm');
  });
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });
  after(async () => {
    await desktop?.close();
    await lucid?.close();
  });

  const session = (name = 'main', seconds?: number) => lucid.createSession(name, { input: true }, seconds);
  const loginOf = ({ ticket_id, secret }: SessionTicket) => ({ user: ticket_id, password: secret });

  async function start(login: Login, options: Partial<FreeRdpOptions> = {}): Promise<FreeRdp> {
    const port = lucid.running.rdpPort;
    const client = await FreeRdp.start({ port, width: WIDTH, height: HEIGHT, ...login, ...options });
    open.push(client);
    return client;
  }

  /** A client that is in, and the moment at which it first saw all of the desktop. */
  async function enter(login: Login, options: Partial<FreeRdpOptions> = {}) {
    const client = await start(login, options);
    await client.connected();
    return { client, moment: await quietMoment('entered', client, desktop, 'vnc', 32) };
  }

  /** Waits until the client shows just these words. */
  async function told(client: FreeRdp, notice: Notice): Promise<void> {
    const expected = paintNotice(WIDTH, HEIGHT, notice);
    const isShown = async () => difference(await client.screenshot(), expected) === null;
    await eventually('the notice', isShown).catch(async () => {
      assertSamePixels(await client.screenshot(), expected, join(PICTURES, 'notice'));
    });
  }

  /** Waits until the client shows just these words, then goes on as a person would. */
  async function dismiss(client: FreeRdp, notice: Notice): Promise<void> {
    await client.connected();
    await told(client, notice);
    await client.key('Return');
    await client.ended();
  }

  /** Requires the bundle to replay to what was seen at each moment. */
  async function requireReplay(sessionId: string, moments: Moment[]): Promise<Replay> {
    const replay = new Replay(await lucid.bundleOf(sessionId), lucid.identityFile);
    const { pictures, undecodableBytes } = replay.screensAt(moments.map(({ time }) => time));
    assert.equal(undecodableBytes, 0);
    for (const [i, { expected, name }] of moments.entries()) {
      assertSamePixels(pictures[i], expected, join(PICTURES, `${name}-${i}-replayed`));
    }
    return replay;
  }

  test('the .rdp file works as it is', async () => {
    const ticket = await session();
    const rdpFile = join(lucid.folder, 'main.rdp');
    writeFileSync(rdpFile, ticket.rdp_file);
    const { moment } = await enter({ rdpFile });
    await requireReplay(ticket.session.id, [moment]);
  });

  test('a wrong secret is refused', async () => {
    const ticket = await session();
    const text = 'This ticket is not valid. Ask for a new one and connect with that.';
    await dismiss(await start({ user: ticket.ticket_id, password: 'wrong' }), { title: NOT_ACCEPTED, text });
    const { state } = await lucid.api.getSession({ params: { id: ticket.session.id } });
    assert.equal(state, 'created');
  });

  test('an expired ticket is refused', async () => {
    const ticket = await session('main', 5);
    await sleep(Date.parse(ticket.expires_at) - Date.now() + 100);
    const text = 'This ticket has expired. Ask for a new one and connect before it expires.';
    await dismiss(await start(loginOf(ticket)), { title: NOT_ACCEPTED, text });
  });

  test('a ticket used before is refused, and the one who used it stays', async () => {
    const ticket = await session();
    const { client, moment } = await enter(loginOf(ticket));
    const text = 'This ticket was used before; each admits once. Ask for a new one.';
    await dismiss(await start(loginOf(ticket)), { title: NOT_ACCEPTED, text });
    await client.type('still here');
    const later = await quietMoment('later', client, desktop, 'vnc', 32);
    await requireReplay(ticket.session.id, [moment, later]);
  });

  test('a server that is down is told', async () => {
    const { id } = await lucid.createDesktop('down');
    const ticket = await session('down');
    await lucid.api.stopServer({ params: { id } });
    const notice = { title: 'The server is not available', text: 'Server down is stopped.' };
    await dismiss(await start(loginOf(ticket)), notice);
  });

  test('a server in maintenance admits nobody, and whoever is there stays', async () => {
    const params = { id: server.id };
    const { client } = await enter(loginOf(await session()));
    const late = await session();
    assert.equal((await lucid.api.updateServer({ params, body: { maintenance: true } })).state, 'maintenance');
    const notice = { title: 'The server is not available', text: 'Server main is in maintenance.' };
    await dismiss(await start(loginOf(late)), notice);
    await client.type('undisturbed');
    await quietMoment('undisturbed', client, desktop, 'vnc', 32);
    assert.equal((await lucid.api.updateServer({ params, body: { maintenance: false } })).state, 'running');
  });

  test('a server that dies ends the session with words, and the recording is whole', async () => {
    const { id } = await lucid.createDesktop('dying');
    const other = lucid.displayOf(id);
    open.push(other);
    const ticket = await session('dying');
    const client = await start(loginOf(ticket));
    await client.connected();
    const moment = await quietMoment('dying', client, other, 'vnc', 32);
    const folder = join(lucid.folder, 'data', 'rdp-server-manager', 'desktops', id);
    process.kill(Desktop.adopt(folder)!.pid, 'SIGKILL');
    const { reason } = await lucid.until(ticket.session.id, 'completed');
    assert.match(reason!, /^the server dropped the line/);
    await dismiss(client, { title: 'The connection to the server is lost', text: sentence(reason!) });
    await requireReplay(ticket.session.id, [moment]);
  });

  test('a line cut in the middle of a PDU: the session waits, and goes on with a new ticket and another size', async () => {
    const line = await forwardTcp(lucid.running.rdpPort);
    open.push(line);
    const ticket = await session();
    const { id } = ticket.session;
    const first = await enter(loginOf(ticket), { port: line.port });
    line.cut();
    await first.client.key('a');
    await first.client.ended();
    await eventually('the end of the connection', async () => {
      return !(await lucid.api.getSession({ params: { id } })).connected;
    });
    const waiting = await lucid.api.getSession({ params: { id } });
    assert.equal(waiting.state, 'recording');
    assert.ok(waiting.resumable_until);

    const again = await lucid.api.createTicket({ params: { id }, body: {} });
    const second = await enter(loginOf(again), { width: 1000, height: 700 });
    await second.client.type('back again');
    const later = await quietMoment('back', second.client, desktop, 'vnc', 32);
    assert.equal(later.expected.width, 1000);
    const replay = await requireReplay(id, [first.moment, second.moment, later]);
    const kinds = replay.markers().map(({ kind }) => kind);
    assert.deepEqual(
      ['disconnected', 'reconnected'].filter((kind) => !kinds.includes(kind as never)),
      [],
      kinds.join(),
    );
  });

  test('a line that drops: FreeRDP comes back by itself, by the cookie that the gateway gave it', async () => {
    const line = await forwardTcp(lucid.running.rdpPort);
    open.push(line);
    const ticket = await session();
    const { client, moment } = await enter(loginOf(ticket), { port: line.port, args: ['+auto-reconnect'] });
    line.cut();
    await client.key('b');
    await eventually('the return of FreeRDP', () => line.connections >= 2);
    await quietMoment('came-back', client, desktop, 'vnc', 32);
    await client.type('by itself');
    const later = await quietMoment('by-itself', client, desktop, 'vnc', 32);
    const replay = await requireReplay(ticket.session.id, [moment, later]);
    assert.ok(replay.markers().some(({ kind }) => kind === 'reconnected'));
  });

  test('a desktop that changes its size takes the client and the recording along', async () => {
    const ticket = await session();
    const { client, moment } = await enter(loginOf(ticket), { width: 1024, height: 768 });
    await desktop.resize(640, 480);
    const smaller = await quietMoment('smaller', client, desktop, 'vnc', 32);
    assert.equal(smaller.expected.width, 640);
    await client.type('small');
    const typed = await quietMoment('small-typed', client, desktop, 'vnc', 32);
    await requireReplay(ticket.session.id, [moment, smaller, typed]);
  });

  test('a pause freezes display and input, and afterwards desktop, client and recording are equal', async () => {
    const ticket = await session();
    const params = { id: ticket.session.id };
    const { client, moment } = await enter(loginOf(ticket));
    const { left, top } = await desktop.findWindow('xterm');
    await client.click(left + 50, top + 50);
    // A new line: the window goes beyond the screen, and what others have typed fills the one that is seen
    await client.key('Return');
    await client.type('before');
    const before = await quietMoment('before-pause', client, desktop, 'vnc', 32);
    await lucid.api.pauseSession({ params, body: { reason: 'lunch' } });
    await told(client, pausedNotice('paused by its owner: lunch'));
    await client.type('dropped');
    assert.equal(difference(await desktop.quietScreenshot(), before.expected), null, 'nothing that was typed arrived');
    await desktop.act('type', '--delay', 20, 'meanwhile');
    const changed = await eventually('what was typed meanwhile', async () => {
      const picture = await desktop.quietScreenshot();
      return difference(picture, before.expected) && picture;
    });
    await lucid.api.resumeSession({ params, body: {} });
    const resumed = await quietMoment('resumed', client, desktop, 'vnc', 32);
    assertSamePixels(resumed.expected, changed, join(PICTURES, 'resumed'));
    await client.type('after');
    const after = await quietMoment('after-pause', client, desktop, 'vnc', 32);
    const replay = await requireReplay(params.id, [moment, before, resumed, after]);
    const kinds = replay.markers().map(({ kind }) => kind);
    assert.deepEqual(kinds.slice(kinds.indexOf('pause'), kinds.indexOf('pause') + 2), ['pause', 'resume']);
  });

  test('two people on two servers at once', async () => {
    const names = ['left', 'right'];
    const people = await Promise.all(
      names.map(async (name) => {
        const { id } = await lucid.createDesktop(name);
        const display = lucid.displayOf(id);
        open.push(display);
        const ticket = await session(name);
        const client = await start(loginOf(ticket));
        await client.connected();
        const { left, top } = await display.findWindow('xterm');
        await client.click(left + 50, top + 50);
        await client.type(`this is ${name}`);
        return { id: ticket.session.id, moment: await quietMoment(name, client, display, 'vnc', 32) };
      }),
    );
    assert.ok(difference(people[0].moment.expected, people[1].moment.expected));
    for (const { id, moment } of people) await requireReplay(id, [moment]);
  });
});
