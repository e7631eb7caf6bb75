/** What people do with recordings that are stored: over the API and the command line, on all of Lucid. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Role } from '#contract/common.ts';
import type { StoredSession } from '#contract/session-storage.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { HeadlessClient } from '#demo/headless-client.ts';
import { readRange } from '#services/session-api/ranges.ts';
import { eventually } from '../support/eventually.ts';
import { apiAt, TestLucid } from '../support/lucid.ts';

const PASSWORD = 'a password for tests';

describe('stored evidence', () => {
  let lucid: TestLucid;
  let desktop: DemoDesktop;
  let archive: string;
  let nodeKey: string;

  before(async () => {
    archive = mkdtempSync(join(tmpdir(), 'lucid-archive-'));
    desktop = await DemoDesktop.start({ tickMs: 0, credentials: { userName: 'kiosk', password: PASSWORD } });
    lucid = await TestLucid.start({ LUCID_ARCHIVE_FOLDER: archive });
    const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port, user: 'kiosk' };
    await lucid.api.createServer({ body: { name: 'demo', spec, password: PASSWORD } });
    nodeKey = (await lucid.lucid('session', 'node-key')).trim();
  });
  after(async () => {
    await lucid?.close();
    await desktop?.close();
    rmSync(archive, { recursive: true });
  });

  const base = () => `http://127.0.0.1:${lucid.running.ports['session-api']}`;
  const homeOf = (id: string) => join(lucid.folder, 'data', 'session-storage', 'sessions', id);
  const json = async (...args: string[]) => JSON.parse(await lucid.lucid(...args, '--json'));

  /** Records a short session. @returns its id */
  async function record(): Promise<string> {
    const ticket = await lucid.createSession('demo', { input: true });
    const client = await HeadlessClient.connect({
      to: { host: ticket.gateway.host, port: ticket.gateway.port },
      pin: ticket.gateway.certificate_sha256,
      userName: ticket.ticket_id,
      password: ticket.secret,
    });
    await client.type('kept');
    await client.waitForPad((text) => text.includes('kept'), 'what was typed');
    desktop.model.state.text = '';
    await client.disconnect();
    return (await lucid.until(ticket.session.id, 'completed')).id;
  }

  async function tokenOf(role: Role): Promise<string> {
    const name = `an-${role}`;
    await lucid.api.createUser({ body: { name, role, password: PASSWORD } }).catch(() => {});
    return (await apiAt(base()).logIn({ body: { name, password: PASSWORD } })).token;
  }

  async function bundle(id: string, headers: Record<string, string> = {}, format = 'tar', method = 'GET') {
    const token = await admin();
    return fetch(`${base()}/api/v1/sessions/${id}/bundle?format=${format}`, {
      method,
      headers: { authorization: `Bearer ${token}`, connection: 'close', ...headers },
    });
  }
  let adminToken: string | undefined;
  async function admin(): Promise<string> {
    adminToken ??= await tokenOf('admin');
    return adminToken;
  }

  test('a bundle comes in ranges that fit together, as tar and as zip', async () => {
    const id = await record();
    for (const format of ['tar', 'zip']) {
      const response = await bundle(id, {}, format);
      const whole = Buffer.from(await response.arrayBuffer());
      const etag = response.headers.get('etag')!;
      assert.equal(response.headers.get('accept-ranges'), 'bytes');
      assert.equal(Number(response.headers.get('content-length')), whole.length);
      const range = async (range: string, headers = {}) => {
        const part = await bundle(id, { range, ...headers }, format);
        return [part.status, part.headers.get('content-range'), Buffer.from(await part.arrayBuffer())] as const;
      };
      const middle = Math.floor(whole.length / 2);
      const [, , first] = await range(`bytes=0-${middle - 1}`);
      const [status, told, rest] = await range(`bytes=${middle}-`, { 'if-range': etag });
      assert.deepEqual([status, told], [206, `bytes ${middle}-${whole.length - 1}/${whole.length}`]);
      assert.ok(Buffer.concat([first, rest]).equals(whole));
      assert.ok((await range('bytes=-100'))[2].equals(whole.subarray(-100)));
      const [other, , all] = await range('bytes=5-', { 'if-range': '"another"' });
      assert.deepEqual([other, all.length], [200, whole.length]);
      const [beyond, size, error] = await range(`bytes=${whole.length}-`);
      assert.deepEqual([beyond, size], [416, `bytes */${whole.length}`]);
      assert.equal(JSON.parse(String(error)).error.code, 'range_not_satisfiable');
      const head = await bundle(id, {}, format, 'HEAD');
      assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(whole.length)]);
    }
  });

  test('a download that broke off goes on where it was', async () => {
    const id = await record();
    const path = join(lucid.folder, 'resumed.tar');
    await lucid.lucid('session', 'download', id, '--output', path);
    const whole = readFileSync(path);
    const etag = (await bundle(id, {}, 'tar', 'HEAD')).headers.get('etag')!;
    const partsOf = async (tag: string, length = 5000) => {
      renameSync(path, `${path}.part`);
      truncateSync(`${path}.part`, length);
      writeFileSync(`${path}.part.etag`, tag);
      await lucid.lucid('session', 'download', id, '--output', path);
      assert.ok(readFileSync(path).equals(whole));
      assert.deepEqual(
        readdirSync(lucid.folder).filter((name) => name.startsWith('resumed.tar.')),
        [],
      );
    };
    await partsOf(etag);
    await partsOf('"of another bundle"');
    await partsOf(etag, whole.length);
    await partsOf(etag, 0);
  });

  test('hold, archive, restore, delete by command; what is left still verifies', async () => {
    const id = await record();
    const held: StoredSession = await json('session', 'hold', id, '--reason', 'case-17');
    assert.equal(held.held, true);
    await assert.rejects(lucid.lucid('session', 'delete', id, '--yes'), /under legal hold: release it first/);
    await assert.rejects(lucid.lucid('session', 'hold', id, '--reason', 'Two Words'), /invalid_request/);
    const archived: StoredSession = await json('session', 'archive', id, '--wait');
    assert.deepEqual([archived.place, archived.moving], ['archive', null]);
    const folder = await lucid.bundleOf(id);
    assert.match(await lucid.lucid('verify', folder, '--node-key', nodeKey), /VERIFIED/);
    const back: StoredSession = await json('session', 'restore', id, '--wait');
    assert.deepEqual([back.place, back.held], ['store', true]);
    assert.equal((await json('session', 'release', id)).held, false);
    const deleted: StoredSession = await json('session', 'delete', id, '--yes', '--reason', 'privacy-request');
    assert.equal(deleted.state, 'deleted');
    await lucid.until(id, 'deleted');
    const { items } = await lucid.api.getSessionHistory({ params: { id } });
    assert.match(items.at(-1)!.cause, /deleted \(privacy-request\)/);

    const left = join(lucid.folder, 'left');
    await lucid.lucid('session', 'download', id, '--unpack', '--output', left);
    const verdict = await lucid.lucid('verify', left, '--node-key', nodeKey).catch((error) => error.message);
    assert.match(verdict, /ended with 2/);
    assert.match(verdict, /ok +tree/);
    assert.match(verdict, /INCOMPLETE/);
    const { items: audit } = await lucid.api.listAudit({ query: {} });
    for (const action of ['holdSession', 'archiveSession', 'restoreSession', 'releaseSession', 'deleteSession']) {
      assert.ok(
        audit.some((entry) => entry.action === action && entry.target === id),
        action,
      );
    }
  });

  test('roles: auditors hold, operators archive, admins delete and save', async () => {
    const id = await record();
    const params = { id };
    const body = { reason: 'test' };
    const [auditor, operator, user] = await Promise.all(
      (['auditor', 'operator', 'user'] as const).map(async (role) => apiAt(base(), await tokenOf(role))),
    );
    const forbidden = { code: 'forbidden' };
    for (const api of [operator, user]) await assert.rejects(api.holdSession({ params, body }), forbidden);
    for (const api of [auditor, user]) await assert.rejects(api.archiveSession({ params, body }), forbidden);
    for (const api of [auditor, operator, user]) {
      await assert.rejects(api.deleteSession({ params, query: body }), forbidden);
      await assert.rejects(api.getBackup({}), forbidden);
    }
    await assert.rejects(user.getEvidence({ params }), forbidden);
    assert.equal((await auditor.holdSession({ params, body })).held, true);
    assert.equal((await operator.getEvidence({ params })).held, true);
    await assert.rejects(lucid.api.deleteSession({ params, query: body }), { code: 'wrong_state' });
  });

  test('a chunk that is lost breaks a download off, is told in health, and is left out of the next', async () => {
    const id = await record();
    const { items } = await lucid.api.listChunks({ params: { id }, query: {} });
    const { stream, index } = items.find((chunk) => chunk.stream === 'screen')!;
    const name = readdirSync(join(homeOf(id), stream)).find((file) => Number.parseInt(file, 10) === index)!;
    renameSync(join(homeOf(id), stream, name), join(lucid.folder, 'lost'));
    await assert.rejects(async () => (await bundle(id)).arrayBuffer());

    const health = async () => {
      const response = await fetch(`http://127.0.0.1:${lucid.running.ports['session-storage']}/health`);
      return (await response.json()) as { status: string; checks: Record<string, { detail: string }> };
    };
    await eventually('the check that follows finds it', async () => (await health()).status === 'degraded');
    assert.match((await health()).checks.evidence.detail, new RegExp(`${id}/${stream}/${name}: is missing`));
    const folder = join(lucid.folder, 'without');
    await lucid.lucid('session', 'download', id, '--unpack', '--output', folder);
    const verdict = await lucid.lucid('verify', folder, '--node-key', nodeKey).catch((error) => error.message);
    assert.match(verdict, new RegExp(`${stream}/${name}: is missing`));

    const [problem] = (await json('storage', 'problems')).items;
    await lucid.lucid('storage', 'acknowledge', problem.id);
    assert.equal((await health()).status, 'healthy');
    renameSync(join(lucid.folder, 'lost'), join(homeOf(id), stream, name));
    await lucid.lucid('storage', 'check', id);
    await eventually('no damage', async () => (await json('storage', 'status')).problems === 0);
  });

  test('a backup made while Lucid runs is restored elsewhere, checked, and gives the same bundles', async () => {
    const id = await record();
    const backup = join(lucid.folder, 'backup.tar');
    await lucid.lucid('backup', '--output', backup);
    const elsewhere = mkdtempSync(join(tmpdir(), 'lucid-elsewhere-'));
    const restored = await json('restore', backup, '--data', elsewhere);
    assert.deepEqual(restored.damaged, []);
    assert.ok(restored.sessions >= 1);
    await assert.rejects(lucid.lucid('restore', backup, '--data', elsewhere), /is not empty/);
    const report = await json('fsck', '--data', elsewhere, '--rebuild');
    assert.deepEqual(report.problems, []);
    assert.equal(report.sessions, restored.sessions);
    const [was, is] = [homeOf(id), join(elsewhere, 'session-storage', 'sessions', id)];
    assert.deepEqual(readdirSync(is, { recursive: true }).sort(), readdirSync(was, { recursive: true }).sort());
    for (const name of ['open.note', 'close.note', 'leaves.txt']) {
      assert.ok(readFileSync(join(is, name)).equals(readFileSync(join(was, name))));
    }
    rmSync(elsewhere, { recursive: true });
    await assert.rejects(
      lucid.lucid('fsck', '--data', join(lucid.folder, 'data')),
      /is in use by another Lucid process/,
    );
    await assert.rejects(lucid.lucid('fsck', '--data', lucid.folder), /holds no store/);
    assert.match(await lucid.lucid('storage', 'status'), /new sessions +taken/);
    assert.match(await lucid.lucid('storage', 'list'), new RegExp(id));
  });
});

