/** A paused session: display, input and recording stand still, and afterwards all is as the desktop is. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { NewRecord } from '#contract/record-transport.ts';
import type { SessionTicket } from '#contract/session-api.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { HeadlessClient, type HeadlessOptions } from '#demo/headless-client.ts';
import { Scancode } from '#demo/keyboard.ts';
import { Scene } from '#demo/scene.ts';
import { ScreenSender } from '#demo/screen-sender.ts';
import { parseIdentityFile } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { RecordType, type SessionRecord } from '#evidence/record.ts';
import { readMarkerBody } from '#evidence/record-body.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import type { BitsPerPixel } from '#rdp/codec/pixel.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { readFastPathOutput } from '#rdp/pdu/fast-path-output.ts';
import { ShareDataType } from '#rdp/pdu/share-data.ts';
import { type Notice, paintNotice } from '#services/rdp-xrdp/notice-picture.ts';
import { pausedNotice } from '#services/rdp-xrdp/session.ts';
import { WAITING } from '#services/rdp-xrdp/waiting-room.ts';
import { eventually } from '../support/eventually.ts';
import { SECRET, startGateway } from '../support/gateway.ts';
import { apiAt, TestLucid } from '../support/lucid.ts';
import { OpenRecorder } from '../support/open-recorder.ts';
import { serverPdu } from '../support/recorded-session.ts';
import { ScriptedServer } from '../support/scripted-server.ts';

const WHY = 'paused by an operator: lunch';
const NOW = new Date('2026-11-20T12:00:00Z');
const SHIFT = { kind: 'scancode', code: Scancode.leftShift, extended: false, extended1: false } as const;

const hashOf = (notice: Notice) => {
  const { pixels } = paintNotice(1024, 640, notice);
  return createHash('sha256').update(pixels).digest('hex');
};

/** What a client sees that has been sent all of the desktop. */
function desktopHash({ model }: DemoDesktop, bitsPerPixel: BitsPerPixel = 32): string {
  const scene = new Scene(1024, 640);
  scene.paint(model.state, NOW);
  const mode = { shareId: 1, ioChannelId: 1003, bitsPerPixel, fastPath: true, noCompressionHeader: true, bulk: null };
  const screen = new ScreenDecoder(1024, 640, bitsPerPixel);
  for (const frame of new ScreenSender(mode).changes(scene.screen, scene.layout.width)) screen.apply(frame);
  return createHash('sha256').update(screen.pixels).digest('hex');
}

