/** How pictures travel through the gateway: bulk compression, recording profiles, and what their settings say. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { NewRecord } from '#contract/record-transport.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { HeadlessClient, type HeadlessOptions } from '#demo/headless-client.ts';
import { plainRecord } from '#evidence/captured-record.ts';
import { RecordType, type SessionRecord } from '#evidence/record.ts';
import { readConfigBody } from '#evidence/record-body.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import { BulkHistory } from '#rdp/bulk/bulk-history.ts';
import { MppcEncoder } from '#rdp/bulk/mppc-encoder.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { ErrorInfo, writeSetErrorInfo } from '#rdp/pdu/error-info.ts';
import { readFastPathOutput } from '#rdp/pdu/fast-path-output.ts';
import { writeSaveSessionInfo } from '#rdp/pdu/save-session-info.ts';
import { ShareDataType, writeCompressedShareData } from '#rdp/pdu/share-data.ts';
import { wantsBulkCompression } from '#rdp/profile/upstream-client.ts';
import { type GatewayOptions, SECRET, startGateway, type TestGateway } from '../support/gateway.ts';
import { OpenRecorder } from '../support/open-recorder.ts';
import { startRedirector } from '../support/redirector.ts';
import { type ScriptedClient, ScriptedServer } from '../support/scripted-server.ts';

const POLICY = { input: true };
const configsOf = (records: readonly NewRecord[]) =>
  records.filter(({ type }) => type === RecordType.config).map(({ body }) => readConfigBody(body));
/** Flags of bulk compression in each fast-path frame. */
const flagsOf = (records: readonly NewRecord[]) =>
  records
    .filter(({ type, body }) => type === RecordType.serverPdu && body[0] === 0)
    .flatMap(({ body }) => [...readFastPathOutput(body)].map(({ compressionFlags }) => compressionFlags));

/** The screen that records come to when they are stored. */
function replayed(records: readonly NewRecord[]): ScreenDecoder {
  const history = BulkHistory.empty();
  const screen = new ScreenDecoder();
  for (const [seq, { type, timeUs, body }] of records.entries()) {
    const record = { type, flags: 0, time: timeUs, seq, body } as SessionRecord;
    applyScreenRecord(screen, plainRecord(record, history));
  }
  return screen;
}

/** Waits until the client has been shown all that was recorded, and sees what the recording replays. */
async function untilSame(client: HeadlessClient, { recordings }: OpenRecorder): Promise<void> {
  const isSame = () => {
    const screen = replayed(recordings[0].records);
    assert.equal(screen.undecodableBytes, 0, `${screen.lastError}`);
    return Buffer.compare(screen.pixels, client.decoder.pixels) === 0;
  };
  await client.waitUntil(isSame, 'what the recording replays');
}

