/** The gateway between a client and a desktop of our own: what passes, what is recorded, how it ends. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NewRecord, UNACKNOWLEDGED_LIMIT_BYTES } from '#contract/record-transport.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { HeadlessClient, type HeadlessOptions } from '#demo/headless-client.ts';
import { RecordType } from '#evidence/record.ts';
import { readChannelBody, readConfigBody, readMarkerBody } from '#evidence/record-body.ts';
import { newId } from '#platform/id.ts';
import { ErrorInfo, writeSetErrorInfo } from '#rdp/pdu/error-info.ts';
import { FastPathUpdateCode, Fragmentation, writeFastPathOutput } from '#rdp/pdu/fast-path-output.ts';
import { readDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { writeSuppressOutput } from '#rdp/pdu/output-control.ts';
import { writeSaveSessionInfo } from '#rdp/pdu/save-session-info.ts';
import { readShareControls } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType, writeShareData } from '#rdp/pdu/share-data.ts';
import { forwardTcp } from '../support/forwarder.ts';
import { type GatewayOptions, SECRET, startGateway, type TestGateway } from '../support/gateway.ts';
import { OpenRecorder } from '../support/open-recorder.ts';
import { startRedirector } from '../support/redirector.ts';
import { ScriptedServer } from '../support/scripted-server.ts';

const PASSWORD = 'the-password-of-the-server';
const CREDENTIALS = { userName: 'kiosk', password: PASSWORD };
const EVERYTHING = { input: true, clipboard_to_client: true, clipboard_to_server: true };

/** Stands for bytes in comparisons, whose failures are then readable. */
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
const ofType = (records: NewRecord[], type: number) => records.filter((record) => record.type === type);

/** Whether a frame is the gateway's own cookie, which is shown and not recorded. */
function isCookie(frame: Uint8Array): boolean {
  if (frame[0] !== 3) return false;
  const pdu = readDomainPdu(frame);
  if (pdu.kind !== 'sendDataIndication' || pdu.channelId !== 1003) return false;
  const [share] = readShareControls(pdu.payload);
  if (share.type !== 7) return false;
  const data = readShareData(share.body);
  return data.type === ShareDataType.saveSessionInfo && data.body[0] === 3;
}

