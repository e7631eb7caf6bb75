import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { canonicalJson } from '#contract/canonical-json.ts';
import type { Policy, Role } from '#contract/common.ts';
import { openDatabase } from '#platform/database.ts';
import { newId } from '#platform/id.ts';
import { policyHash } from '#platform/policy-hash.ts';
import { migrations, type Tables } from './database.ts';
import { NamedPolicies } from './named-policies.ts';
import { resolvePolicy, wishedPolicy } from './policies.ts';

const rules = {
  defaults: ['input'],
  user: ['clipboard_to_server'],
  sessionMinutes: 480,
  idleMinutes: 30,
  approvalRoles: [] as string[],
};
const limits = { max_minutes: 480, idle_minutes: 30 };
const server_id = newId();
const resolve = (role: Role, policy?: Policy, changes = {}) =>
  resolvePolicy({ role, server_id, ...(policy && { policy }) }, { ...rules, ...changes });

test('what is not asked for is denied, and both time limits are always there', () => {
  assert.deepEqual(resolve('operator'), { input: true, ...limits });
  assert.deepEqual(resolve('operator', {}), limits);
  assert.deepEqual(resolve('operator', { input: false, drives: true, max_minutes: 5 }), {
    drives: true,
    ...limits,
    max_minutes: 5,
  });
});

test('how pictures travel is said only where it is restricted', () => {
  assert.deepEqual(resolve('user', { profiles: ['bitmaps'], bulk_compression: false }), {
    profiles: ['bitmaps'],
    bulk_compression: false,
    ...limits,
  });
  assert.deepEqual(resolve('user', { bulk_compression: true }), limits);
});

test('a user may ask for what the deployment allows users, no more', () => {
  const asked: Policy = { input: true, clipboard_to_server: true, idle_minutes: 10 };
  assert.deepEqual(resolve('user', asked), { ...asked, max_minutes: 480 });
  assert.throws(() => resolve('user', { drives: true }), { code: 'forbidden', message: /drives/ });
  assert.throws(() => resolve('user', { max_minutes: 481 }), { message: /max_minutes above 480/ });
  assert.throws(() => resolve('auditor'), { code: 'forbidden' });
});

test('a named policy goes beyond the role, for its roles and servers alone; some need an approval', async () => {
  const policies = new NamedPolicies(await openDatabase<Tables>(':memory:', migrations), rules);
  const files = await policies.create({
    name: 'files',
    policy: { drives: true },
    roles: ['user'],
    servers: [server_id],
  });
  const wish = { role: 'user', server_id, named: files } as const;
  assert.deepEqual(resolvePolicy(wish, rules), { drives: true, ...limits });
  assert.equal(files.policy_sha256, policyHash({ drives: true, ...limits }).toString('hex'));
  assert.throws(() => resolvePolicy({ ...wish, role: 'admin' }, rules), { code: 'forbidden', message: /role admin/ });
  assert.throws(() => resolvePolicy({ ...wish, server_id: newId() }, rules), { message: /not for this server/ });
  const guarded = await policies.update(files.id, { approval: true, servers: null });
  const elsewhere = { ...wish, server_id: newId(), named: guarded };
  assert.throws(() => resolvePolicy(elsewhere, rules), { code: 'approval_needed' });
  assert.deepEqual(wishedPolicy(elsewhere, rules), { drives: true, ...limits });
  assert.throws(() => resolve('operator', {}, { approvalRoles: ['operator'] }), { code: 'approval_needed' });
});

test('a policy that says nothing allows nothing to nobody; names are unique; lists run by name and role', async () => {
  const policies = new NamedPolicies(await openDatabase<Tables>(':memory:', migrations), rules);
  const nothing = await policies.create({ name: 'nothing' });
  assert.deepEqual([nothing.policy, nothing.roles, nothing.servers, nothing.approval], [{}, [], null, false]);
  const all = await policies.create({ name: 'all', roles: ['admin', 'user'], servers: [] });
  assert.throws(() => resolvePolicy({ role: 'admin', server_id, named: all }, rules), {
    message: /not for this server/,
  });
  await assert.rejects(policies.create({ name: 'all' }), { code: 'conflict' });
  await assert.rejects(policies.update(nothing.id, { name: 'all' }), { code: 'conflict' });
  assert.equal(
    (await policies.update(all.id, { name: 'all', description: 'the same name' })).description,
    'the same name',
  );
  const page = await policies.list({ limit: 1 });
  assert.deepEqual([page.items[0].name, page.next_cursor], ['all', 'all']);
  assert.deepEqual(
    (await policies.list({ role: 'user' })).items.map(({ name }) => name),
    ['all'],
  );
  await policies.delete(all.id);
  for (const id of [all.id, newId()]) {
    await assert.rejects(policies.delete(id), { code: 'not_found' });
    await assert.rejects(policies.update(id, { approval: true }), { code: 'not_found' });
    await assert.rejects(policies.get(id), { code: 'not_found' });
  }
  await assert.rejects(policies.named('all'), { code: 'not_found' });
});

test('the hash is over canonical JSON: order and denials make no difference, allowances do', () => {
  const hash = (policy: Policy) => policyHash(policy).toString('hex');
  const text = '{"input":true,"max_minutes":480}';
  assert.equal(hash({ max_minutes: 480, input: true }), createHash('sha256').update(text).digest('hex'));
  assert.equal(hash({ input: true, drives: false, max_minutes: 480 }), hash({ max_minutes: 480, input: true }));
  assert.notEqual(hash({ input: true }), hash({ input: true, drives: true }));
});

test('canonical JSON sorts members, escapes as JSON does, and refuses what has no one spelling', () => {
  assert.equal(
    canonicalJson({ b: [1, null, 'ä"'], a: { d: false, c: undefined } }),
    '{"a":{"d":false},"b":[1,null,"ä\\""]}',
  );
  assert.throws(() => canonicalJson({ a: 0.5 }), TypeError);
  assert.throws(() => canonicalJson(() => 1), TypeError);
});