test('a live session that reaches its quota is ended in words, and its recording is whole', async () => {
  const desktop = await DemoDesktop.start({ tickMs: 20, credentials: { userName: 'kiosk', password: PASSWORD } });
  const lucid = await TestLucid.start({ LUCID_SESSION_QUOTA_BYTES: '5000', LUCID_CHUNK_SECONDS: '1' });
  try {
    const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port, user: 'kiosk' };
    await lucid.api.createServer({ body: { name: 'demo', spec, password: PASSWORD } });
    const ticket = await lucid.createSession('demo', { input: true });
    const client = await HeadlessClient.connect({
      to: { host: ticket.gateway.host, port: ticket.gateway.port },
      pin: ticket.gateway.certificate_sha256,
      userName: ticket.ticket_id,
      password: ticket.secret,
    });
    const { id, reason } = await lucid.until(ticket.session.id, 'completed');
    assert.match(reason!, /the recording has reached its quota of 5000 bytes/);
    await client.waitForEnd();
    const key = (await lucid.lucid('session', 'node-key')).trim();
    const folder = await lucid.bundleOf(id);
    const verdict = await lucid.lucid('verify', folder, '--identity', lucid.identityFile, '--node-key', key);
    assert.match(verdict, /VERIFIED/);
    assert.ok((await lucid.api.getEvidence({ params: { id } })).stored_bytes >= 5000);
  } finally {
    await lucid.close();
    await desktop.close();
  }
});

test('ranges as RFC 9110 writes them; what is none is answered with the whole', () => {
  const cases: [header: string, expected: ReturnType<typeof readRange>][] = [
    ['bytes=0-', { from: 0, to: 1000 }],
    ['bytes=0-0', { from: 0, to: 1 }],
    ['bytes=10-19', { from: 10, to: 20 }],
    ['bytes=990-5000', { from: 990, to: 1000 }],
    ['bytes=-10', { from: 990, to: 1000 }],
    ['bytes=-5000', { from: 0, to: 1000 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=1000-', 'unsatisfiable'],
    ['bytes=20-10', null],
    ['bytes=-', null],
    ['bytes=0-1,5-6', null],
    ['items=0-1', null],
    ['bytes=99999999999999999-', null],
  ];
  for (const [header, expected] of cases) assert.deepEqual(readRange(header, 1000), expected, header);
});
