import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Type } from 'typebox';
import { IdParams } from '#contract/common.ts';
import { BYTES, createClient, defineContract, STREAM } from '#contract/contract.ts';
import { ServiceError } from '#contract/errors.ts';
import type { ServiceName } from '#contract/services.ts';
import { PrivateAuthority, type TlsFiles } from '../pki.ts';
import { createApp, implement } from './app.ts';
import { type Listener, listen } from './listener.ts';
import { httpsTransport, injectTransport } from './transport.ts';

const contract = defineContract('session-storage', {
  double: {
    method: 'POST',
    path: '/v1/double/:times',
    summary: 'double a number',
    callers: ['rdp-xrdp'],
    params: Type.Object({ times: Type.Integer({ minimum: 1, maximum: 3 }) }),
    body: Type.Object({ value: Type.Number() }, { additionalProperties: false }),
    response: Type.Object({ value: Type.Number() }),
  },
  reverse: {
    method: 'PUT',
    path: '/v1/reverse',
    summary: 'reverse bytes',
    callers: ['rdp-xrdp'],
    body: BYTES,
    response: BYTES,
  },
  flow: {
    method: 'GET',
    path: '/v1/flow/:parts',
    summary: 'so many parts of 64 KiB',
    callers: ['rdp-xrdp'],
    params: Type.Object({ parts: Type.Integer() }),
    response: STREAM,
  },
  show: {
    method: 'GET',
    path: '/v1/things/:id',
    summary: 'show a thing',
    callers: ['rdp-xrdp'],
    params: IdParams,
    response: Type.Object({}),
  },
  fail: { method: 'GET', path: '/v1/fail', summary: 'fail', callers: ['anyone'], response: Type.Object({}) },
});

const logged: string[] = [];
const log = pino({ level: 'error' }, { write: (line: string) => void logged.push(line) });

const PART = Buffer.alloc(65_536, 1);
let given = 0;
let flowEnded = Promise.withResolvers<void>();

function* parts(count: number): Generator<Buffer> {
  try {
    for (given = 0; given < count; given++) yield PART;
  } finally {
    flowEnded.resolve();
  }
}

const app = createApp({
  contract,
  handlers: implement(contract, {
    double: ({ params, body }) => ({ value: body.value * 2 ** params.times }),
    reverse: ({ body }) => Uint8Array.from(body).reverse(),
    flow: ({ params }) => {
      if (params.parts < 0) throw new ServiceError('wrong_state', 'there is nothing');
      return Readable.from(parts(params.parts));
    },
    show: () => ({}),
    fail: () => {
      throw new Error('a secret cause');
    },
  }),
  checks: { self: () => ({ status: 'healthy' }) },
  log,
  registry: new Registry(),
});

const folder = mkdtempSync(join(tmpdir(), 'lucid-http-'));
let authority: PrivateAuthority;
let listener: Listener;

before(async () => {
  authority = await PrivateAuthority.open(folder);
  listener = await listen({
    app,
    host: '127.0.0.1',
    port: 0,
    tls: await authority.issue('session-storage'),
    mutual: true,
  });
});
after(async () => {
  await listener.close(100);
  await app.close();
  rmSync(folder, { recursive: true });
});

function overTls(service: ServiceName, tls: TlsFiles) {
  return createClient(contract, httpsTransport(service, new URL(`https://127.0.0.1:${listener.port}`), tls));
}

const refused = (code: string) => (error: unknown) => error instanceof ServiceError && error.code === code;

test('the same call works in process and over mutual TLS', async () => {
  const local = createClient(
    contract,
    injectTransport(() => app, 'rdp-xrdp'),
  );
  const remote = overTls('session-storage', await authority.issue('rdp-xrdp'));
  for (const client of [local, remote]) {
    assert.deepEqual(await client.double({ params: { times: 2 }, body: { value: 3 } }), { value: 12 });
    assert.deepEqual([...(await client.reverse({ body: Uint8Array.of(1, 2, 3) }))], [3, 2, 1]);
  }
});

test('a stream is handed on as it is read, and its source ends when its reader goes', async () => {
  for (const client of [
    createClient(
      contract,
      injectTransport(() => app, 'rdp-xrdp'),
    ),
    overTls('session-storage', await authority.issue('rdp-xrdp')),
  ]) {
    let bytes = 0;
    for await (const part of await client.flow({ params: { parts: 200 } })) bytes += part.length;
    assert.equal(bytes, 200 * PART.length);

    flowEnded = Promise.withResolvers();
    for await (const _part of await client.flow({ params: { parts: 100_000 } })) break;
    await flowEnded.promise;
    assert.ok(given < 1000, `${given} parts were read ahead`);
    await assert.rejects(client.flow({ params: { parts: -1 } }), refused('wrong_state'));
  }
});

