import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { joinNeighbours, Leg, type LegEnd } from './leg.ts';

test('thousands of tiny frames come in order, and let others have their turn', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[socket]] = (await Promise.all([once(server, 'connection'), once(peer, 'connect')])) as [[Socket], unknown];
  const leg = new Leg(socket);
  t.after(() => leg.close(0));
  const wanted = Array.from({ length: 20_000 }, (_, i) => 2 + (i % 5));
  const sizes: number[] = [];
  let inOneTurn = 0;
  let most = 0;
  leg.onFrame = (frame) => {
    sizes.push(frame.length);
    if (inOneTurn++ === 0) setImmediate(() => (inOneTurn = 0));
    most = Math.max(most, inOneTurn);
    // Held and let go in the middle: nothing is lost, doubled or out of order.
    if (sizes.length === wanted.length) peer.end();
    if (sizes.length % 777 === 0) {
      leg.hold();
      setTimeout(() => leg.flow(), 1);
    }
  };
  const ended = new Promise<LegEnd>((resolve) => {
    leg.onEnd = resolve;
  });
  const bytes = Buffer.alloc(wanted.reduce((sum, size) => sum + size));
  for (let i = 0, at = 0; i < wanted.length; at += wanted[i++]) bytes[at + 1] = wanted[i];
  peer.write(bytes);
  assert.equal((await ended).kind, 'closed');
  assert.deepEqual(sizes, wanted);
  assert.ok(most <= 1024, `${most} frames in one turn`);
});

test('neighbours in one buffer become one view, others stay apart', () => {
  const one = Uint8Array.from({ length: 10 }, (_, i) => i);
  const other = Uint8Array.of(20, 21);
  const runs = joinNeighbours([one.subarray(0, 3), one.subarray(3, 5), one.subarray(6, 8), other, one.subarray(8)]);
  assert.deepEqual(
    runs.map((run) => [...run]),
    [
      [0, 1, 2, 3, 4],
      [6, 7],
      [20, 21],
      [8, 9],
    ],
  );
  assert.equal(runs[0].buffer, one.buffer);
  assert.deepEqual(joinNeighbours([]), []);
});
