/** What `lucid` does for people, servers and tokens, through the API of a real Lucid. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { apiAt, TestLucid } from '../support/lucid.ts';

const FIRST = 'a first password';
const SECOND = 'a second password';

describe('the command line', () => {
  let lucid: TestLucid;
  let desktop: DemoDesktop;

  before(async () => {
    desktop = await DemoDesktop.start({ tickMs: 0 });
    lucid = await TestLucid.start({ LUCID_LOGINS_PER_MINUTE: '100' });
  });
  after(async () => {
    await lucid?.close();
    await desktop?.close();
  });

  const url = () => `http://127.0.0.1:${lucid.running.ports['session-api']}`;
  const logIn = (name: string, password: string) => apiAt(url()).logIn({ body: { name, password } });

  test('a user is added, gets another role and password, and is removed', async () => {
    const added = JSON.parse(await lucid.lucidReading(`${FIRST}\n`, 'user', 'add', 'alice', '--json'));
    assert.equal(added.role, 'user');
    await logIn('alice', FIRST);

    assert.match(await lucid.lucid('user', 'role', 'alice', 'operator'), /role +operator/);
    await lucid.lucidReading(SECOND, 'user', 'password', 'alice');
    await assert.rejects(logIn('alice', FIRST), { code: 'unauthenticated' });
    assert.equal((await logIn('alice', SECOND)).user.role, 'operator');
    assert.match(await lucid.lucid('user', 'list'), /^alice +operator/m);

    await lucid.lucid('user', 'remove', added.id);
    await assert.rejects(logIn('alice', SECOND), { code: 'unauthenticated' });
    await assert.rejects(lucid.lucid('user', 'remove', 'alice'), /there is no user alice; \.\/lucid user list tells/);
  });

  test('people change their own password, who know the old one', async () => {
    await lucid.api.createUser({ body: { name: 'bob', role: 'user', password: FIRST } });
    const { token } = await logIn('bob', FIRST);
    const change = (lines: string) => lucid.lucidAs(token, lines, 'user', 'password');
    await assert.rejects(change(`wrong\n${SECOND}\n`), /password/);
    await assert.rejects(change(FIRST), /standard input has 1 lines, wanted 2/);
    await change(`${FIRST}\n${SECOND}\n`);
    await logIn('bob', SECOND);
  });

  test('a token is shown once, serves for its scopes alone, and is revoked', async () => {
    const token = (await lucid.lucid('token', 'create', 'nightly', '--scopes', 'servers:read', '--days', '1')).trim();
    const { items } = await apiAt(url(), token).listServers({ query: {} });
    assert.ok(Array.isArray(items));
    await assert.rejects(apiAt(url(), token).listUsers({ query: {} }), { code: 'forbidden' });
    const [row] = JSON.parse(await lucid.lucid('token', 'list', '--json'));
    assert.equal(row.name, 'nightly');
    await lucid.lucid('token', 'revoke', row.id);
    await assert.rejects(apiAt(url(), token).listServers({ query: {} }), { code: 'unauthenticated' });
    await assert.rejects(lucid.lucid('token', 'create', 'x', '--scopes', 'all'), /all is none of sessions:read/);
  });

  test('of a server only what is named changes', async () => {
    const where = ['--host', '127.0.0.1', '--port', String(desktop.port)];
    await lucid.lucidReading('secret', 'server', 'add', 'host', ...where, '--user', 'kiosk', '--password-stdin');
    const changed = JSON.parse(
      await lucid.lucid('server', 'update', 'host', '--name', 'demo', '--user', 'eve', '--json'),
    );
    assert.equal(changed.name, 'demo');
    assert.deepEqual(changed.spec, { kind: 'external', host: '127.0.0.1', port: desktop.port, user: 'eve' });
    assert.equal(changed.has_password, true);
    assert.match(await lucid.lucid('server', 'update', 'demo', '--forget-password'), /password +none/);

    assert.match(await lucid.lucid('server', 'maintenance', 'demo', 'on'), /state +maintenance/);
    assert.match(await lucid.lucid('server', 'maintenance', 'demo', 'off'), /state +running/);

    await assert.rejects(lucid.lucid('server', 'update', 'demo'), /nothing to change/);
    await assert.rejects(lucid.lucid('server', 'update', 'demo', '--size', '800x600'), /--size is for hosted desktops/);
    await assert.rejects(lucid.lucid('server', 'update', 'demo', '--port', '0'), /--port 0: wants 1 to 65535/);
  });
});
