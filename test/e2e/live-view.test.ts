/** A live view of FreeRDP's session on xrdp: who joins late sees what FreeRDP shows, in every pixel, and so does who stays. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { watchLive } from '#contract/live-client.ts';
import type { LivePicture } from '#contract/live-picture.ts';
import type { Backend } from '#services/rdp-server-manager/desktop/options.ts';
import { FreeRdp } from '../support/freerdp.ts';
import { TestLucid } from '../support/lucid.ts';
import { needs } from '../support/needs.ts';
import { PICTURES, quietMoment } from '../support/person.ts';
import { assertSamePixels, difference, type Picture } from '../support/pixels.ts';

const skip = needs('bwrap', 'xrdp', 'Xvnc', 'openbox', 'xterm', 'xfreerdp', 'Xvfb', 'xdotool', 'xwd', 'xwininfo');
const PATIENCE_MS = 120_000;
const WIDTH = 1024;
const HEIGHT = 768;
/** Each with a small run, so that the view begins with a state that sealing kept. */
const SETTINGS = { LUCID_CHUNK_SECONDS: '2' };
const WAYS: { backend: Backend; args: string[] }[] = [
  { backend: 'vnc', args: ['-compression'] },
  { backend: 'xorg', args: ['+bitmap-cache', '+compression'] },
];

describe('live views of FreeRDP on xrdp', { skip, concurrency: false }, () => {
  let lucid: TestLucid;
  before(async () => {
    lucid = await TestLucid.start(SETTINGS);
  });
  after(() => lucid.close());

  for (const { backend, args } of WAYS) {
    test(`${backend} ${args.join(' ')}`, async () => {
      const server = await lucid.createDesktop(backend, { backend });
      const { session, ticket_id: user, secret: password } = await lucid.createSession(backend, { input: true });
      const port = lucid.running.rdpPort;
      const client = await FreeRdp.start({ port, width: WIDTH, height: HEIGHT, user, password, args });
      const desktop = lucid.displayOf(server.id);
      const moment = (what: string) => quietMoment(`live-${backend}-${what}`, client, desktop, backend, 32);
      try {
        await client.connected();
        const terminal = await desktop.findWindow('xterm');
        await client.click(terminal.left + 200, terminal.top + 100);
        await client.type('seq 1 400');
        await client.key('Return');
        const before = await moment('before');
        const url = `http://127.0.0.1:${lucid.running.ports['session-api']}`;
        const ticket = await lucid.api.watchSession({ params: { id: session.id } });
        const view = watchLive(url, ticket, AbortSignal.timeout(PATIENCE_MS));
        await untilSame(view, before.expected, `${backend}-joined`);
        await client.type('echo seen live');
        await client.key('Return');
        await client.drag([terminal.left + 150, terminal.top - 10], [terminal.left - 60, terminal.top + 220]);
        const after = await moment('after');
        assert.ok(difference(before.expected, after.expected) !== null, 'nothing has changed');
        await untilSame(view, after.expected, `${backend}-followed`);
        await view.return();
      } finally {
        await client.close();
        await desktop.close();
      }
    });
  }
});

/** Takes updates until the picture is this one. @throws AssertionError when it does not become that in time */
async function untilSame(view: ReturnType<typeof watchLive>, wanted: Picture, name: string): Promise<void> {
  let last: LivePicture | null = null;
  for (;;) {
    const { value: update, done } = await view.next();
    if (done) break;
    if (update.kind !== 'picture') continue;
    last = update.picture;
    if (difference(last, wanted) === null) return;
  }
  assert.ok(last, 'the live view showed nothing');
  assertSamePixels(last, wanted, join(PICTURES, `live-${name}`));
}
