import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import type { Transport } from '#contract/contract.ts';
import { ServiceError } from '#contract/errors.ts';
import { ThreadLink } from './thread-link.ts';

/** Two ends of one port: at the far one is the recorder, which answers as `serve` does; at this one the gateway. */
function link(serve: Transport): { near: ThreadLink; far: ThreadLink; called: string[] } {
  const { port1, port2 } = new MessageChannel();
  const nobody: Transport = async () => assert.fail('nobody is called at this end');
  const called: string[] = [];
  const near = new ThreadLink(port1, { callers: new Set(['session-recorder']), serve: () => nobody });
  const far = new ThreadLink(port2, {
    callers: new Set(['rdp-xrdp']),
    serve(service, caller) {
      called.push(`${service} by ${caller}`);
      return serve;
    },
  });
  return { near, far, called };
}

const call = (near: ThreadLink, request: Parameters<Transport>[0]) =>
  near.transport('session-recorder', 'rdp-xrdp')(request);

test('a call comes as whose it is, and its answer back', async () => {
  const { near, called } = link(async ({ method, path, body }) => {
    return { status: 409, body: new TextEncoder().encode(`${method} ${path} ${body}`) };
  });
  const { status, body } = await call(near, { method: 'POST', path: '/v1/x?y=1', body: 'words' });
  assert.deepEqual([status, new TextDecoder().decode(body)], [409, 'POST /v1/x?y=1 words']);
  assert.deepEqual(called, ['session-recorder by rdp-xrdp']);
  near.close();
});

test('who is not at the other end is no caller', async () => {
  const { near, called } = link(async () => ({ status: 200, body: new Uint8Array() }));
  const call = near.transport('session-recorder', 'session-api')({ method: 'GET', path: '/' });
  await assert.rejects(call, (error: ServiceError) => error.code === 'forbidden');
  assert.deepEqual(called, []);
  near.close();
});

test('bytes come as they are, a view of them too, and stay with the caller', async () => {
  const { near } = link(async ({ body }) => ({ status: 200, body: body as Uint8Array }));
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i & 255);
  const shared = new Uint8Array(new SharedArrayBuffer(50_000)).fill(3);
  for (const body of [bytes, bytes.subarray(10, 20), bytes.subarray(7, 70_000), shared.subarray(1), new Uint8Array()]) {
    const answer = await call(near, { method: 'PUT', path: '/', body });
    assert.deepEqual(Buffer.from(answer.body), Buffer.from(body));
  }
  assert.equal(bytes.length, 100_000);
  near.close();
});

test('memory that both sides see is not copied', async () => {
  const seen: Uint8Array[] = [];
  const { near } = link(async ({ body }) => {
    seen.push(body as Uint8Array);
    return { status: 200, body: new Uint8Array() };
  });
  const shared = new Uint8Array(new SharedArrayBuffer(10));
  await call(near, { method: 'PUT', path: '/', body: shared });
  shared[3] = 9;
  assert.equal(seen[0][3], 9);
  near.close();
});

test('a stream comes piece by piece, and ends', async () => {
  const pieces = Array.from({ length: 20 }, (_, i) => Buffer.alloc(i * 1000 + 1, i));
  const { near } = link(async () => ({ status: 200, body: new Uint8Array(), stream: Readable.from(pieces) }));
  const { stream } = await call(near, { method: 'GET', path: '/', stream: true });
  const read: Uint8Array[] = [];
  for await (const piece of stream!) read.push(piece);
  assert.deepEqual(Buffer.concat(read), Buffer.concat(pieces));
  near.close();
});

test('a reader that goes away ends what the service reads from', async () => {
  const source = Readable.from(Array.from({ length: 1000 }, () => Buffer.alloc(1000)));
  const closed = new Promise((resolve) => source.once('close', resolve));
  const { near } = link(async () => ({ status: 200, body: new Uint8Array(), stream: source }));
  const { stream } = await call(near, { method: 'GET', path: '/', stream: true });
  for await (const piece of stream!) {
    assert.equal(piece.length, 1000);
    break;
  }
  await closed;
  near.close();
});

test('a stream that fails fails where it is read', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1);
    throw new ServiceError('unavailable', 'the disk is gone');
  }
  const { near } = link(async () => ({ status: 200, body: new Uint8Array(), stream: failing() }));
  const { stream } = await call(near, { method: 'GET', path: '/', stream: true });
  await assert.rejects(async () => {
    for await (const piece of stream!) assert.equal(piece.length, 1);
  }, /the disk is gone/);
  near.close();
});

test('a transport that fails at the other end fails here, with its code', async () => {
  const { near } = link(async () => {
    throw new ServiceError('unavailable', 'not now');
  });
  await assert.rejects(call(near, { method: 'GET', path: '/' }), (error: ServiceError) => {
    return error.code === 'unavailable' && error.message === 'not now';
  });
  near.close();
});

test('when the other end goes away, calls fail: those that wait, and later ones', async () => {
  const { near, far, called } = link(() => new Promise(() => {}));
  const waiting = call(near, { method: 'GET', path: '/' });
  while (called.length === 0) await new Promise(setImmediate);
  far.close();
  const isGone = (error: ServiceError) => error.code === 'unavailable' && /thread has ended/.test(error.message);
  await assert.rejects(waiting, isGone);
  await assert.rejects(call(near, { method: 'GET', path: '/' }), isGone);
});
