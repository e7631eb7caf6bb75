/** A recorder that stands still, as on a machine that is out of memory or a disk that hangs: SIGSTOP, then SIGCONT. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { replayBeside } from '#demo/replay-check.ts';
import { recordingFailed } from '#services/rdp-xrdp/end-cause.ts';
import { enter } from '../support/enter.ts';
import { isOfGateway, untilNoticed } from '../support/notice.ts';
import { Processes } from '../support/processes.ts';
import { verifiedRecording } from '../support/verified-recording.ts';

const open: { close(): unknown }[] = [];
after(async () => {
  for (const each of open.reverse()) await each.close();
});

test('who is connected reads why it ends, and once the recorder goes on all that was shown is sealed', async () => {
  const desktop = await DemoDesktop.start();
  open.push(desktop);
  const processes = await Processes.start();
  open.push(processes);
  const api = await processes.logIn();
  const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port };
  await api.createServer({ body: { name: 'demo', spec } });
  const tickets = await Promise.all(
    [1, 2].map(() => api.createSession({ body: { server: 'demo', policy: { input: true } } })),
  );
  const clients = await Promise.all(tickets.map(enter));
  await clients[0].type('shown');
  await Promise.all(clients.map((client) => client.waitForPad((text) => text.includes('shown'), 'what was typed')));

  const words = recordingFailed('the recorder has not answered for 5 s').notice!;
  processes.signal('session-recorder', 'SIGSTOP');
  // The desktop's clock goes on: from now on nothing of it is acknowledged, and so nothing is shown.
  await Promise.all(clients.map((client) => untilNoticed(client, words)));
  const shown = clients.map((client) => client.shown.slice());
  for (const client of clients) {
    assert.equal(client.isClosed, false);
    await client.type('x');
    await client.waitForEnd();
  }
  processes.signal('session-recorder', 'SIGCONT');

  for (const [i, { session }] of tickets.entries()) {
    const over = await verifiedRecording(api, session.id, processes.folder, processes.identityFile);
    assert.equal(over.session.state, 'completed');
    assert.match(over.session.reason!, /the recorder has not answered for 5 s/);
    assert.equal(over.close.gaps, 0);
    const frames = shown[i].filter((frame) => !isOfGateway(frame));
    assert.ok(replayBeside(over.source, over.identities, frames).pdus > 10);
  }
  await processes.until('session-recorder', ({ status }) => status === 'healthy');
  const next = await enter(await api.createSession({ body: { server: 'demo', policy: { input: true } } }));
  await next.disconnect();
});
