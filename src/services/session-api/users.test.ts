import assert from 'node:assert/strict';
import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import { openDatabase } from '#platform/database.ts';
import { migrations, type Tables } from './database.ts';
import { Tokens } from './tokens.ts';
import { Users } from './users.ts';

const password = 'a long password';

async function setUp() {
  const database = await openDatabase<Tables>(':memory:', migrations);
  return { database, users: new Users(database) };
}

test('the first admin is made once, from a fit password only', async () => {
  const { users } = await setUp();
  await users.createFirstAdmin('admin', '');
  assert.equal(await users.count(), 0);
  await assert.rejects(users.createFirstAdmin('admin', 'short'), /LUCID_ADMIN_PASSWORD: wants 12 characters/);
  await assert.rejects(users.createFirstAdmin('Admin!', password), /LUCID_ADMIN_NAME=Admin!/);
  await users.createFirstAdmin('admin', password);
  await users.createFirstAdmin('other', password);
  assert.deepEqual(
    (await users.list({})).items.map(({ name, role }) => [name, role]),
    [['admin', 'admin']],
  );
});

test('an unknown name and a wrong password are told alike', async () => {
  const { users } = await setUp();
  await users.create({ name: 'alice', role: 'user', password });
  assert.equal((await users.logIn('alice', password)).user.name, 'alice');
  const words = { code: 'unauthenticated', message: 'name or password is wrong' };
  await assert.rejects(users.logIn('alice', 'wrong'), words);
  await assert.rejects(users.logIn('bob', password), words);
});

test('names are unique, the last admin stays, pages follow each other', async () => {
  const { users } = await setUp();
  const { id } = await users.create({ name: 'root', role: 'admin', password });
  await assert.rejects(users.create({ name: 'root', role: 'user', password }), { code: 'conflict' });
  await assert.rejects(users.delete(id), { code: 'conflict', message: /last admin/ });
  await users.create({ name: 'second', role: 'admin', password });
  const first = await users.list({ limit: 1 });
  assert.deepEqual([first.items[0].name, first.next_cursor], ['root', 'root']);
  const second = await users.list({ limit: 1, cursor: 'root' });
  assert.deepEqual([second.items[0].name, second.next_cursor], ['second', null]);
  await users.delete(id);
  await assert.rejects(users.delete(id), { code: 'not_found' });
});

test('a changed password ends the tokens given out before', async () => {
  const { users } = await setUp();
  const { id } = await users.create({ name: 'alice', role: 'user', password });
  const { epoch } = await users.logIn('alice', password);
  assert.equal((await users.ofToken(id, epoch))?.name, 'alice');
  await assert.rejects(users.changePassword(id, 'wrong', 'another password'), { code: 'forbidden' });
  await users.changePassword(id, password, 'another password');
  assert.equal(await users.ofToken(id, epoch), null);
  await assert.rejects(users.logIn('alice', password), { code: 'unauthenticated' });
});

test('tokens are signed by a key that only this service can read, and no other is taken', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'lucid-tokens-')), 'keys');
  const tokens = Tokens.open(folder, 3600);
  assert.equal(statSync(join(folder, 'token-key.pem')).mode & 0o777, 0o600);
  const { token } = await tokens.sign('someone', 3);
  assert.deepEqual(await tokens.verify(token), { userId: 'someone', epoch: 3 });
  assert.deepEqual(await Tokens.open(folder, 3600).verify(token), { userId: 'someone', epoch: 3 });

  const refused = { code: 'unauthenticated' };
  const other = Tokens.open(mkdtempSync(join(tmpdir(), 'lucid-tokens-')), 3600);
  await assert.rejects(tokens.verify((await other.sign('someone', 3)).token), refused);
  await assert.rejects(tokens.verify((await Tokens.open(folder, -1).sign('someone', 3)).token), refused);
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`;
  await assert.rejects(tokens.verify(none), refused);
  const symmetric = await new SignJWT({ epoch: 3 })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('someone')
    .setIssuer('lucid')
    .setExpirationTime('1h')
    .sign(Buffer.alloc(32));
  await assert.rejects(tokens.verify(symmetric), refused);
});
