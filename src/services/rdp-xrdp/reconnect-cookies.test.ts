import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { AutoReconnectPacket } from '#rdp/pdu/auto-reconnect.ts';
import { ReconnectCookies } from './reconnect-cookies.ts';

/** What a client makes of the cookie it was given, written without the library. */
function prove({ logonId, secret }: AutoReconnectPacket): AutoReconnectPacket {
  return { logonId, secret: createHmac('md5', secret).update(Buffer.alloc(32)).digest() };
}

test('a cookie opens its session once', () => {
  const cookies = new ReconnectCookies();
  const proof = prove(cookies.issue('a'));
  assert.equal(cookies.redeem(proof), 'a');
  assert.equal(cookies.redeem(proof), null);
});

test('the cookie itself is no proof, and a wrong proof spends nothing', () => {
  const cookies = new ReconnectCookies();
  const cookie = cookies.issue('a');
  assert.equal(cookies.redeem(cookie), null);
  assert.equal(cookies.redeem({ logonId: cookie.logonId + 1, secret: prove(cookie).secret }), null);
  assert.equal(cookies.redeem(prove(cookie)), 'a');
});

test('after a connection has ended its cookie serves for five minutes', () => {
  const cookies = new ReconnectCookies();
  const early = cookies.issue('a');
  const late = cookies.issue('b');
  cookies.expire('a', 0);
  cookies.expire('b', 0);
  assert.equal(cookies.redeem(prove(early), 299_999), 'a');
  assert.equal(cookies.redeem(prove(late), 300_000), null);
});

test('a new cookie, or the end of the session, voids the old one', () => {
  const cookies = new ReconnectCookies();
  const first = cookies.issue('a');
  const second = cookies.issue('a');
  assert.equal(cookies.redeem(prove(first)), null);
  cookies.revoke('a');
  assert.equal(cookies.redeem(prove(second)), null);
});
