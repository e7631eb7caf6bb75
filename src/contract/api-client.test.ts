import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApiClient, type Fetch } from './api-client.ts';

interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A client whose requests get these answers in turn; null: the connection is lost. */
function scripted(answers: (Answer | null)[], options = {}) {
  const sent: { method: string; url: string; headers: Record<string, string> }[] = [];
  const waits: number[] = [];
  const fetch = async (url: string, init: { method: string; headers: Record<string, string> }) => {
    sent.push({ url, method: init.method, headers: init.headers });
    const answer = answers.shift();
    if (!answer) throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
    const { status, body = {}, headers } = answer;
    return new Response(JSON.stringify(body), { status, ...(headers && { headers }) });
  };
  const sleep = async (ms: number) => {
    waits.push(ms);
  };
  const url = 'http://lucid.example/';
  return { api: createApiClient({ url, token: 't', fetch: fetch as Fetch, sleep, ...options }), sent, waits };
}

const busy = { status: 503, body: { error: { code: 'unavailable', message: 'later', details: null } } };
const limited = (after: string) => ({
  status: 429,
  headers: { 'retry-after': after },
  body: { error: { code: 'limit_reached', message: 'slower', details: null } },
});

test('a request carries the token, and its path, query and body', async () => {
  const { api, sent } = scripted([{ status: 200, body: { items: [], next_cursor: null } }]);
  assert.deepEqual(await api.listSessions({ query: { limit: 2, label: 'team=a b' } }), {
    items: [],
    next_cursor: null,
  });
  assert.deepEqual(sent, [
    {
      url: 'http://lucid.example/api/v1/sessions?limit=2&label=team%3Da%20b',
      method: 'GET',
      headers: { authorization: 'Bearer t' },
    },
  ]);
});

test('what is refused for now is sent again when Retry-After says, in seconds or as a date', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-20T12:00:00Z') });
  const date = 'Fri, 20 Nov 2026 12:00:20 GMT';
  const { api, sent, waits } = scripted([limited('7'), limited(date), busy, { status: 200, body: { items: [] } }]);
  await api.listNodes({});
  assert.equal(sent.length, 4);
  assert.deepEqual(waits.slice(0, 2), [7000, 20_000]);
  assert.ok(waits[2] > 0 && waits[2] <= 2000);
});

test('it gives up after so many times, and at once when it would have to wait too long', async () => {
  const often = scripted([busy, busy, busy], { retries: 2 });
  await assert.rejects(often.api.listNodes({}), { code: 'unavailable', message: 'later' });
  assert.equal(often.sent.length, 3);
  const long = scripted([limited('600')]);
  await assert.rejects(long.api.listNodes({}), { code: 'limit_reached' });
  assert.deepEqual(long.waits, []);
});

test('a create has one key however often it is sent, the caller’s if it gives one; other changes are not sent twice', async () => {
  const user = { body: { name: 'alice', role: 'user', password: 'a long password' } } as const;
  const lost = scripted([null, busy, { status: 200 }]);
  await lost.api.createUser(user);
  const keys = lost.sent.map(({ headers }) => headers['idempotency-key']);
  assert.equal(new Set(keys).size, 1);
  assert.match(keys[0], /^[0-9a-f-]{36}$/);
  const given = scripted([{ status: 200 }]);
  await given.api.createUser({ ...user, idempotencyKey: 'my-key' });
  assert.equal(given.sent[0].headers['idempotency-key'], 'my-key');

  const params = { id: '01a1f8d3-ea00-7cfa-8559-43ed7bb2212e' };
  for (const refusal of [busy, null]) {
    const stop = scripted([refusal]);
    await assert.rejects(stop.api.stopSession({ params, body: {} }), { code: 'unavailable' });
    assert.equal(stop.sent.length, 1);
  }
  const early = scripted([limited('1'), { status: 200 }]);
  await early.api.stopSession({ params, body: {} });
  assert.equal(early.sent.length, 2);
});

test('an error is told as the API told it; what is no answer of the API, and no answer at all, have words of their own', async () => {
  const known = scripted([
    { status: 404, body: { error: { code: 'not_found', message: 'no such', details: { a: 1 } } } },
  ]);
  await assert.rejects(known.api.listNodes({}), { code: 'not_found', message: 'no such', details: { a: 1 } });
  const proxy = scripted([{ status: 418, body: 'teapot' }]);
  await assert.rejects(proxy.api.listNodes({}), { code: 'upstream_failed', message: /status 418/ });
  const silent = scripted([null], { retries: 0 });
  await assert.rejects(silent.api.listNodes({}), {
    code: 'unavailable',
    message: 'no answer from http://lucid.example: connect ECONNREFUSED',
  });
});

test('a download comes in pieces, and is cancelled when its reader stops', async () => {
  const cancelled = Promise.withResolvers<void>();
  let n = 0;
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(Uint8Array.of(n++)),
    cancel: () => cancelled.resolve(),
  });
  const { api } = scripted([], { fetch: async () => new Response(body) });
  const bundle = await api.getBundle({ params: { id: 'x' }, query: {} });
  for await (const piece of bundle) if (piece[0] === 3) break;
  await cancelled.promise;
});
