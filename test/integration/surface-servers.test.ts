/** Real servers that send surface commands to a client of ours, which shows what their screens show. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { HeadlessClient } from '#demo/headless-client.ts';
import type { CodecName } from '#rdp/pdu/codec-properties.ts';
import { FastPathUpdateCode, Fragmentation, readFastPathOutput } from '#rdp/pdu/fast-path-output.ts';
import { Desktop } from '#services/rdp-server-manager/desktop/desktop.ts';
import { Display } from '../support/display.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/needs.ts';
import { savePng } from '../support/pixels.ts';
import { ShadowServer } from '../support/shadow-server.ts';

const WIDTH = 1280;
const HEIGHT = 832;
/** By how much RemoteFX itself changes a channel of the sharpest edges, of these pictures with these servers' quality. */
const LOSS = 48;

/** Updates that this client was sent as surface commands. */
function surfaceUpdates({ shown }: HeadlessClient): number {
  const updates = shown.filter((frame) => (frame[0] & 3) === 0).flatMap((frame) => [...readFastPathOutput(frame)]);
  const isWhole = (fragmentation: number) =>
    fragmentation === Fragmentation.single || fragmentation === Fragmentation.last;
  return updates.filter((update) => update.code === FastPathUpdateCode.surfaceCommands && isWhole(update.fragmentation))
    .length;
}

/** Waits until the client shows what the screen does, no channel of a pixel further off than `most`. */
async function compare(client: HeadlessClient, display: Display, most: number, moment: string): Promise<void> {
  let worst = 256;
  await eventually(moment, async () => {
    const { width, height, pixels } = await display.quietScreenshot();
    const { decoder } = client;
    if (width !== decoder.width || height !== decoder.height) return false;
    worst = pixels.reduce((max, value, i) => Math.max(max, Math.abs(value - decoder.pixels[i])), 0);
    return worst <= most;
  }).catch((error) => {
    const file = join(tmpdir(), `surface-${moment}.png`);
    savePng(file, client.decoder);
    throw new Error(`${error.message}: a channel differs by ${worst}; see ${file}`);
  });
  assert.equal(client.decoder.undecodableBytes, 0, String(client.decoder.lastError));
}

const clientOf = (path: string, codecs: CodecName[]) =>
  HeadlessClient.connect({
    to: { path },
    pin: null,
    userName: 'someone',
    password: 'something',
    width: WIDTH,
    height: HEIGHT,
    bitsPerPixel: 32,
    clipboard: false,
    timeoutMs: 120_000,
    codecs,
  });

describe('xrdp', { skip: needs('bwrap', 'openbox', 'xdotool', 'xrdp', 'xterm', 'xwd'), timeout: 400_000 }, () => {
  const data = mkdtempSync(join(tmpdir(), 'lucid-surface-'));
  chmodSync(data, 0o711);
  after(() => rmSync(data, { recursive: true, force: true }));

  test('sends RemoteFX, and goes on since its frames are acknowledged', async (t) => {
    const host = { sandbox: 'bubblewrap', uid: 65532, hidden: [] } as const;
    const desktop = await Desktop.start(join(data, 'desktop'), { backend: 'xorg', exposeDisplay: true }, host);
    t.after(() => desktop.stop());
    const display = Display.ofSocket(desktop.displaySocket);
    t.after(() => display.close());
    const client = await clientOf(desktop.socketPath, ['remotefx']);
    t.after(() => client.disconnect());
    await eventually('the size', async () => (await display.screenshot()).width === WIDTH);
    await display.findWindow('xterm');
    await compare(client, display, LOSS, 'xrdp-start');
    await client.type('tput civis; ls -la /usr/share | head -20\r', 5);
    await compare(client, display, LOSS, 'xrdp-typed');
    assert.ok(surfaceUpdates(client) > 10, `${surfaceUpdates(client)} updates`);
  });
});

describe('freerdp-shadow-cli', { skip: needs('freerdp-shadow-cli', 'Xvfb', 'xterm', 'xwd'), timeout: 400_000 }, () => {
  for (const [codec, most] of [
    ['remotefx', LOSS],
    ['nscodec', 8],
  ] as const) {
    test(`sends ${codec}`, async (t) => {
      const server = await ShadowServer.start(WIDTH, HEIGHT);
      t.after(() => server.close());
      const client = await clientOf(server.socketPath, [codec]);
      t.after(() => client.disconnect());
      await compare(client, server.display, most, `shadow-${codec}`);
      assert.ok(surfaceUpdates(client) > 0);
    });
  }
});
