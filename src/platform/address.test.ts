import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressKey, isLoopback } from './address.ts';

test('IPv6 addresses count by their /64', () => {
  assert.equal(addressKey('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  assert.equal(addressKey('2001:db8:1:2::1'), '2001:db8:1:2::/64');
  assert.equal(addressKey('2001:0db8::9'), '2001:db8:0:0::/64');
  assert.equal(addressKey('::1'), '0:0:0:0::/64');
  assert.equal(addressKey('fe80::1%eth0'), 'fe80:0:0:0::/64');
});

test('IPv4 addresses count whole, mapped into IPv6 or not; anything else as it is', () => {
  assert.equal(addressKey('192.0.2.1'), '192.0.2.1');
  assert.equal(addressKey('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(addressKey('not an address'), 'not an address');
});

test('loopback is 127.0.0.0/8 and ::1, nothing that looks like it', () => {
  for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(address), address);
  for (const address of ['128.0.0.1', '::2', '127.evil.example', '::ffff:192.0.2.1', '', undefined]) {
    assert.ok(!isLoopback(address), address);
  }
});
