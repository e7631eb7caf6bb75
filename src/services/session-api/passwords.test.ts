import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashPassword, verifyPassword } from './passwords.ts';

test('a password is verified, another is not, and no two hashes are alike', async () => {
  const hash = await hashPassword('correct horse battery');
  assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(await verifyPassword('correct horse battery', hash), true);
  assert.equal(await verifyPassword('correct horse batterz', hash), false);
  assert.notEqual(await hashPassword('correct horse battery'), hash);
});

test('the spelling of a letter in Unicode makes no difference', async () => {
  const hash = await hashPassword('caf\u00e9 caf\u00e9 caf\u00e9');
  assert.equal(await verifyPassword('cafe\u0301 cafe\u0301 cafe\u0301', hash), true);
});

test('nobody and a damaged hash verify as false', async () => {
  assert.equal(await verifyPassword('x', null), false);
  assert.equal(await verifyPassword('x', '$argon2id$v=19$m=1'), false);
});

test('more log-ins than can wait are turned away', async () => {
  const results = await Promise.allSettled(Array.from({ length: 40 }, () => verifyPassword('x', null)));
  const refused = results.filter((result) => result.status === 'rejected');
  assert.equal(refused.length, 6);
  assert.equal(refused[0].reason.code, 'limit_reached');
});