test('a service that a route does not name is refused, in process and over TLS', async () => {
  const local = createClient(
    contract,
    injectTransport(() => app, 'rdp-monitor'),
  );
  const remote = overTls('session-storage', await authority.issue('rdp-monitor'));
  for (const client of [local, remote]) {
    await assert.rejects(client.reverse({ body: Uint8Array.of(1) }), refused('forbidden'));
  }
});

test('a certificate of another authority counts for nothing', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'lucid-http-'));
  const stranger = await (await PrivateAuthority.open(elsewhere)).issue('rdp-xrdp');
  const { ca } = await authority.issue('rdp-xrdp');
  await assert.rejects(
    overTls('session-storage', { ...stranger, ca }).reverse({ body: Uint8Array.of(1) }),
    refused('forbidden'),
  );
  rmSync(elsewhere, { recursive: true });
});

test('a server with the wrong name is not trusted', async () => {
  const client = overTls('rdp-controller', await authority.issue('rdp-xrdp'));
  await assert.rejects(client.reverse({ body: Uint8Array.of(1) }), refused('unavailable'));
});

test('plain HTTP serves health and metrics, and no route of the contract', async () => {
  const base = `http://127.0.0.1:${listener.port}`;
  const health = await fetch(`${base}/health`);
  assert.equal(health.status, 200);
  assert.equal(((await health.json()) as { status: string }).status, 'healthy');
  assert.match(await (await fetch(`${base}/metrics`)).text(), /lucid_http_requests_total/);
  const denied = await fetch(`${base}/v1/double/1`, {
    method: 'POST',
    body: '{"value":1}',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(denied.status, 403);
});

test('bad input is told by field; unknown routes and wrong media types have codes of their own', async () => {
  const client = createClient(
    contract,
    injectTransport(() => app, 'rdp-xrdp'),
  );
  await assert.rejects(client.double({ params: { times: 9 }, body: { value: 1 } }), /times must be <= 3/);
  await assert.rejects(client.show({ params: { id: '123' } }), /params\/id is no id: wanted a UUID/);
  await assert.rejects(
    client.double({ params: { times: 1 }, body: { value: 1, more: 2 } as never }),
    refused('invalid_request'),
  );
  const answer = await fetch(`http://127.0.0.1:${listener.port}/nowhere`);
  assert.equal(answer.status, 404);
  assert.equal(((await answer.json()) as { error: { code: string } }).error.code, 'not_found');
});

test('what a handler did not mean to tell stays in the log', async () => {
  const answer = await fetch(`http://127.0.0.1:${listener.port}/v1/fail`);
  const body = await answer.text();
  assert.equal(answer.status, 500);
  assert.doesNotMatch(body, /secret cause/);
  assert.ok(logged.some((line) => line.includes('secret cause')));
});

test('a connection that sends garbage is closed', async () => {
  const socket = connect(listener.port, '127.0.0.1');
  socket.write('\x03\x00garbage\r\n\r\n');
  socket.resume();
  await once(socket, 'close');
});

test('closing does not wait for a client that keeps its connection open', async () => {
  const other = await listen({
    app,
    host: '127.0.0.1',
    port: 0,
    tls: await authority.issue('session-storage'),
    mutual: true,
  });
  const socket = connect(other.port, '127.0.0.1');
  socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(socket, 'data');
  const ended = once(socket, 'close');
  socket.resume();
  await other.close(60_000);
  await ended;
});

test('connections beyond the limit are turned away, and places come back', async () => {
  const tls = await authority.issue('session-storage');
  const small = await listen({ app, host: '127.0.0.1', port: 0, tls, mutual: true, maxConnections: 1 });
  const url = `http://127.0.0.1:${small.port}/health/live`;
  const held = connect(small.port, '127.0.0.1');
  await once(held, 'connect');
  await assert.rejects(fetch(url));
  held.destroy();
  const status = () =>
    fetch(url).then(
      (response) => response.status,
      () => 0,
    );
  while ((await status()) !== 200);
  await small.close(100);
});
