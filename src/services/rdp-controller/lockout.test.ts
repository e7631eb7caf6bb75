import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lockout } from './lockout.ts';

test('an address is locked out after so many wrong tickets, and let off after the time', () => {
  const clock = { now: 0 };
  const lockout = new Lockout({ attempts: 3, seconds: 600, now: () => clock.now });
  for (let i = 0; i < 3; i++) {
    lockout.check('192.0.2.1');
    lockout.fail('192.0.2.1');
  }
  assert.throws(() => lockout.check('192.0.2.1'), { code: 'limit_reached', message: /Try again in 10 min/ });
  assert.throws(() => lockout.check('::ffff:192.0.2.1'), { code: 'limit_reached' });
  lockout.check('192.0.2.2');
  clock.now = 599_999;
  assert.throws(() => lockout.check('192.0.2.1'), { message: /in 1 min/ });
  clock.now = 600_000;
  lockout.check('192.0.2.1');
});

test('the table is bounded: the address that was quiet longest goes first', () => {
  const lockout = new Lockout({ attempts: 1, seconds: 600, now: () => 0 });
  lockout.fail('first');
  for (let i = 0; i < 10_000; i++) lockout.fail(`10.0.${i >> 8}.${i & 255}`);
  lockout.check('first');
  assert.throws(() => lockout.check('10.0.0.0'));
});
