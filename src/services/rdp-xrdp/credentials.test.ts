import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCredentials } from './credentials.ts';

const ID = '0199d6c0-0000-7000-8000-000000000001';

test('a routing token names the ticket, the user name is its secret', () => {
  const found = readCredentials(`Cookie: msts=${ID}`, { userName: 'SECRET', password: '' });
  assert.deepEqual(found, { ticketId: ID, secret: 'SECRET' });
});

test('with a routing token the secret may stand in the password alone', () => {
  const found = readCredentials(`Cookie: msts=${ID}`, { userName: '', password: 'SECRET' });
  assert.deepEqual(found, { ticketId: ID, secret: 'SECRET' });
});

test('without a routing token the user name is the ticket, the password its secret', () => {
  const found = readCredentials(null, { userName: ` ${ID.toUpperCase()} `, password: 'SECRET' });
  assert.deepEqual(found, { ticketId: ID, secret: 'SECRET' });
});

test('a routing token of another kind does not name a ticket', () => {
  assert.equal(readCredentials('tsv://MS Terminal Services Plugin.1.x', { userName: '', password: 'S' }), null);
});

test('a missing part is no ticket', () => {
  assert.equal(readCredentials(null, { userName: ID, password: '' }), null);
  assert.equal(readCredentials('Cookie: msts=', { userName: 'S', password: '' }), null);
  assert.equal(readCredentials(null, { userName: 'x'.repeat(200), password: 'S' }), null);
});