describe('a paused session', { timeout: 400_000 }, () => {
  describe('at the gateway', () => {
    let desktop: DemoDesktop;
    const open: { close(): Promise<void> }[] = [];
    after(async () => {
      for (const each of open.reverse()) await each.close();
    });

    async function enter(records: OpenRecorder, options: Partial<HeadlessOptions> = {}, port?: number) {
      desktop = await DemoDesktop.start({ tickMs: 0, now: () => NOW });
      const target = { host: '127.0.0.1', port: port ?? desktop.port, user: '', password: '' };
      const gateway = await startGateway({ records, policy: { input: true }, target });
      open.push(desktop, gateway);
      const to = { host: '127.0.0.1', port: gateway.port };
      const connect = (userName: string) =>
        HeadlessClient.connect({ to, pin: null, userName, password: SECRET, clipboard: false, ...options });
      const post = async (action: 'pause' | 'resume', body = {}) => {
        const { body: list } = await gateway.call('GET', '/v1/connections');
        const [{ id }] = (list as { items: { id: string }[] }).items;
        return gateway.call('POST', `/v1/connections/${id}/${action}`, body);
      };
      return { gateway, connect, pause: () => post('pause', { reason: WHY }), resume: () => post('resume') };
    }

    test('shows words, records nothing, drops what is typed, lets go of keys, and ends equal to the desktop', async () => {
      const records = new OpenRecorder();
      const { gateway, connect, pause, resume } = await enter(records);
      const client = await connect(gateway.createTicket());
      await client.type('before-');
      client.send([{ ...SHIFT, release: false }]);
      await client.waitForPad((text) => text === 'before-', 'what was typed');

      assert.equal((await pause()).status, 200);
      const [{ records: all }] = records.recordings;
      const recorded = all.length;
      assert.equal((await pause()).status, 200, 'again');
      await client.waitForHash(hashOf(pausedNotice(WHY)));
      await client.type('lost');
      client.send([{ ...SHIFT, release: true }]);
      desktop.model.type('meanwhile-');
      // The client asks whether it may close: what it sent before has been read when the answer comes.
      await client.askToLeave();
      assert.equal(desktop.model.state.text, 'before-meanwhile-');
      assert.equal(client.pixelHash(), hashOf(pausedNotice(WHY)));
      assert.equal(all.length, recorded);

      assert.equal((await resume()).status, 200);
      assert.equal((await resume()).status, 200, 'again');
      await client.type('after');
      await client.waitForPad((text) => text === 'before-meanwhile-after', 'all that was typed');
      await client.waitForHash(desktopHash(desktop));
      assert.equal(replayHash(all), client.pixelHash());
      await client.disconnect();
    });

    test('a screen with a palette is left as it is: nothing could bring the palette back', async () => {
      const records = new OpenRecorder();
      const options = { bitsPerPixel: 8 as const };
      const { gateway, connect, pause, resume } = await enter(records, options);
      const client = await connect(gateway.createTicket());
      const before = desktopHash(desktop, 8);
      await client.waitForHash(before);
      await pause();
      desktop.model.type('meanwhile');
      await client.askToLeave();
      assert.equal(client.pixelHash(), before);
      await resume();
      await client.waitForHash(desktopHash(desktop, 8));
      assert.notEqual(client.pixelHash(), before);
      assert.equal(replayHash(records.recordings[0].records), client.pixelHash());
      await client.disconnect();
    });

    test('what a server cannot draw anew is left as it is, and what it sent meanwhile comes afterwards', async () => {
      const square = (number: number) => {
        const { data } = [...readFastPathOutput(serverPdu(number))][0];
        return data;
      };
      const server = await ScriptedServer.start({
        capabilities: (usual) =>
          usual.map((set) =>
            set.kind === 'general' ? { ...set, refreshRectSupport: 0, suppressOutputSupport: 0 } : set,
          ),
        opened: (client) => client.sendData(ShareDataType.update, square(1)),
      });
      open.push(server);
      const records = new OpenRecorder();
      const { gateway, connect, pause, resume } = await enter(records, {}, server.port);
      const client = await connect(gateway.createTicket());
      await client.waitUntil(() => client.decoder.decodedBytes > 0, 'a picture');
      const before = client.pixelHash();
      await pause();
      const [{ received, sendData }] = server.clients;
      sendData(ShareDataType.update, square(2));
      await client.askToLeave();
      assert.equal(client.pixelHash(), before);
      await resume();
      await client.waitUntil(() => client.pixelHash() !== before, 'what came meanwhile');
      assert.equal(replayHash(records.recordings[0].records), client.pixelHash());
      assert.deepEqual(received, [], 'the server is asked for nothing');
      client.abort();
    });

    test('who connects meanwhile waits with words, and gets the desktop when it goes on', async () => {
      const records = new OpenRecorder();
      const { gateway, connect, resume } = await enter(records);
      const ticket = gateway.createTicket();
      gateway.paused.add(ticket);
      const client = await connect(ticket);
      await client.waitForHash(hashOf(WAITING));
      assert.equal(desktop.sessions.length, 0, 'the server is not connected to yet');
      await client.waitUntil(() => client.reconnectCookie !== null, 'the cookie');
      await client.type('lost');
      await client.askToLeave();
      assert.equal(records.recordings[0].records.length, 0);
      await resume();
      desktop.model.type('here');
      await client.waitForHash(desktopHash(desktop));
      await client.type(' again');
      await client.waitForPad((text) => text === 'here again', 'what was typed');
      await client.disconnect();
      await gateway.untilEnded(1);
      assert.equal(gateway.ended[0].reason, 'the client left');
    });

    test('ends while it is paused, by either side', async () => {
      for (const end of ['client', 'line', 'server', 'recorder'] as const) {
        const records = new OpenRecorder();
        const { gateway, connect, pause } = await enter(records);
        const client = await connect(gateway.createTicket());
        await client.waitForPad(() => true, 'anything');
        await pause();
        const recorded = records.recordings[0].records.length;
        if (end === 'client') await client.disconnect();
        if (end === 'line') client.abort();
        if (end === 'server') for (const session of desktop.sessions) session.destroy();
        if (end === 'recorder') records.recordings[0].fail('the disk is full');
        await gateway.untilEnded(1);
        assert.equal(gateway.ended[0].resumable, end === 'line', end);
        assert.equal(records.recordings[0].records.length, recorded, 'nothing is recorded');
        client.abort();
      }
    });

    test('is refused while there is no desktop to freeze', async () => {
      const records = new OpenRecorder();
      records.isPrompt = false;
      const { gateway, connect, pause } = await enter(records);
      const connecting = connect(gateway.createTicket());
      // The Demand Active is recorded, and nothing of it shown: the share cannot open.
      while ((records.recordings[0]?.records.length ?? 0) < 2) await new Promise(setImmediate);
      const { status, body } = await pause();
      assert.deepEqual([status, (body as { error: { code: string } }).error.code], [409, 'conflict']);
      records.isPrompt = true;
      records.recordings[0].acknowledge();
      const client = await connecting;
      assert.equal((await pause()).status, 200);
      client.abort();
    });
  });

  describe('through all of Lucid', () => {
    let lucid: TestLucid;
    let desktop: DemoDesktop;
    before(async () => {
      desktop = await DemoDesktop.start({ tickMs: 0, now: () => NOW });
      lucid = await TestLucid.start();
      const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port, user: 'kiosk' };
      await lucid.api.createServer({ body: { name: 'demo', spec, password: 'any' } });
    });
    after(async () => {
      await lucid?.close();
      await desktop?.close();
    });

    const connect = ({ gateway: { host, port, certificate_sha256: pin }, ticket_id, secret }: SessionTicket) =>
      HeadlessClient.connect({ to: { host, port }, pin, userName: ticket_id, password: secret, clipboard: false });

    test('is marked in both streams, by whom and why, and the recording replays to what was seen', async () => {
      const ticket = await lucid.createSession('demo', { input: true });
      const { id } = ticket.session;
      const params = { id };
      await assert.rejects(lucid.api.pauseSession({ params, body: {} }), { code: 'wrong_state', message: /not begun/ });
      const client = await connect(ticket);
      await client.type('one');
      await client.waitForPad((text) => text === 'one', 'what was typed');
      const shown = JSON.parse(await lucid.lucid('session', 'pause', id, '--reason', 'lunch', '--json'));
      assert.equal(shown.state, 'paused');
      assert.equal((await lucid.api.pauseSession({ params, body: {} })).state, 'paused');
      await client.waitForHash(hashOf(pausedNotice('paused by its owner: lunch')));
      assert.match(await lucid.lucid('session', 'resume', id), /^state +recording, connected$/m);
      await client.type('two');
      await client.waitForPad((text) => text === 'onetwo', 'what was typed after');
      const seen = client.pixelHash();
      await client.disconnect();

      const folder = await lucid.bundleOf(id);
      const words = await lucid.lucid('session', 'show', id);
      assert.match(words, /^recording +\d+ records, \d+ bytes, strict; in \d+ chunks of \d+ bytes$/m);
      assert.match(words, /^quality +\d+ receipts of pixels, 0 gaps, 0 records missing, nothing undecodable$/m);
      const key = (await lucid.lucid('session', 'node-key')).trim();
      const verdict = await lucid.lucid('verify', folder, '--identity', lucid.identityFile, '--node-key', key);
      assert.match(verdict, /^ {2}ok +replay/m);
      const reader = new BundleReader(openBundleSource(folder), identitiesOf(lucid));
      const screen = new ScreenDecoder();
      const told: string[] = [];
      let paused = false;
      for (const { record } of reader.records(['screen', 'input'])) {
        if (record.type === RecordType.marker || record.type === RecordType.inputMarker) {
          const { kind, detail } = readMarkerBody(record.body);
          told.push(`${record.type} ${kind} ${detail}`);
          if (record.type === RecordType.marker) paused = kind === 'pause';
        } else {
          assert.ok(!paused, 'nothing is recorded in between');
          if (record.type !== RecordType.clientPdu) applyScreenRecord(screen, record);
        }
      }
      assert.deepEqual(told.slice(0, 4), [
        '3 pause paused by its owner: lunch',
        '17 pause paused by its owner: lunch',
        '3 resume resumed by its owner',
        '17 resume resumed by its owner',
      ]);
      assert.equal(createHash('sha256').update(screen.pixels).digest('hex'), seen);
      await assert.rejects(lucid.api.pauseSession({ params, body: {} }), {
        code: 'wrong_state',
        message: /it is over/,
      });
      await assert.rejects(lucid.lucid('session', 'end', id), /is completed already/);
    });

    test('outlives a lost line: who comes back waits, and goes on once it is resumed', async () => {
      const ticket = await lucid.createSession('demo', { input: true });
      const params = { id: ticket.session.id };
      desktop.model.state.text = '';
      const first = await connect(ticket);
      await first.type('before');
      await first.waitForPad((text) => text === 'before', 'what was typed');
      await lucid.api.pauseSession({ params, body: { reason: 'a fire drill' } });
      first.abort();
      await eventually('the line to be missed', async () => !(await lucid.api.getSession({ params })).connected);
      const second = await connect(await lucid.api.createTicket({ params, body: {} }));
      await second.waitForHash(hashOf(WAITING));
      assert.equal((await lucid.api.getSession({ params })).state, 'paused');
      await lucid.api.resumeSession({ params, body: {} });
      await second.waitForPad((text) => text === 'before', 'what the desktop shows');
      await second.type(' after');
      await second.waitForPad((text) => text === 'before after', 'what was typed after');
      await second.disconnect();
      await lucid.until(params.id, 'completed');
      const { items } = await lucid.api.getSessionHistory({ params: params });
      assert.deepEqual(
        items.slice(2, 6).map(({ event }) => event),
        ['pause', 'disconnected', 'connected', 'resume'],
      );
    });

    test('is ended while it is paused, with words, and its recording is whole', async () => {
      const ticket = await lucid.createSession('demo', { input: true });
      const params = { id: ticket.session.id };
      const client = await connect(ticket);
      await client.waitForPad(() => true, 'the desktop');
      await lucid.api.pauseSession({ params, body: {} });
      await lucid.api.stopSession({ params, body: { reason: 'enough' } });
      await client.waitForHash(hashOf({ title: 'The session is over', text: 'Ended by its owner: enough.' }));
      client.abort();
      await lucid.until(params.id, 'completed');
      const folder = await lucid.bundleOf(params.id);
      const key = (await lucid.lucid('session', 'node-key')).trim();
      await lucid.lucid('verify', folder, '--identity', lucid.identityFile, '--node-key', key);
    });

    test('is for operators and admins', async () => {
      const { id } = await lucid.api.createUser({
        body: { name: 'walter', role: 'user', password: 'a password for tests' },
      });
      const base = `http://127.0.0.1:${lucid.running.ports['session-api']}`;
      const { token } = await apiAt(base).logIn({ body: { name: 'walter', password: 'a password for tests' } });
      const walter = apiAt(base, token);
      const { session } = await walter.createSession({ body: { server: 'demo' } });
      assert.equal(session.user_id, id);
      await assert.rejects(walter.pauseSession({ params: { id: session.id }, body: {} }), { code: 'forbidden' });
    });
  });
});

const identitiesOf = ({ identityFile }: TestLucid) => parseIdentityFile(readFileSync(identityFile, 'utf8'));

function replayHash(records: NewRecord[]): string {
  const screen = new ScreenDecoder();
  for (const [seq, { type, timeUs, body }] of records.entries()) {
    if (type === RecordType.config || type === RecordType.serverPdu) {
      applyScreenRecord(screen, { type, flags: 0, time: timeUs, seq, body } as SessionRecord);
    }
  }
  return createHash('sha256').update(screen.pixels).digest('hex');
}