describe('gateway', { concurrency: 3, timeout: 300_000 }, () => {
  let desktop: DemoDesktop;
  const open: { close(): Promise<void> }[] = [];

  before(async () => {
    desktop = await DemoDesktop.start({ credentials: CREDENTIALS });
  });
  after(async () => {
    for (const each of open) await each.close();
    await desktop.close();
  });

  async function start(options: Partial<GatewayOptions> & { records: OpenRecorder }): Promise<TestGateway> {
    const target = {
      host: '127.0.0.1',
      port: desktop.port,
      user: CREDENTIALS.userName,
      password: PASSWORD,
      certificate_sha256: desktop.fingerprint,
      ...options.target,
    };
    const gateway = await startGateway({ policy: EVERYTHING, ...options, target });
    open.push(gateway);
    return gateway;
  }

  const connect = (gateway: TestGateway, options: Partial<HeadlessOptions> = {}) =>
    HeadlessClient.connect({
      to: { host: '127.0.0.1', port: gateway.port },
      pin: null,
      userName: gateway.createTicket(),
      password: SECRET,
      ...options,
    });

  test('passes a session on, and records exactly what it shows', async () => {
    const own = await DemoDesktop.start({ credentials: CREDENTIALS });
    open.push(own);
    const records = new OpenRecorder();
    const gateway = await start({ records, target: { port: own.port, certificate_sha256: own.fingerprint } });
    const client = await connect(gateway);
    await client.type('words that pass');
    await client.waitForPad((text) => text.includes('words that pass'), 'what was typed');
    assert.equal(client.loggedOnAs, '', 'the identity at the server is not shown');
    assert.notEqual(client.reconnectCookie, null);
    await client.disconnect();
    await gateway.untilEnded(1);
    assert.deepEqual(
      gateway.ended.map(({ resumable, reason }) => ({ resumable, reason })),
      [{ resumable: false, reason: 'the client left' }],
    );

    const [recording] = records.recordings;
    assert.ok(recording.closed);
    assert.equal(recording.records[0].type, RecordType.config);
    const config = readConfigBody(recording.records[0].body);
    assert.deepEqual([config.width, config.height, config.depth, config.profile], [1024, 640, 32, 'bitmaps']);
    assert.equal(config.session, recording.sessionId);

    // What was sent on channels is recorded as channel data, so only the frames of the screen are compared.
    const screen = ofType(recording.records, RecordType.serverPdu).map(({ body }) => digest(body));
    const clipboardChannel = 1004;
    const shown = client.shown.filter((frame) => {
      if (isCookie(frame)) return false;
      const pdu = frame[0] === 3 ? readDomainPdu(frame) : null;
      return !(pdu?.kind === 'sendDataIndication' && pdu.channelId === clipboardChannel);
    });
    assert.deepEqual(shown.map(digest), screen.slice(0, shown.length));
    assert.ok(ofType(recording.records, RecordType.clientPdu).length >= 'words that pass'.length);
    const all = Buffer.concat(recording.records.map(({ body }) => body));
    for (const secret of [PASSWORD, SECRET]) {
      assert.ok(!all.includes(secret) && !all.includes(Buffer.from(secret, 'utf16le')), 'no secret is recorded');
    }
    const times = recording.records.map(({ timeUs }) => timeUs);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  });

  test('shows nothing that is not acknowledged', async () => {
    const records = new OpenRecorder();
    records.isPrompt = false;
    const gateway = await start({ records });
    const connecting = connect(gateway);
    while (records.recordings.length === 0 || records.recordings[0].records.length < 2) await tick();
    const [recording] = records.recordings;
    await exchange(gateway);
    assert.equal(ofType(recording.records, RecordType.serverPdu).length, 1, 'the Demand Active alone waits');
    recording.acknowledge();
    const pump = setInterval(() => recording.acknowledge(), 5);
    const client = await connecting;
    await client.waitForPad(() => true, 'anything');
    clearInterval(pump);

    // From here on nothing is acknowledged: the desktop's clock goes on, the client's stands still.
    recording.acknowledge();
    const recorded = recording.records.length;
    await exchange(gateway);
    const before = { frames: client.frames, bytes: client.shownBytes };
    while (ofType(recording.records.slice(recorded), RecordType.serverPdu).length < 5) await tick();
    await exchange(gateway);
    assert.deepEqual({ frames: client.frames, bytes: client.shownBytes }, before);
    const waiting = ofType(recording.records.slice(recorded), RecordType.serverPdu).map(({ body }) => digest(body));
    recording.acknowledge();
    await client.waitUntil(() => client.frames >= before.frames + waiting.length, 'what was held back');
    const shown = client.shown.slice(before.frames, before.frames + waiting.length).map(digest);
    assert.deepEqual(shown, waiting);
    records.isPrompt = true;
    recording.acknowledge();
    await client.disconnect();
  });

  test('ends a session whose recorder has not answered for five seconds', async () => {
    const records = new OpenRecorder();
    const gateway = await start({ records });
    const client = await connect(gateway);
    await client.waitForPad(() => true, 'anything');
    records.isPrompt = false;
    const stoppedAt = performance.now();
    await gateway.untilEnded(1);
    const seconds = (performance.now() - stoppedAt) / 1000;
    assert.ok(seconds > 4, `${seconds} s`);
    assert.match(gateway.ended[0].reason, /the recorder has not answered for 5 s/);
    assert.equal(gateway.ended[0].resumable, false);
    await dismissNotice(client, ErrorInfo.disconnectedByAdministrator);
  });

  test('ends a session whose recorder fails, with words', async () => {
    const records = new OpenRecorder();
    const gateway = await start({ records });
    const client = await connect(gateway);
    await client.waitForPad(() => true, 'anything');
    records.isPrompt = false;
    records.recordings[0].fail('the disk is full');
    await gateway.untilEnded(1);
    assert.equal(gateway.ended[0].reason, 'recording failed: the disk is full');
    await dismissNotice(client, ErrorInfo.disconnectedByAdministrator);
  });

  test('swallows input that the policy denies', async () => {
    const records = new OpenRecorder();
    const own = await DemoDesktop.start({ credentials: CREDENTIALS });
    open.push(own);
    const gateway = await start({
      records,
      policy: {},
      target: { port: own.port, certificate_sha256: own.fingerprint },
    });
    const client = await connect(gateway);
    await client.type('nothing of this arrives');
    client.click({ x: 100, y: 100 });
    await exchange(gateway);
    assert.equal(own.model.state.text, '');
    assert.equal(ofType(records.recordings[0].records, RecordType.clientPdu).length, 0);
    await client.disconnect();
  });

  test('lets the clipboard pass in the directions that the policy allows', async () => {
    for (const [toServer, toClient] of [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ]) {
      const records = new OpenRecorder();
      const own = await DemoDesktop.start({ credentials: CREDENTIALS, tickMs: 0 });
      open.push(own);
      const policy = { input: true, clipboard_to_server: toServer, clipboard_to_client: toClient };
      const gateway = await start({ records, policy, target: { port: own.port, certificate_sha256: own.fingerprint } });
      const client = await connect(gateway);
      client.copy('from here');
      if (toServer) {
        await client.waitUntil(() => own.model.state.note.includes('text from the client'), 'the offer', 5000);
        client.pressControl('v');
        await client.waitForPad((text) => text.includes('from here'), 'what was pasted');
      }
      await client.type('typed there');
      client.pressControl('c');
      await client.waitForPad((text) => text.includes('typed there'), 'what was typed');
      if (toClient) {
        await client.waitForClipboard();
        assert.match((await client.paste()) ?? '', /typed there/);
      } else if (toServer) {
        assert.equal(await client.paste(), null);
      }
      const [session] = own.sessions;
      const asked = session.client?.channels.map(({ name }) => name);
      assert.deepEqual(asked, toServer || toClient ? ['cliprdr'] : [], 'a denied channel is not announced');
      await client.disconnect();
      const chunks = ofType(records.recordings[0].records, RecordType.channelData).map(({ body }) =>
        readChannelBody(body),
      );
      assert.ok(chunks.every(({ channel }) => channel === 'cliprdr'));
      const text = (direction: string, words: string) =>
        chunks.some(
          (chunk) => chunk.direction === direction && Buffer.from(chunk.data).includes(Buffer.from(words, 'utf16le')),
        );
      assert.equal(text('client-to-server', 'from here'), toServer);
      assert.equal(text('server-to-client', 'typed there'), toClient);
    }
  });

  test('tells whoever has no ticket, or a used one, in words', async () => {
    const gateway = await start({ records: new OpenRecorder() });
    const ticket = gateway.createTicket();
    const first = await connect(gateway, { userName: ticket });
    await first.disconnect();
    for (const options of [{ userName: ticket }, { userName: '', password: '' }, { userName: newId() }]) {
      const client = await connect(gateway, options);
      await dismissNotice(client, ErrorInfo.serverDeniedConnection);
    }
    assert.equal(gateway.ended.length, 1);
  });

  test('takes the ticket from the routing token, its secret from the user name', async () => {
    const gateway = await start({ records: new OpenRecorder() });
    const routingToken = `Cookie: msts=${gateway.createTicket()}`;
    const client = await connect(gateway, { routingToken, userName: SECRET, password: '' });
    await client.waitForPad(() => true, 'anything');
    await client.disconnect();
  });

  test('draws the reason when the controller ends a connection', async () => {
    const records = new OpenRecorder();
    const gateway = await start({ records });
    const client = await connect(gateway);
    await client.waitForPad(() => true, 'anything');
    const { body } = await gateway.call('GET', '/v1/connections');
    const [{ id, session_id, bytes_to_client }] = (body as { items: Record<string, never>[] }).items;
    assert.equal(session_id, records.recordings[0].sessionId);
    assert.ok(bytes_to_client > 1000);
    assert.equal((await gateway.call('POST', `/v1/connections/${id}/end`, { reason: 'enough for today' })).status, 200);
    await gateway.untilEnded(1);
    assert.deepEqual(gateway.ended[0], { id, session: session_id, resumable: false, reason: 'enough for today' });
    assert.equal((await gateway.call('POST', `/v1/connections/${id}/end`, { reason: 'again' })).status, 404);
    await dismissNotice(client, ErrorInfo.disconnectedByAdministrator);
    const screen = ofType(records.recordings[0].records, RecordType.serverPdu).map((record) => digest(record.body));
    const drawn = client.shown.filter((frame) => !isCookie(frame)).map(digest);
    assert.ok(screen.includes(drawn.at(-10)!), 'what was drawn is recorded too');
  });

  test('lets a dropped client come back once with its cookie, to the same session', async () => {
    const records = new OpenRecorder();
    const gateway = await start({ records });
    const client = await connect(gateway);
    await client.waitUntil(() => client.reconnectCookie !== null, 'the cookie');
    client.abort({ midPdu: true });
    await gateway.untilEnded(1);
    assert.deepEqual([gateway.ended[0].resumable, gateway.ended[0].session], [true, records.recordings[0].sessionId]);
    const again = await client.reconnect();
    await again.waitForPad(() => true, 'anything');
    assert.deepEqual(gateway.readmitted, [records.recordings[0].sessionId]);
    assert.notDeepEqual(again.reconnectCookie, client.reconnectCookie);
    await again.disconnect();
    await gateway.untilEnded(2);
    for (const spent of [client, again]) {
      const refused = await spent.reconnect();
      await dismissNotice(refused, ErrorInfo.serverDeniedConnection);
    }
    assert.equal(gateway.readmitted.length, 1);
  });

  test('says so when the server is down, shows another certificate, or refuses', async () => {
    const records = new OpenRecorder();
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    for (const [target, reason] of [
      [{ port }, /cannot be reached: ECONNREFUSED/],
      [{ certificate_sha256: '0'.repeat(64) }, /certificate is not the pinned one/],
      [{ password: 'wrong' }, /denied the connection/],
      [{ socket_path: '/nonexistent/socket' }, /cannot be reached: ENOENT/],
    ] as const) {
      const gateway = await start({ records, target });
      const client = await connect(gateway);
      await dismissNotice(client, ErrorInfo.serverDeniedConnection);
      assert.match(gateway.ended[0].reason, reason);
      assert.equal(gateway.ended[0].resumable, false);
    }
    assert.ok(records.recordings.every((recording) => recording.closed));
  });

  test('reports the certificate of a server without a pin', async () => {
    const gateway = await start({ records: new OpenRecorder(), target: { certificate_sha256: null } });
    const client = await connect(gateway);
    await client.disconnect();
    assert.deepEqual(gateway.pins, [desktop.fingerprint]);
  });

  test('follows a desktop that changes its size', async () => {
    const own = await DemoDesktop.start({ credentials: CREDENTIALS });
    open.push(own);
    const records = new OpenRecorder();
    const gateway = await start({ records, target: { port: own.port, certificate_sha256: own.fingerprint } });
    const client = await connect(gateway);
    await client.waitForPad(() => true, 'anything');
    own.resize(800, 600);
    await client.waitUntil(() => client.decoder.width === 800 && client.isActive, 'the new size');
    await client.type('after');
    await client.waitForPad((text) => text.includes('after'), 'what was typed');
    await client.disconnect();
    const { records: all } = records.recordings[0];
    const marker = ofType(all, RecordType.marker).map(({ body }) => readMarkerBody(body));
    assert.deepEqual(marker, [{ kind: 'resize', width: 800, height: 600, depth: 32 }]);
    const configs = ofType(all, RecordType.config).map(({ body }) => readConfigBody(body));
    // One as a share is offered, one as the client has said what it can.
    assert.deepEqual(
      configs.map(({ width, height }) => `${width}x${height}`),
      ['1024x640', '1024x640', '800x600', '800x600'],
    );
  });

  test('follows a redirection that the client never sees', async () => {
    for (const when of ['at once', 'later'] as const) {
      const own = await DemoDesktop.start({ credentials: CREDENTIALS });
      const redirector = await startRedirector(own.port, when);
      open.push(own, redirector);
      const gateway = await start({
        records: new OpenRecorder(),
        target: { port: redirector.port, certificate_sha256: null },
      });
      const client = await connect(gateway);
      redirector.redirect();
      const hasPicture = () => client.decoder.pixels.some((value, i) => i % 4 !== 3 && value !== 0);
      await client.waitUntil(hasPicture, 'the picture of the desktop behind');
      await client.type('behind');
      await client.waitForPad((text) => text === 'behind', 'what was typed');
      assert.deepEqual(redirector.tokens, [null, 'Cookie: msts=farm-7']);
      assert.deepEqual(gateway.pins, [redirector.fingerprint, own.fingerprint]);
      await client.disconnect();
    }
  });

  test('looks into PDUs that share a payload, and takes what is secret out', async () => {
    const server = await ScriptedServer.start({
      opened(client) {
        const share = (type: number, body: Uint8Array) => writeShareData(0x103ea, 1002, type, body);
        const cookie = { logonId: 77, secret: new Uint8Array(16).fill(0x5a) };
        const logonError = { notificationType: 0xfffffffe, notificationData: 9 };
        client.send(
          Buffer.concat([
            share(ShareDataType.playSound, new Uint8Array(8)),
            share(
              ShareDataType.saveSessionInfo,
              writeSaveSessionInfo({ kind: 'extended', autoReconnect: cookie, logonError }),
            ),
            share(
              ShareDataType.saveSessionInfo,
              writeSaveSessionInfo({ kind: 'logon', domain: 'D', userName: 'injected', sessionId: 3 }),
            ),
            share(ShareDataType.setErrorInfo, writeSetErrorInfo(ErrorInfo.idleTimeout)),
          ]),
        );
      },
    });
    open.push(server);
    const records = new OpenRecorder();
    const gateway = await start({ records, target: { port: server.port, certificate_sha256: server.fingerprint } });
    const client = await connect(gateway);
    await client.waitUntil(() => client.errorInfo === ErrorInfo.idleTimeout, 'the last of them');
    const shown = Buffer.concat(client.shown);
    assert.ok(!shown.includes(Buffer.alloc(16, 0x5a)), 'the server’s cookie is not shown');
    assert.ok(!shown.includes(Buffer.from('injected', 'utf16le')), 'the identity is not shown');
    assert.equal(client.loggedOnAs, '');
    assert.notEqual(client.reconnectCookie?.logonId, 77);
    const types = client.shown.flatMap((frame) => {
      const pdu = readDomainPdu(frame);
      if (pdu.kind !== 'sendDataIndication') return [];
      return readShareControls(pdu.payload).map(({ type, body }) => (type === 7 ? readShareData(body).type : -1));
    });
    assert.ok(types.includes(ShareDataType.playSound));
    assert.equal(types.filter((type) => type === ShareDataType.saveSessionInfo).length, 3);
    await client.disconnect();
  });

  test('keeps from the server what it must not see', async () => {
    const server = await ScriptedServer.start();
    open.push(server);
    const gateway = await start({
      records: new OpenRecorder(),
      target: { port: server.port, certificate_sha256: server.fingerprint },
    });
    const options = {
      channels: [
        { name: 'drdynvc', options: 0 },
        { name: 'rdpsnd', options: 0 },
      ],
    };
    const client = await connect(gateway, options);
    const [seen] = server.clients;
    const { info, blocks } = seen.description;
    assert.deepEqual([info.userName, info.password, info.alternateShell], [CREDENTIALS.userName, PASSWORD, '']);
    assert.deepEqual(
      seen.description.channels.map(({ name }) => name),
      ['cliprdr'],
    );
    assert.equal(blocks.core.clientName, 'lucid');
    client.sendOnChannel('drdynvc', Uint8Array.of(1, 2, 3));
    client.sendOnChannel('rdpsnd', Uint8Array.of(1, 2, 3));
    client.sendData(ShareDataType.suppressOutput, writeSuppressOutput(null));
    client.sendData(ShareDataType.persistentKeyList, new Uint8Array(24));
    client.sendData(0x77, new Uint8Array(4));
    client.sendData(ShareDataType.refreshRect, new Uint8Array(4));
    while (seen.received.length === 0) await tick();
    const types = seen.received.flatMap((frame) => {
      const pdu = readDomainPdu(frame);
      assert.equal(pdu.kind, 'sendDataRequest');
      if (pdu.kind !== 'sendDataRequest' || pdu.channelId !== 1003) return [];
      assert.equal(pdu.initiator, seen.description.userChannelId);
      return readShareControls(pdu.payload).map((share) => {
        assert.equal(share.source, seen.description.userChannelId);
        return readShareData(share.body).type;
      });
    });
    assert.deepEqual(types, [ShareDataType.refreshRect]);
    await client.disconnect();
  });

  test('stops reading from the server at four MiB that are not durable', async () => {
    const total = 24 * 1024 * 1024;
    const filler = writeFastPathOutput(FastPathUpdateCode.synchronize, Fragmentation.single, new Uint8Array(16_000));
    const server = await ScriptedServer.start();
    open.push(server);
    const records = new OpenRecorder();
    const gateway = await start({ records, target: { port: server.port, certificate_sha256: server.fingerprint } });
    const client = await connect(gateway, { keepShown: false });
    const [recording] = records.recordings;
    const handedOver = () => recording.records.reduce((sum, { body }) => sum + body.length, 0);
    records.isPrompt = false;
    const count = Math.ceil(total / filler.length);
    server.clients[0].socket.send(Array.from({ length: count }, () => filler));
    while (handedOver() < UNACKNOWLEDGED_LIMIT_BYTES) await tick();
    await exchange(gateway);
    const atRest = handedOver();
    await sleep(300);
    assert.equal(handedOver(), atRest, 'nothing more is read');
    assert.ok(atRest < UNACKNOWLEDGED_LIMIT_BYTES + 100_000, `${atRest} bytes`);
    const { frames } = client;
    records.isPrompt = true;
    recording.acknowledge();
    await client.waitUntil(() => client.frames >= frames + count, 'all of it');
    await client.disconnect();
  });

  test('keeps Suppress Output from the server', async () => {
    const records = new OpenRecorder();
    const gateway = await start({ records });
    const client = await connect(gateway);
    await client.waitForPad(() => true, 'anything');
    client.sendData(ShareDataType.suppressOutput, writeSuppressOutput(null));
    await exchange(gateway);
    const { frames } = client;
    await client.waitUntil(() => client.frames > frames + 5, 'the clock to go on');
    await client.disconnect();
  });

  test('passes on that the server ends the session', async () => {
    const own = await DemoDesktop.start({ credentials: CREDENTIALS });
    open.push(own);
    const gateway = await start({
      records: new OpenRecorder(),
      target: { port: own.port, certificate_sha256: own.fingerprint },
    });
    const client = await connect(gateway);
    own.sessions[0].disconnect(ErrorInfo.idleTimeout);
    await client.waitForEnd();
    assert.equal(client.errorInfo, ErrorInfo.idleTimeout);
    await gateway.untilEnded(1);
    assert.match(gateway.ended[0].reason, /the server ended the session: the session was idle/);
    const lost = await connect(gateway);
    await lost.waitForPad(() => true, 'anything');
    own.sessions[0].destroy();
    await gateway.untilEnded(2);
    assert.match(gateway.ended[1].reason, /the server dropped the line/);
    await dismissNotice(lost, ErrorInfo.disconnectedByAdministrator);
  });

  test('serves two clients on two desktops at once', async () => {
    const desktops = [0, 1].map(() => DemoDesktop.start({ credentials: CREDENTIALS }));
    const clients = await Promise.all(
      desktops.map(async (starting) => {
        const own = await starting;
        open.push(own);
        const target = { port: own.port, certificate_sha256: own.fingerprint };
        return connect(await start({ records: new OpenRecorder(), target }));
      }),
    );
    await Promise.all(clients.map((client, i) => client.type(`number ${i}`)));
    await Promise.all(clients.map((client, i) => client.waitForPad((text) => text === `number ${i}`, `number ${i}`)));
    await Promise.all(clients.map((client) => client.disconnect()));
  });

  test('a gateway that stops lets its clients come back', async () => {
    const gateway = await start({ records: new OpenRecorder() });
    const client = await connect(gateway);
    await client.waitForPad(() => true, 'anything');
    await gateway.close();
    assert.deepEqual(
      gateway.ended.map(({ resumable, reason }) => ({ resumable, reason })),
      [{ resumable: true, reason: 'the gateway stops' }],
    );
    await client.waitForEnd();
  });

  test('a client that goes while the recorder is asked leaves no writer behind', async () => {
    const records = new OpenRecorder();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const slow: GatewayOptions['records'] = {
      async attach(...args) {
        asked.resolve();
        await answer.promise;
        return records.attach(...args);
      },
    };
    const target = { host: '127.0.0.1', port: desktop.port, certificate_sha256: desktop.fingerprint };
    const gateway = await startGateway({ policy: {}, records: slow, target });
    open.push(gateway);
    const line = await forwardTcp(gateway.port);
    const gone = assert.rejects(connect(gateway, { to: { host: '127.0.0.1', port: line.port } }));
    await asked.promise;
    line.close();
    await gone;
    await gateway.untilEnded(1);
    answer.resolve();
    while (!records.recordings[0]?.closed) await sleep(5);
  });
});

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** A round trip through the gateway's event loop and a socket of the kernel: whatever was sent before has arrived. */
async function exchange(gateway: TestGateway): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const response = await fetch(`http://127.0.0.1:${gateway.port}/health`);
    assert.equal(response.status, 200);
    await response.text();
  }
}

/** Waits for a notice to be drawn, looks at it, and presses a key: the connection then ends in order. */
async function dismissNotice(client: HeadlessClient, errorInfo: number): Promise<void> {
  const background = [0x1f, 0x2a, 0x36, 0xff];
  const { pixels, width, height } = client.decoder;
  const corner = (width * height - 1) * 4;
  await client.waitUntil(() => {
    const { pixels } = client.decoder;
    return background.every((value, i) => pixels[i] === value && pixels[corner + i] === value);
  }, 'a notice');
  const white = new Uint32Array(pixels.buffer).filter((word) => word === 0xffffffff).length;
  assert.ok(white > 100, `${white} pixels of the title`);
  assert.equal(client.isClosed, false);
  await client.type('x');
  await client.waitForEnd();
  assert.equal(client.errorInfo, errorInfo);
}
