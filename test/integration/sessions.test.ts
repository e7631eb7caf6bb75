/** The way of a session through all services: tickets, connections, ends, and what the API and its audit log say. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { canonicalJson } from '#contract/canonical-json.ts';
import type { Role } from '#contract/common.ts';
import { SERVICE_NAMES } from '#contract/services.ts';
import type { AuditEntry, SessionTicket } from '#contract/session-api.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { HeadlessClient } from '#demo/headless-client.ts';
import { policyHash } from '#platform/policy-hash.ts';
import { ErrorInfo } from '#rdp/pdu/error-info.ts';
import { apiAt, TestLucid } from '../support/lucid.ts';

const PASSWORD = 'a password for tests';
const SERVER_PASSWORD = 'the server’s own password';

/** Every byte that Lucid keeps in a folder. */
function bytesIn(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map((file) => readFileSync(join(file.parentPath, file.name))));
}

describe('sessions', () => {
  let lucid: TestLucid;
  let desktop: DemoDesktop;

  before(async () => {
    desktop = await DemoDesktop.start({ tickMs: 0, credentials: { userName: 'kiosk', password: SERVER_PASSWORD } });
    lucid = await TestLucid.start({ LUCID_LOCKOUT_ATTEMPTS: '3', LUCID_SESSION_API_HOST: '0.0.0.0' });
    const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port, user: 'kiosk' };
    await lucid.api.createServer({ body: { name: 'demo', spec, password: SERVER_PASSWORD } });
  });
  beforeEach(() => {
    // Words that earlier tests typed would move later ones across a line's end.
    desktop.model.state.text = '';
  });
  after(async () => {
    await lucid?.close();
    await desktop?.close();
  });

  const base = () => `http://127.0.0.1:${lucid.running.ports['session-api']}`;
  const create = (seconds = 60) => lucid.createSession('demo', { input: true }, seconds);
  const to = (ticket: SessionTicket) => ({
    to: { host: ticket.gateway.host, port: ticket.gateway.port },
    pin: ticket.gateway.certificate_sha256,
  });

  /** Connects as FreeRDP does: id as user name, secret as password. */
  const connect = (ticket: SessionTicket, changes = {}) =>
    HeadlessClient.connect({ ...to(ticket), userName: ticket.ticket_id, password: ticket.secret, ...changes });

  /** Connects, is refused in a picture with words, and dismisses it. */
  async function refused(ticket: SessionTicket, changes = {}): Promise<void> {
    const client = await connect(ticket, changes);
    client.click({ x: 1, y: 1 });
    await client.waitForEnd();
    assert.equal(client.errorInfo, ErrorInfo.serverDeniedConnection);
  }

  async function as(role: Role, name: string) {
    await lucid.api.createUser({ body: { name, role, password: PASSWORD } });
    const { token } = await apiAt(base()).logIn({ body: { name, password: PASSWORD } });
    return apiAt(base(), token);
  }

  test('all ten services are healthy', async () => {
    for (const name of SERVICE_NAMES) {
      const response = await fetch(`http://127.0.0.1:${lucid.running.ports[name]}/health`);
      const report = (await response.json()) as { service: string; status: string };
      // What the machine itself is short of is rdp-monitor's and rdp-server-manager's to tell.
      const mayBeDegraded = name === 'rdp-monitor' || name === 'rdp-server-manager';
      if (!mayBeDegraded || report.status !== 'degraded')
        assert.equal(report.status, 'healthy', JSON.stringify(report));
      assert.equal(report.service, name);
    }
  });

  test('a session is created, used, left and completed', async () => {
    const ticket = await create();
    const client = await connect(ticket);
    await client.type('through and through');
    await client.waitForPad((text) => text.includes('through and through'), 'what was typed');
    const live = await lucid.api.getSession({ params: { id: ticket.session.id } });
    assert.deepEqual([live.state, live.connected], ['recording', true]);
    await client.disconnect();
    const over = await lucid.until(ticket.session.id, 'completed');
    assert.equal(over.reason, 'the client left');
    const { items } = await lucid.api.getSessionHistory({ params: { id: over.id } });
    assert.deepEqual(
      items.map((step) => step.to),
      ['starting', 'recording', 'stopped', 'processing', 'completed'],
    );
    const chunks = await lucid.api.listChunks({ params: { id: over.id }, query: {} });
    assert.ok(chunks.items.some((chunk) => chunk.stream === 'screen'));
    const [{ stream, index, sha256 }] = chunks.items;
    const bytes = await lucid.api.getChunk({ params: { id: over.id, stream: stream as 'screen', index } });
    assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256);
  });

  test('a downloaded bundle verifies, packed by hand or unpacked on the way', async () => {
    const ticket = await create();
    const client = await connect(ticket);
    await client.type('kept');
    await client.waitForPad((text) => text.includes('kept'), 'what was typed');
    await client.disconnect();
    const { id, policy } = await lucid.until(ticket.session.id, 'completed');
    const folder = await lucid.bundleOf(id);
    const policyLine = `policy ${policyHash(policy).toString('hex')}\n`;
    assert.ok(readFileSync(join(folder, 'open.note'), 'utf8').includes(policyLine));
    const tar = join(lucid.folder, 'bundle.tar');
    await lucid.lucid('session', 'download', id, '--output', tar);
    const unpacked = mkdtempSync(join(lucid.folder, 'tar-'));
    execFileSync('tar', ['-xf', tar, '-C', unpacked]);
    execFileSync('diff', ['-r', folder, unpacked]);
    const key = (await lucid.lucid('session', 'node-key')).trim();
    const verdict = await lucid.lucid('verify', folder, '--identity', lucid.identityFile, '--node-key', key);
    assert.match(verdict, /^ {2}ok +entries/m);
    await assert.rejects(lucid.lucid('session', 'download', id, '--output', tar), /exists already/);
    await assert.rejects(lucid.lucid('session', 'download', ticket.ticket_id, '--output', `${tar}2`), /not_found/);
  });

  test('the .rdp file’s way in: the id in the routing token, the secret as user name', async () => {
    const ticket = await create();
    const setting = (name: string) => new RegExp(`^${name}:s:(.*)\r$`, 'm').exec(ticket.rdp_file)![1];
    const client = await HeadlessClient.connect({
      ...to(ticket),
      routingToken: setting('loadbalanceinfo'),
      userName: setting('username'),
      password: '',
    });
    await client.waitForQuiet(200);
    await client.disconnect();
    await lucid.until(ticket.session.id, 'completed');
  });

  test('a ticket admits once; a dropped session goes on with a new one', async () => {
    const ticket = await create();
    const id = ticket.session.id;
    const first = await connect(ticket);
    first.abort();
    while ((await lucid.api.getSession({ params: { id } })).connected);
    await refused(ticket);
    assert.equal((await lucid.api.getSession({ params: { id } })).state, 'recording');

    const again = await lucid.api.createTicket({ params: { id }, body: {} });
    const second = await connect(again);
    await second.type('back');
    await second.waitForPad((text) => text.includes('back'), 'what was typed');
    const third = await lucid.api.createTicket({ params: { id }, body: {} });
    await refused(third);

    await second.disconnect();
    await lucid.until(id, 'completed');
    await assert.rejects(lucid.api.createTicket({ params: { id }, body: {} }), { code: 'wrong_state' });
  });

  test('a dropped line comes back by the gateway’s cookie, before the old one is known to be gone too', async () => {
    const ticket = await create();
    const client = await connect(ticket);
    await client.waitUntil(() => client.reconnectCookie !== null, 'the cookie');
    const back = await client.reconnect();
    await back.type('again');
    await back.waitForPad((text) => text.includes('again'), 'what was typed');
    const { state, connected } = await lucid.api.getSession({ params: { id: ticket.session.id } });
    assert.deepEqual([state, connected], ['recording', true]);
    await back.disconnect();
    await lucid.until(ticket.session.id, 'completed');
    client.abort();
  });

  test('who loses the account loses the sessions: the live one ends, a ticket for another admits nobody', async () => {
    const leaver = await as('user', 'leaver');
    const live = await leaver.createSession({ body: { server: 'demo' } });
    const unused = await leaver.createSession({ body: { server: 'demo' } });
    const client = await connect(live);
    const { id } = await leaver.whoAmI({});
    const guess = { body: { old: 'a guess at the old password', new: PASSWORD } };
    for (let i = 0; i < 10; i++) await assert.rejects(leaver.changePassword(guess), { code: 'forbidden' });
    await assert.rejects(leaver.changePassword(guess), { code: 'limit_reached' });
    await lucid.api.deleteUser({ params: { id } });
    const over = await lucid.until(live.session.id, 'completed');
    assert.equal(over.reason, 'the person has no account any more');
    client.click({ x: 1, y: 1 });
    await client.waitForEnd();
    await refused(unused);
    await assert.rejects(leaver.whoAmI({}), { code: 'unauthenticated' });
  });

  test('an expired ticket and one with a wrong secret are refused; many wrong ones lock the address out', async () => {
    const expiring = await create(5);
    const good = await create();
    await refused(good, { password: 'a'.repeat(32) });
    assert.equal((await lucid.api.getSession({ params: { id: good.session.id } })).state, 'created');
    await new Promise((resolve) => setTimeout(resolve, Date.parse(expiring.expires_at) - Date.now() + 50));
    await refused(expiring);
    for (let i = 0; i < 2; i++) await refused(good, { password: 'b'.repeat(32) });
    await refused(good);
    assert.equal((await lucid.api.getSession({ params: { id: good.session.id } })).state, 'created');
    const metrics = await (await fetch(`http://127.0.0.1:${lucid.running.ports['rdp-controller']}/metrics`)).text();
    assert.match(metrics, /lucid_admissions_total\{[^}]*outcome="limit_reached"[^}]*\} [1-9]/);
  });

  test('roles: users see their own sessions, auditors all, and neither does what is not theirs', async () => {
    const alice = await as('user', 'alice');
    const bob = await as('user', 'bob');
    const eve = await as('auditor', 'eve');
    const olaf = await as('operator', 'olaf');
    const { session } = await alice.createSession({ body: { server: 'demo' } });
    const params = { id: session.id };
    assert.deepEqual(
      (await alice.listSessions({ query: {} })).items.map((item) => item.id),
      [session.id],
    );
    assert.deepEqual((await bob.listSessions({ query: {} })).items, []);
    assert.ok((await eve.listSessions({ query: {} })).items.some((item) => item.id === session.id));

    await assert.rejects(bob.getSession({ params }), { code: 'not_found' });
    await assert.rejects(bob.getSessionHistory({ params }), { code: 'not_found' });
    await assert.rejects(bob.stopSession({ params, body: {} }), { code: 'not_found' });
    await assert.rejects(bob.createTicket({ params, body: {} }), { code: 'not_found' });
    await assert.rejects(olaf.createTicket({ params, body: {} }), { code: 'forbidden' });
    await assert.rejects(alice.getBundle({ params, query: {} }), { code: 'forbidden' });
    await assert.rejects(alice.createSession({ body: { server: 'demo', policy: { drives: true } } }), {
      code: 'forbidden',
      message: /drives/,
    });
    await assert.rejects(eve.createSession({ body: { server: 'demo' } }), { code: 'forbidden' });
    await assert.rejects(olaf.listAudit({ query: {} }), { code: 'forbidden' });
    await assert.rejects(alice.createUser({ body: { name: 'mallory', role: 'admin', password: PASSWORD } }), {
      code: 'forbidden',
    });
    assert.match(
      (await olaf.stopSession({ params, body: { reason: 'maintenance' } })).reason!,
      /operator: maintenance/,
    );
    await assert.rejects(lucid.api.createSession({ body: { server: 'nowhere' } }), { code: 'not_found' });
  });

  test('log-ins are limited with Retry-After, tokens end with the password, and input is checked at the door', async () => {
    const api = await as('user', 'carol');
    await api.changePassword({ body: { old: PASSWORD, new: `${PASSWORD}, changed` } });
    await assert.rejects(api.whoAmI({}), { code: 'unauthenticated' });
    await assert.rejects(apiAt(base()).whoAmI({}), { code: 'unauthenticated' });
    await assert.rejects(lucid.api.getSession({ params: { id: '../../etc/passwd' } }), { code: 'invalid_request' });
    await assert.rejects(lucid.api.createUser({ body: { name: 'X Y', role: 'user', password: PASSWORD } }), {
      code: 'invalid_request',
    });
    let limited: Response | undefined;
    for (let i = 0; i < 12 && limited === undefined; i++) {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ name: 'carol', password: 'guess' });
      const response = await fetch(`${base()}/api/v1/login`, { method: 'POST', headers, body });
      if (response.status === 429) limited = response;
      else assert.equal(response.status, 401);
    }
    assert.ok(Number(limited?.headers.get('retry-after')) > 0);
  });

  test('the audit log names who did what, its chain holds, and no secret is kept anywhere', async () => {
    const ticket = await create();
    await lucid.api.stopSession({ params: { id: ticket.session.id }, body: {} });
    const entries: AuditEntry[] = [];
    let cursor: string | undefined;
    do {
      const page = await lucid.api.listAudit({ query: { limit: 10, ...(cursor && { cursor }) } });
      entries.push(...page.items);
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    entries.reverse();
    const me = await lucid.api.whoAmI({});
    const last = entries.at(-1)!;
    assert.deepEqual(
      [last.actor, last.action, last.target, last.outcome],
      [me.id, 'stopSession', ticket.session.id, 'done'],
    );
    assert.ok(entries.some((entry) => entry.action === 'createUser' && entry.outcome === 'forbidden'));
    assert.ok(entries.some((entry) => entry.action === 'logIn' && entry.outcome === 'unauthenticated'));
    let before = '0'.repeat(64);
    for (const { hash, ...entry } of entries) {
      const text = `${before}\n${canonicalJson(entry)}`;
      assert.equal(createHash('sha256').update(text).digest('hex'), hash, `entry ${entry.seq}`);
      before = hash;
    }
    const kept = bytesIn(join(lucid.folder, 'data'));
    assert.ok(kept.includes(ticket.session.id), 'the search finds what is there');
    for (const secret of [ticket.secret, PASSWORD, SERVER_PASSWORD, lucid.running.firstStart!.adminPassword]) {
      assert.ok(!kept.includes(secret));
    }
  });

  test('plain HTTP is for this machine; others are sent to HTTPS, but for /health', async (context) => {
    const address = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    if (!address) return context.skip('this machine has no address but loopback');
    const there = `${address}:${lucid.running.ports['session-api']}`;
    const response = await fetch(`http://${there}/api/v1/me?x=1`, { redirect: 'manual' });
    assert.deepEqual([response.status, response.headers.get('location')], [308, `https://${there}/api/v1/me?x=1`]);
    assert.equal((await fetch(`http://${there}/health`)).status, 200);
    assert.equal((await fetch(`${base()}/openapi.json`)).status, 200);
  });

  test('the command line: tables for people, JSON for programs, errors that say what to do', async () => {
    assert.match(await lucid.lucid('server', 'list'), /NAME +STATE +WHERE.*\n(.*\n)*demo +running +127\.0\.0\.1:/);
    const rdp = join(lucid.folder, 'demo.rdp');
    const words = await lucid.lucid('session', 'create', 'demo', '--rdp', rdp, '--allow', 'input,clipboard_to_client');
    assert.match(words, /expires at .* in \d+ s/);
    assert.match(words, /xfreerdp \/v:127\.0\.0\.1:\d+ \/u:[0-9a-f-]{36} \/p:[a-z2-7]{32} \/sec:tls .*\+clipboard/);
    assert.match(readFileSync(rdp, 'utf8'), /^redirectclipboard:i:1\r$/m);
    const { items } = JSON.parse(await lucid.lucid('session', 'list', '--state', 'created', '--limit', '1', '--json'));
    assert.deepEqual(items[0].policy, {
      input: true,
      clipboard_to_client: true,
      max_minutes: 480,
      idle_minutes: 30,
    });
    const ended = JSON.parse(await lucid.lucid('session', 'end', items[0].id, '--wait', '--json'));
    assert.equal(ended.state, 'failed');
    await assert.rejects(lucid.lucid('session', 'create', 'nowhere'), /there is no server nowhere/);
    await assert.rejects(
      lucid.lucid('session', 'create', 'demo', '--allow', 'fun'),
      /--allow fun: wants a list of input/,
    );
    await assert.rejects(
      lucid.lucid('server', 'add', 'x', '--port', '1'),
      /--port is for external hosts, which --host names/,
    );
  });
});
