import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDatabase } from '#platform/database.ts';
import { newId } from '#platform/id.ts';
import { ApiTokens } from './api-tokens.ts';
import { migrations, type Tables } from './database.ts';
import { Users } from './users.ts';

async function setUp() {
  const clock = { now: Date.parse('2026-11-20T12:00:00Z') };
  const database = await openDatabase<Tables>(':memory:', migrations);
  const owner = await new Users(database).create({ name: 'alice', role: 'user', password: 'a long password' });
  return { clock, database, owner, tokens: new ApiTokens(database, () => clock.now) };
}

test('a token is found by its secret alone, of which only a hash is kept, until it expires', async () => {
  const { clock, database, owner, tokens } = await setUp();
  const { token, ...shown } = await tokens.create(owner, { name: 'x', scopes: ['sessions:read'], expires_days: 1 });
  assert.equal((await tokens.verify(token)).id, shown.id);
  assert.ok(!JSON.stringify(await database.selectFrom('tokens').selectAll().execute()).includes(token.slice(6)));
  for (const other of [`${token}x`, token.slice(0, -1), 'lucid_']) {
    await assert.rejects(tokens.verify(other), { code: 'unauthenticated' });
  }
  clock.now += 86_400_000;
  await assert.rejects(tokens.verify(token), { code: 'unauthenticated', message: /expired/ });
});

test('its last use is kept to the minute', async () => {
  const { clock, owner, tokens } = await setUp();
  const { token } = await tokens.create(owner, { name: 'x', scopes: ['sessions:read'] });
  const used = async () => (await tokens.list({})).items[0].last_used_at;
  assert.equal(await used(), null);
  await tokens.verify(token);
  clock.now += 59_999;
  await tokens.verify(token);
  assert.equal(await used(), '2026-11-20T12:00:00.000Z');
  clock.now += 1;
  await tokens.verify(token);
  assert.equal(await used(), '2026-11-20T12:01:00.000Z');
});

test('a removed token ends at once, whatever was looked up before or meanwhile', async () => {
  const { owner, tokens } = await setUp();
  const { token, id } = await tokens.create(owner, { name: 'x', scopes: ['sessions:read'] });
  await assert.rejects(tokens.revoke(id, newId()), { code: 'not_found' });
  await Promise.all([tokens.verify(token), tokens.revoke(id, owner.id)]);
  await assert.rejects(tokens.verify(token), { code: 'unauthenticated' });
  await assert.rejects(tokens.revoke(id, null), { code: 'not_found' });
});

test('a role gets no scope that no route gives it, and a person so many tokens; they go with the person', async () => {
  const { database, owner, tokens } = await setUp();
  await assert.rejects(tokens.create(owner, { name: 'x', scopes: ['sessions:read', 'audit:read'] }), {
    code: 'forbidden',
    details: { useless: ['audit:read'] },
  });
  for (let i = 0; i < 100; i++) await tokens.create(owner, { name: `${i}`, scopes: ['sessions:read'] });
  await assert.rejects(tokens.create(owner, { name: 'x', scopes: ['sessions:read'] }), { code: 'limit_reached' });
  const page = await tokens.list({ user_id: owner.id, limit: 60 });
  const rest = await tokens.list({ user_id: owner.id, limit: 60, cursor: page.next_cursor! });
  assert.deepEqual([page.items.length, rest.items.length, rest.next_cursor], [60, 40, null]);
  await database.deleteFrom('users').where('id', '=', owner.id).execute();
  assert.deepEqual((await tokens.list({})).items, []);
});