describe('pictures through the gateway', { concurrency: 3, timeout: 300_000 }, () => {
  let desktop: DemoDesktop;
  const open: { close(): Promise<void> }[] = [];

  before(async () => {
    desktop = await DemoDesktop.start({ tickMs: 0 });
  });
  after(async () => {
    for (const each of open) await each.close();
    await desktop.close();
  });

  async function start(options: Partial<GatewayOptions> & { records: OpenRecorder }): Promise<TestGateway> {
    const address = { host: '127.0.0.1', port: desktop.port, certificate_sha256: desktop.fingerprint };
    const gateway = await startGateway({ policy: POLICY, ...options, target: { ...address, ...options.target } });
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

  async function scripted(opened: (client: ScriptedClient) => void) {
    const server = await ScriptedServer.start({ opened });
    open.push(server);
    const records = new OpenRecorder();
    const target = { port: server.port, certificate_sha256: server.fingerprint };
    return { server, records, gateway: await start({ records, target }) };
  }

  for (const fastPath of [true, false]) {
    test(`bulk compression goes end to end on the ${fastPath ? 'fast' : 'slow'} path`, async () => {
      const records = new OpenRecorder();
      const gateway = await start({ records });
      const client = await connect(gateway, { bulkCompression: true, fastPath });
      await client.type('words');
      await client.waitForPad((text) => text.includes('words'), 'what was typed');
      await untilSame(client, records);
      const shown = client.shown.map((frame) => Buffer.from(frame).toString('base64'));
      await client.disconnect();
      await gateway.untilEnded(1);

      const [recording] = records.recordings;
      const { bulkCompression, connection } = configsOf(recording.records).at(-1)!;
      assert.equal(bulkCompression, 'mppc-64k');
      assert.ok(connection?.endsWith('/0'));
      if (fastPath) assert.ok(flagsOf(recording.records).filter((flags) => flags & 0x20).length > 10);
      const pdus = recording.records.filter(({ type }) => type === RecordType.serverPdu);
      const seen = new Set(shown);
      assert.ok(
        pdus.filter(({ body }) => seen.has(Buffer.from(body).toString('base64'))).length > 10,
        'the recorder gets the bytes that the client gets',
      );
    });
  }

  test('it is asked for only where the client does, and server and policy allow it', async () => {
    for (const [options, target, policy] of [
      [{}, {}, {}],
      [{ bulkCompression: true }, { bulk_compression: false }, {}],
      [{ bulkCompression: true }, {}, { bulk_compression: false }],
    ] as const) {
      const server = await ScriptedServer.start();
      open.push(server);
      const records = new OpenRecorder();
      const address = { port: server.port, certificate_sha256: server.fingerprint };
      const gateway = await start({ records, target: { ...address, ...target }, policy: { ...POLICY, ...policy } });
      const client = await connect(gateway, options);
      assert.equal(wantsBulkCompression(server.clients[0].description.info), false);
      assert.equal(configsOf(records.recordings[0].records).at(-1)!.bulkCompression, undefined);
      await client.disconnect();
    }
  });

  test('before a client is taken to another server, its history begins anew', async () => {
    const redirector = await startRedirector(desktop.port, 'later');
    open.push(redirector);
    const records = new OpenRecorder();
    const gateway = await start({ records, target: { port: redirector.port, certificate_sha256: null } });
    const client = await connect(gateway, { bulkCompression: true });
    redirector.redirect();
    const hasPicture = () => client.decoder.pixels.some((value, i) => i % 4 !== 3 && value !== 0);
    await client.waitUntil(hasPicture, 'the picture of the desktop behind');
    await untilSame(client, records);
    await client.disconnect();
    await gateway.untilEnded(1);
    const [recording] = records.recordings;
    assert.equal(flagsOf(recording.records)[0], 0x81, 'flushed, without data');
    assert.deepEqual(
      configsOf(recording.records).map(({ connection }) => connection?.split('/')[1]),
      ['0', '0', '1', '1'],
    );
  });

  /** A share data PDU as a server would compress it. */
  function compressedData(type: number, body: Uint8Array): Uint8Array {
    const { flags, data } = new MppcEncoder().encode(body);
    return writeCompressedShareData(0x103ea, 1002, type, flags, data, body.length);
  }

  test('a log-on that comes compressed is not shown: the session ends, and says what to do', async () => {
    const info = writeSaveSessionInfo({ kind: 'logon', domain: '', userName: 'the-hidden-name', sessionId: 1 });
    const { gateway, records } = await scripted((client) => {
      client.send(compressedData(ShareDataType.saveSessionInfo, info));
    });
    const client = await connect(gateway, { bulkCompression: true });
    await gateway.untilEnded(1);
    assert.match(gateway.ended[0].reason, /switch bulk_compression off for this server/);
    assert.equal(client.loggedOnAs, null);
    const sent = Buffer.from(compressedData(ShareDataType.saveSessionInfo, info));
    assert.equal(records.recordings[0].records.filter(({ body }) => Buffer.from(body).includes(sent)).length, 0);
  });

  test('a reason that comes compressed reaches the client as it is, and is not read here', async () => {
    const { gateway, records } = await scripted((client) => {
      client.send(compressedData(ShareDataType.setErrorInfo, writeSetErrorInfo(ErrorInfo.idleTimeout)));
      client.socket.close();
    });
    await connect(gateway, { bulkCompression: true }).catch(() => {});
    await gateway.untilEnded(1);
    const sent = Buffer.from(compressedData(ShareDataType.setErrorInfo, writeSetErrorInfo(ErrorInfo.idleTimeout)));
    const frames = records.recordings[0].records.map(({ body }) => Buffer.from(body));
    assert.equal(frames.filter((frame) => frame.includes(sent)).length, 1);
  });

  test('the profile is recorded with its reason; what is not allowed is not chosen', async () => {
    for (const [target, policy, reason] of [
      [{}, {}, 'drawing orders not offered by the client, RemoteFX not offered by the client'],
      [{ profiles: ['bitmaps'] }, {}, 'drawing orders not allowed, RemoteFX not allowed'],
      [{ profiles: ['orders'] }, { profiles: ['remotefx'] }, 'drawing orders not allowed, RemoteFX not allowed'],
    ] as const) {
      const records = new OpenRecorder();
      const lists = (of: { profiles?: readonly string[] }) => (of.profiles ? { profiles: [...of.profiles] } : {});
      const gateway = await start({
        records,
        target: lists(target) as GatewayOptions['target'],
        policy: { ...POLICY, ...(lists(policy) as GatewayOptions['policy']) },
      });
      const client = await connect(gateway);
      const { profile, profileReason } = configsOf(records.recordings[0].records).at(-1)!;
      assert.deepEqual([profile, profileReason], ['bitmaps', reason]);
      await client.disconnect();
    }
  });
});
