/** Our own client at real desktops: input, picture, clipboard and coming back with another size. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HeadlessClient } from '#demo/headless-client.ts';
import { Desktop } from '#services/rdp-server-manager/desktop/desktop.ts';
import { Clipboard } from '../support/clipboard.ts';
import { Display } from '../support/display.ts';
import { needs } from '../support/needs.ts';
import { assertSamePixels, difference, type Picture } from '../support/pixels.ts';

const skip = needs('bwrap', 'openbox', 'xclip', 'xdotool', 'xrdp', 'xterm', 'Xvnc', 'xwd');

const pictureOf = ({ decoder: { width, height, pixels } }: HeadlessClient): Picture => ({ width, height, pixels });

/** Waits until the client shows the desktop's own picture. */
async function same(client: HeadlessClient, display: Display, name: string): Promise<void> {
  const expected = await display.quietScreenshot();
  const isSame = () => client.decoder.width === expected.width && !difference(pictureOf(client), expected);
  await client.waitUntil(isSame, 'the picture of the desktop').catch(() => {});
  assertSamePixels(pictureOf(client), expected, join(tmpdir(), `lucid-headless-${name}`));
}

describe('our client at a real desktop', { skip, concurrency: false, timeout: 400_000 }, () => {
  const data = mkdtempSync(join(tmpdir(), 'lucid-headless-'));
  chmodSync(data, 0o711);
  after(() => rmSync(data, { recursive: true, force: true }));

  for (const backend of ['vnc', 'xorg'] as const)
    describe(backend, () => {
      let desktop: Desktop;
      let display: Display;
      before(async () => {
        const host = { sandbox: 'bubblewrap', uid: 65532, hidden: [] } as const;
        desktop = await Desktop.start(join(data, backend), { backend, exposeDisplay: true }, host);
        display = Display.ofSocket(desktop.displaySocket);
      });
      after(async () => {
        await display?.close();
        await desktop?.stop();
      });

      const connect = (orders = false) =>
        HeadlessClient.connect({ to: { path: desktop.socketPath }, pin: null, userName: 'a', password: 'b', orders });

      for (const orders of [false, true])
        test(`types, shows every pixel${orders ? ' that orders draw' : ''}, comes back with another size`, async () => {
          const first = await connect(orders);
          const { left, top } = await display.findWindow('xterm');
          first.click({ x: left + 50, y: top + 50 });
          await first.type('echo typed > /tmp/typed; clear; echo "from our client"\n', 5);
          first.moveMouse({ x: 1000, y: 600 });
          await same(first, display, `${backend}-typed`);
          await first.disconnect();
          const second = await first.reconnect({ width: 800, height: 600 });
          await second.waitUntil(() => second.decoder.width === 800, 'the new size');
          second.moveMouse({ x: 790, y: 590 });
          await same(second, display, `${backend}-resized`);
          assert.equal(second.decoder.undecodableBytes, 0);
          await second.disconnect();
        });

      // libvnc's clipboard would need vncconfig at the desktop
      if (backend === 'xorg')
        test('copies and pastes text both ways', async () => {
          const client = await connect();
          client.copy('Grüße from the client');
          await client.waitForCopy();
          const clipboard = new Clipboard(display);
          await clipboard.paste('Grüße from the client');
          await clipboard.copy('from the desktop');
          await client.waitForClipboard();
          assert.equal(await client.paste(), 'from the desktop');
          await clipboard.clear();
          await client.disconnect();
        });
    });
});
