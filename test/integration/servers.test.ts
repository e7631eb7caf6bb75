/** rdp-server-manager with real desktops. External servers are desktops too, reached through a TCP port. */
import assert from 'node:assert/strict';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { ErrorCode } from '#contract/errors.ts';
import { ServiceError } from '#contract/errors.ts';
import type { Server } from '#contract/rdp-server-manager.ts';
import { openDatabase } from '#platform/database.ts';
import { newId } from '#platform/id.ts';
import { createLog } from '#platform/log.ts';
import { migrations, type Tables } from '#services/rdp-server-manager/database.ts';
import { Desktop } from '#services/rdp-server-manager/desktop/desktop.ts';
import { ServerStore } from '#services/rdp-server-manager/server-store.ts';
import { Servers } from '#services/rdp-server-manager/servers.ts';
import { Supervisor } from '#services/rdp-server-manager/supervisor.ts';
import { Vault } from '#services/rdp-server-manager/vault.ts';
import { eventually } from '../support/eventually.ts';
import { forwardTcp } from '../support/forwarder.ts';
import { needs } from '../support/needs.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-servers-'));
after(async () => {
  for (const name of globSync('*/desktops/*', { cwd: root })) await Desktop.clean(join(root, name));
  rmSync(root, { recursive: true, force: true });
});

/** The service's inside on a folder, as a start of Lucid makes it. */
async function openServers(folder: string, limit = 50) {
  const database = await openDatabase<Tables>(join(folder, 'servers.sqlite'), migrations);
  const store = new ServerStore(database);
  const supervisor = new Supervisor({
    store,
    host: { sandbox: 'bubblewrap', uid: 65532, hidden: [root] },
    folder: join(folder, 'desktops'),
    exposeDisplay: false,
    checkEveryMs: 300,
    log: createLog('silent'),
  });
  await supervisor.open();
  return {
    servers: new Servers(store, Vault.open(join(folder, 'vault.key')), supervisor, limit),
    async close(keep = false) {
      await supervisor.close(keep, 4000);
      await database.destroy();
    },
  };
}

const newFolder = () => mkdtempSync(join(root, 'x'));

/** Waits for a state, and for a problem in these words where they are given: a check under way may find another first. */
async function until(servers: Servers, id: string, state: Server['state'], problem = /(?:)/): Promise<Server> {
  const probe = async () => {
    const server = await servers.get(id);
    return server.state === state && problem.test(server.problem ?? '') && server;
  };
  return eventually(`server ${state}`, probe).catch(async (error) => {
    const { state: found, problem: words } = await servers.get(id);
    throw new Error(`${error.message}: it is ${found} (${words}), wanted ${problem}`, { cause: error });
  });
}

