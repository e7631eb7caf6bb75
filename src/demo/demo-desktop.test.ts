import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fromRgb555, fromRgb565, toRgb555, toRgb565 } from '#rdp/codec/pixel.ts';
import { DemoDesktop } from './demo-desktop.ts';
import { HeadlessClient, type HeadlessOptions } from './headless-client.ts';
import { Scene, shapeCentre } from './scene.ts';
import { layOut } from './scene-layout.ts';

const noon = new Date(2026, 0, 2, 12, 34, 56);
const credentials = { userName: 'alice', password: 'sécret' };
let desktop: DemoDesktop;
const options = (changes: Partial<HeadlessOptions> = {}): HeadlessOptions => ({
  to: { host: '127.0.0.1', port: desktop.port },
  pin: desktop.fingerprint,
  ...credentials,
  ...changes,
});

before(async () => {
  desktop = await DemoDesktop.start({ credentials, now: () => noon, tickMs: 0 });
});
after(() => desktop.close());

/** What the desktop looks like, as a client of this depth can see it. */
function expected(width: number, height: number, bitsPerPixel: number): Uint32Array {
  const scene = new Scene(width, height);
  scene.paint(desktop.model.state, noon);
  const { words, width: stride } = scene.screen;
  const quantise = (word: number) => {
    if (bitsPerPixel === 16) return fromRgb565(toRgb565(word));
    return bitsPerPixel === 15 ? fromRgb555(toRgb555(word)) : word;
  };
  return Uint32Array.from({ length: width * height }, (_, i) => {
    return quantise(words[Math.floor(i / width) * stride + (i % width)]);
  });
}

const looksRight = (client: HeadlessClient, bitsPerPixel: number) => () => {
  const { width, height, screen } = client.decoder;
  return expected(width, height, bitsPerPixel).every((word, i) => word === screen.words[i]);
};

for (const bitsPerPixel of [15, 16, 24, 32] as const)
  for (const fastPath of [true, false])
    test(`every pixel arrives at ${bitsPerPixel} bpp on the ${fastPath ? 'fast' : 'slow'} path`, async () => {
      const client = await HeadlessClient.connect(options({ bitsPerPixel, fastPath, width: 801, height: 603 }));
      await client.waitUntil(looksRight(client, bitsPerPixel), 'the whole picture');
      assert.equal(client.decoder.undecodableBytes, 0, client.decoder.lastError?.message);
      assert.equal(client.decoder.depth, bitsPerPixel);
      assert.equal(
        client.shown.some((frame) => frame[0] === 0),
        fastPath,
      );
      await client.disconnect();
    });

test('what is typed is shown, by key and as Unicode; the shape follows the mouse', async () => {
  const client = await HeadlessClient.connect(options());
  await client.type('Hello, "World"!\nGrüße, 50 % {ok}');
  await client.waitForPad((text) => text === 'Hello, "World"!\nGrüße, 50 % {ok}', 'what was typed');
  const layout = layOut(1024, 640);
  const from = shapeCentre(layout, desktop.model.state);
  const to = { x: from.x + 60, y: from.y + 40 };
  await client.drag(from, to);
  await client.waitUntil(looksRight(client, 32), 'the shape at its new place');
  assert.deepEqual(shapeCentre(layout, desktop.model.state), to);
  assert.equal(client.decoder.undecodableBytes, 0);
  assert.ok(client.shownBytes > 1000 && client.shown.length === client.frames);
  await client.disconnect();
});

test('the pointer tells what is under it', async () => {
  const client = await HeadlessClient.connect(options());
  const layout = layOut(1024, 640);
  const { pointer } = client.decoder;
  client.moveMouse({ x: layout.pad.left + 50, y: layout.pad.top + 90 });
  await client.waitUntil(() => pointer.shown === 0, 'the beam');
  const colours = new Set(pointer.image?.words);
  assert.ok(colours.has(0xff000000) && colours.has(0xffffffff), 'black with a white rim');
  client.moveMouse(shapeCentre(layout, desktop.model.state));
  await client.waitUntil(() => pointer.shown === 1, 'the hand');
  client.moveMouse({ x: 5, y: 5 });
  await client.waitUntil(() => pointer.shown === 'default', 'the arrow');
  client.moveMouse({ x: layout.pad.left + 50, y: layout.pad.top + 90 });
  await client.waitUntil(() => pointer.shown === 0, 'the beam again, from the cache');
  await client.disconnect();
});

test('the clipboard works both ways', async () => {
  const client = await HeadlessClient.connect(options());
  desktop.model.state.text = '';
  client.copy('copied here\nsecond line');
  await client.waitUntil(() => desktop.model.state.note.startsWith('Clipboard: text from the client'), 'the offer');
  client.pressControl('v');
  await client.waitForPad((text) => text === 'copied here\nsecond line', 'what was pasted');
  await client.type('!');
  client.pressControl('c');
  await client.waitForClipboard();
  assert.equal(await client.paste(), 'copied here\nsecond line!');
  await client.disconnect();
});

test('a resize reopens the share at the new size', async () => {
  const client = await HeadlessClient.connect(options());
  desktop.resize(900, 700);
  await client.waitUntil(() => client.decoder.width === 900, 'the new size');
  await client.waitUntil(looksRight(client, 32), 'the whole picture');
  desktop.model.state.text = '';
  await client.type('still here');
  await client.waitForPad((text) => text === 'still here', 'what was typed');
  await client.disconnect();
});

test('who comes back with another size finds what was there', async () => {
  const first = await HeadlessClient.connect(options());
  desktop.model.state.text = 'kept';
  first.abort({ midPdu: true });
  await first.waitForEnd();
  const second = await first.reconnect({ width: 640, height: 480 });
  await second.waitForPad((text) => text === 'kept', 'what was typed before');
  assert.equal(second.decoder.width, 640);
  await second.disconnect();
});

test('a wrong password, a wrong pin and a server that leaves are told apart', async () => {
  await assert.rejects(HeadlessClient.connect(options({ password: 'wrong' })), /the server denied the connection/);
  const other = await DemoDesktop.start();
  const to = { host: '127.0.0.1', port: other.port };
  await assert.rejects(HeadlessClient.connect(options({ to })), /certificate has SHA-256/);
  await other.close();
  const client = await HeadlessClient.connect(options());
  assert.equal(client.loggedOnAs, 'alice');
  desktop.sessions[0].disconnect(3);
  await client.waitForEnd();
  assert.equal(client.errorInfo, 3);
  await assert.rejects(
    client.waitUntil(() => false, 'nothing'),
    /idle for longer than allowed/,
  );
});

test('no client of these tests broke the protocol', () => {
  assert.equal(desktop.lastError, null);
});
