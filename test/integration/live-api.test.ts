/** Live views through the public API and the command line: who may watch, what is told, and what it leaves behind. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inflateSync } from 'node:zlib';
import { type Api, createApiClient } from '#contract/api-client.ts';
import type { Role } from '#contract/common.ts';
import { watchLive } from '#contract/live-client.ts';
import type { LiveEvent } from '#contract/live-frames.ts';
import type { SessionTicket, WatchTicket } from '#contract/session-api.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { HeadlessClient } from '#demo/headless-client.ts';
import { newId } from '#platform/id.ts';
import { readPng } from '#rdp/graphics/png.ts';
import { TestLucid } from '../support/lucid.ts';

const PASSWORD = 'a password for tests';

describe('live views', () => {
  let lucid: TestLucid;
  let desktop: DemoDesktop;
  let url: string;
  let admin: Api;

  before(async () => {
    desktop = await DemoDesktop.start({ tickMs: 0, credentials: { userName: 'kiosk', password: PASSWORD } });
    lucid = await TestLucid.start({ LUCID_LIVE_RECHECK_SECONDS: '1' });
    url = `http://127.0.0.1:${lucid.running.ports['session-api']}`;
    admin = await as('admin', lucid.running.firstStart!.adminPassword);
    const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port, user: 'kiosk' };
    await admin.createServer({ body: { name: 'demo', spec, password: PASSWORD } });
  });
  after(async () => {
    await lucid?.close();
    await desktop?.close();
  });

  /** Without connections that are kept: one may be closed by the other end just as it is used again. */
  const at = (token?: string) =>
    createApiClient({
      url,
      ...(token && { token }),
      fetch: (target, init) => fetch(target, { ...init, headers: { ...init.headers, connection: 'close' } }),
    });

  async function as(name: string, password = PASSWORD): Promise<Api> {
    return at((await at().logIn({ body: { name, password } })).token);
  }

  async function newUser(role: Role, name: string): Promise<Api> {
    await admin.createUser({ body: { name, role, password: PASSWORD } });
    return as(name);
  }

  async function connect(): Promise<{ ticket: SessionTicket; client: HeadlessClient }> {
    const ticket = await admin.createSession({ body: { server: 'demo', policy: { input: true } } });
    const { gateway, ticket_id: userName, secret: password } = ticket;
    const to = { host: gateway.host, port: gateway.port };
    const client = await HeadlessClient.connect({ to, pin: gateway.certificate_sha256, userName, password });
    return { ticket, client };
  }

  /** Watches until the picture is as the client's. */
  async function watchUntilSame(ticket: WatchTicket, client: HeadlessClient): Promise<void> {
    for await (const update of watchLive(url, ticket)) {
      if (update.kind === 'picture' && Buffer.compare(update.picture.pixels, client.decoder.pixels) === 0) return;
    }
    assert.fail('the live view ended before its picture was that of the client');
  }

  async function refusal(ticket: WatchTicket): Promise<string> {
    try {
      for await (const _ of watchLive(url, ticket));
    } catch (error) {
      return (error as { code: string }).code;
    }
    return assert.fail('the live view was not refused');
  }

  /** Waits until the audit log says of a session that somebody watched it and left. */
  async function auditOf(session: string) {
    for (;;) {
      const { items } = await admin.listAudit({ query: { target: session } });
      const watched = items.filter(({ action }) => /^live|^watch/.test(action));
      if (watched.some(({ action }) => action === 'liveLeft')) return watched.reverse();
      await sleep(20);
    }
  }

  test('an auditor watches what the person is shown; the audit log and the recording say so', async () => {
    const { ticket, client } = await connect();
    await client.type('seen by two');
    await client.waitForPad((text) => text.includes('seen by two'), 'what was typed');
    const auditor = await newUser('auditor', 'live-auditor');
    const { id } = await auditor.whoAmI({});
    const params = { id: ticket.session.id };
    await watchUntilSame(await auditor.watchSession({ params }), client);
    assert.deepEqual(
      (await auditOf(params.id)).map(({ action, actor, outcome }) => [action, actor, outcome]),
      [
        ['watchSession', id, 'done'],
        ['liveJoined', id, 'done'],
        ['liveLeft', id, 'done'],
      ],
    );
    await client.disconnect();
    await lucid.until(params.id, 'completed');
    assert.equal(await codeOf(auditor.watchSession({ params })), 'wrong_state');
  });

  test('a viewer ends the view with a signal', async () => {
    const { ticket, client } = await connect();
    const leaving = new AbortController();
    let frames = 0;
    const watch = await admin.watchSession({ params: { id: ticket.session.id } });
    for await (const { kind } of watchLive(url, watch, leaving.signal)) {
      if (kind === 'picture' && frames++ === 0) leaving.abort();
    }
    assert.equal(frames, 1);
    await client.disconnect();
  });

  test('a viewer is told when the session ends', async () => {
    const { ticket, client } = await connect();
    const params = { id: ticket.session.id };
    const events: LiveEvent[] = [];
    let frames = 0;
    for await (const update of watchLive(url, await admin.watchSession({ params }))) {
      if (update.kind === 'event') events.push(update.event);
      else if (frames++ === 0) await client.disconnect();
    }
    const [joined] = events;
    assert.deepEqual([joined.type, joined.type === 'joined' && joined.connected], ['joined', true]);
    const markers = events.flatMap((event) => (event.type === 'marker' ? [event.kind] : []));
    assert.equal(markers.at(-1), 'end');
  });

  test('a ticket is good once, for its session, and nobody watches without one', async () => {
    const { ticket, client } = await connect();
    const params = { id: ticket.session.id };
    const watch = await admin.watchSession({ params });
    assert.ok(Date.parse(watch.expires_at) - Date.now() <= 30_000);
    await watchUntilSame(watch, client);
    assert.equal(await refusal(watch), 'unauthenticated');
    const other = await admin.watchSession({ params });
    assert.equal(await refusal({ ...other, path: `/api/v1/sessions/${newId()}/live` }), 'unauthenticated');
    assert.equal(await refusal({ ...other, ticket: 'guessed' }), 'unauthenticated');
    await client.disconnect();
  });

  test('a user may watch nobody, themselves neither; an API token needs the scope', async () => {
    const { ticket, client } = await connect();
    const params = { id: ticket.session.id };
    const user = await newUser('user', 'live-user');
    assert.equal(await codeOf(user.watchSession({ params })), 'forbidden');
    const operator = await newUser('operator', 'live-operator');
    const { token: blind } = await operator.createToken({ body: { name: 'blind', scopes: ['sessions:read'] } });
    assert.equal(await codeOf(at(blind).watchSession({ params })), 'forbidden');
    const { token } = await operator.createToken({ body: { name: 'sees', scopes: ['sessions:watch'] } });
    await watchUntilSame(await at(token).watchSession({ params }), client);
    await client.disconnect();
  });

  test('who loses the right to watch loses the view', async () => {
    const { ticket, client } = await connect();
    const params = { id: ticket.session.id };
    const operator = await newUser('operator', 'live-leaver');
    const { id } = await operator.whoAmI({});
    const watching = (async () => {
      for await (const update of watchLive(url, await operator.watchSession({ params }))) {
        if (update.kind === 'picture' && update.frame.isWhole) await admin.deleteUser({ params: { id } });
      }
    })();
    await assert.rejects(watching, { code: 'unauthenticated' });
    await client.disconnect();
  });

  test('the command line writes the picture, and follows until the end', async () => {
    const { ticket, client } = await connect();
    const { id } = ticket.session;
    await client.type('in a file');
    await client.waitForPad((text) => text.includes('in a file'), 'what was typed');
    const file = join(lucid.folder, 'live.png');
    const inflate = (bytes: Uint8Array, limit: number) => inflateSync(bytes, { maxOutputLength: limit });
    /** The client may be shown more while the picture is written. */
    let isSame = false;
    for (let i = 0; i < 5 && !isSame; i++) {
      const said = await lucid.lucid('session', 'watch', id, '--png', file, '--no-pointer');
      assert.match(said, /1024 x 640, record \d+: /);
      isSame = Buffer.compare(readPng(readFileSync(file), inflate).pixels, client.decoder.pixels) === 0;
    }
    assert.ok(isSame);
    const joins = async () => (await admin.listAudit({ query: { action: 'liveJoined', target: id } })).items.length;
    const before = await joins();
    const following = lucid.lucid('session', 'watch', id, '--follow', '--json');
    while ((await joins()) === before) await sleep(50);
    await client.disconnect();
    const lines = (await following)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(lines[0].type, 'joined');
    assert.ok(lines.some((line) => line.type === 'frame' && line.whole));
    assert.deepEqual([lines.at(-1).type, lines.findLast(({ type }) => type === 'marker').kind], ['marker', 'end']);
    await assert.rejects(lucid.lucid('session', 'watch', id), /give --png FILE/);
  });
});

async function codeOf(call: Promise<unknown>): Promise<string> {
  const [result] = await Promise.allSettled([call]);
  return result.status === 'rejected' ? result.reason.code : 'none';
}
