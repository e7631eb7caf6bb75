/** The clipboard between FreeRDP and xrdp: it passes where the policy allows it, is recorded, and is kept out elsewhere. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Backend } from '#services/rdp-server-manager/desktop/options.ts';
import { Clipboard } from '../support/clipboard.ts';
import { FreeRdp } from '../support/freerdp.ts';
import { TestLucid } from '../support/lucid.ts';
import { needs } from '../support/needs.ts';
import { quietMoment } from '../support/person.ts';
import { Replay } from '../support/replay.ts';

const skip = needs('bwrap', 'xrdp', 'Xvnc', 'openbox', 'xterm', 'xfreerdp', 'Xvfb', 'xdotool', 'xwd', 'xclip');

describe('the clipboard', { skip, concurrency: false }, () => {
  let lucid: TestLucid;
  before(async () => {
    lucid = await TestLucid.start();
  });
  after(() => lucid.close());

  for (const backend of ['vnc', 'xorg'] satisfies Backend[]) {
    for (const [toServer, toClient] of [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ]) {
      const name = `${backend}-${toServer ? 'in' : 'no-in'}-${toClient ? 'out' : 'no-out'}`;
      test(name, async () => {
        const server = await lucid.createDesktop(name, { backend });
        const policy = { input: true, clipboard_to_server: toServer, clipboard_to_client: toClient };
        const { session, ticket_id, secret } = await lucid.createSession(name, policy);
        const client = await FreeRdp.start({
          ...{ port: lucid.running.rdpPort, width: 800, height: 600, user: ticket_id, password: secret },
          args: ['+clipboard'],
        });
        const desktop = lucid.displayOf(server.id);
        const [here, there] = [new Clipboard(client.display), new Clipboard(desktop)];
        try {
          await client.connected();
          await desktop.findWindow('xterm');
          await quietMoment(name, client, desktop, backend, 32);
          await here.copy('from the person äöü');
          assert.equal(await there.paste(toServer ? 'from the person äöü' : null), toServer);
          await here.clear();
          await there.copy('from the desktop äöü');
          assert.equal(await here.paste(toClient ? 'from the desktop äöü' : null), toClient);
        } finally {
          await here.clear();
          await there.clear();
          await client.close();
          await desktop.close();
        }
        const text = new Replay(await lucid.bundleOf(session.id), lucid.identityFile).channelText('cliprdr');
        assert.equal(text.includes('from the person'), toServer);
        assert.equal(text.includes('from the desktop'), toClient);
        await lucid.api.stopServer({ params: { id: server.id } });
      });
    }
  }
});