const refused = (code: ErrorCode, message: RegExp) => (error: Error) => {
  assert.ok(error instanceof ServiceError, error.stack);
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

describe('hosted servers', { skip: needs('bwrap', 'xrdp', 'Xvnc', 'openbox', 'xterm'), concurrency: false }, () => {
  test('are created stopped, start, restart, stop and go', async () => {
    const folder = newFolder();
    const { servers, close } = await openServers(folder);
    const { id, state } = await servers.create({ name: 'build-1', spec: { kind: 'hosted' } });
    assert.equal(state, 'stopped');
    await assert.rejects(servers.target(id), refused('unavailable', /^server build-1 is stopped$/));
    assert.equal((await servers.start(id)).state, 'running');
    const target = await servers.target(id);
    assert.ok(existsSync(target.socket_path!));
    assert.equal(target.certificate_sha256?.length, 64);
    await assert.rejects(servers.start(id), refused('wrong_state', /running: it cannot become starting/));
    await assert.rejects(servers.remove(id), refused('wrong_state', /stop it first/));
    await assert.rejects(
      servers.update(id, { spec: { kind: 'hosted', width: 800 } }),
      refused('wrong_state', /stop it/),
    );
    assert.equal((await servers.restart(id)).state, 'running');
    assert.notEqual((await servers.target(id)).certificate_sha256, target.certificate_sha256);
    assert.equal((await servers.stop(id)).state, 'stopped');
    await servers.update(id, { name: 'build-2', spec: { kind: 'hosted', width: 800 } });
    await servers.remove(id);
    await assert.rejects(servers.get(id), refused('not_found', /there is no server/));
    assert.ok(!existsSync(join(folder, 'desktops', id)));
    await close();
  });

  test('come back after they were killed, and a server in maintenance admits nobody', async () => {
    const folder = newFolder();
    const { servers, close } = await openServers(folder);
    const { id } = await servers.create({ name: 'a', spec: { kind: 'hosted' } });
    await servers.start(id);
    const first = Desktop.adopt(join(folder, 'desktops', id))!;
    process.kill(first.pid, 'SIGKILL');
    const failed = await until(servers, id, 'failed');
    assert.equal(failed.problem, 'desktop: killed');
    await until(servers, id, 'running');
    assert.notEqual(Desktop.adopt(join(folder, 'desktops', id))?.pid, first.pid);

    assert.equal((await servers.update(id, { maintenance: true })).state, 'maintenance');
    await assert.rejects(servers.target(id), refused('unavailable', /is in maintenance/));
    assert.equal((await servers.update(id, { maintenance: false })).state, 'running');
    await close();
    assert.equal(Desktop.adopt(join(folder, 'desktops', id)), null);
  });

  test('that do not start say why', async () => {
    const { servers, close } = await openServers(newFolder());
    const { id } = await servers.create({ name: 'a', spec: { kind: 'hosted', command: 'exit 7' } });
    await servers
      .start(id)
      .catch(refused('upstream_failed', /^server a does not start: .*session ended with status 7/s));
    // The session may end just after the first handshake.
    const { problem } = await until(servers, id, 'failed');
    assert.match(problem!, /session ended with status 7/);
    await servers.stop(id);
    await close();
  });

  test('are taken over by a Lucid that comes back, or started again', async () => {
    const folder = newFolder();
    const first = await openServers(folder);
    const { id } = await first.servers.create({ name: 'a', spec: { kind: 'hosted' } });
    await first.servers.start(id);
    const { certificate_sha256 } = await first.servers.target(id);
    await first.close(true);

    const second = await openServers(folder);
    await until(second.servers, id, 'running');
    assert.equal((await second.servers.target(id)).certificate_sha256, certificate_sha256);
    await second.close();

    const third = await openServers(folder);
    await until(third.servers, id, 'running');
    assert.notEqual((await third.servers.target(id)).certificate_sha256, certificate_sha256);
    await third.close();
  });

  test('wrong specs, names taken and too many are refused; lists have pages', async () => {
    const { servers, close } = await openServers(newFolder(), 3);
    const spec = { kind: 'hosted' } as const;
    await assert.rejects(
      servers.create({ name: 'a', spec: { kind: 'hosted', xrdp: { port: '3389' } } }),
      refused('invalid_request', /xrdp.port: not settable/),
    );
    for (const name of ['c', 'a', 'b']) await servers.create({ name, spec });
    await assert.rejects(servers.create({ name: 'a', spec }), refused('conflict', /called a already/));
    await assert.rejects(servers.create({ name: 'd', spec }), refused('limit_reached', /at most 3/));
    const page = await servers.list(2, '');
    assert.deepEqual([page.items.map(({ name }) => name), page.next_cursor], [['a', 'b'], 'b']);
    const rest = await servers.list(2, page.next_cursor!);
    assert.deepEqual([rest.items.map(({ name }) => name), rest.next_cursor], [['c'], null]);
    await assert.rejects(servers.update(page.items[0].id, { name: 'c' }), refused('conflict', /called c already/));
    await assert.rejects(servers.get(newId()), refused('not_found', /there is no server/));
    await close();
  });
});

describe('external servers', { skip: needs('bwrap', 'xrdp', 'Xvnc', 'openbox', 'xterm') }, () => {
  test('are greeted, pinned, found down and up again; passwords are sealed', async (t) => {
    const host = { sandbox: 'bubblewrap', uid: 65532, hidden: [root] } as const;
    const desktop = await Desktop.start(newFolder(), {}, host);
    const forwarder = await forwardTcp(desktop.socketPath);
    t.after(async () => {
      forwarder.close();
      await desktop.stop();
    });
    const folder = newFolder();
    const { servers, close } = await openServers(folder);
    const spec = { kind: 'external', host: '127.0.0.1', port: forwarder.port, user: 'alice', domain: 'corp' } as const;
    const password = 'correct horse battery';
    const server = await servers.create({ name: 'ext', spec, password });
    assert.equal(server.state, 'running');
    assert.equal(server.certificate_sha256, desktop.fingerprint);
    assert.equal(server.has_password, true);
    assert.ok(!JSON.stringify(server).includes(password));
    for (const file of ['servers.sqlite', 'servers.sqlite-wal']) {
      assert.ok(!readFileSync(join(folder, file)).includes(password), file);
    }
    assert.deepEqual(await servers.target(server.id), {
      ...{ server_id: server.id, socket_path: null, host: '127.0.0.1', port: forwarder.port },
      ...{ user: 'alice', domain: 'corp', password, certificate_sha256: desktop.fingerprint },
    });
    await servers.pin(server.id, desktop.fingerprint);
    await assert.rejects(servers.pin(server.id, 'f'.repeat(64)), refused('conflict', /another certificate/));

    const other = { ...spec, certificate_sha256: 'e'.repeat(64) };
    const liar = await servers.create({ name: 'liar', spec: other });
    assert.equal(liar.state, 'failed');
    assert.match(liar.problem!, /shows certificate .* not the pinned e{64}/);

    forwarder.close();
    await until(servers, server.id, 'failed', /connecting: .*ECONNREFUSED/);
    await assert.rejects(servers.target(server.id), refused('unavailable', /is failed: connecting: /));
    const again = await forwardTcp(desktop.socketPath, forwarder.port);
    await until(servers, server.id, 'running');
    again.close();

    assert.equal((await servers.update(server.id, { password: null })).has_password, false);
    await until(servers, server.id, 'failed');
    await servers.remove(server.id);
    await close();
  });
});
