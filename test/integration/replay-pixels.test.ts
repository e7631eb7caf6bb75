/** Real servers' PDUs, replayed: the screen must be the desktop's own root window in every pixel. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { connectUnixSocket } from '#platform/unix-socket.ts';
import { type Frame, Framer } from '#rdp/framer.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { announcedOrders } from '#rdp/order/order-announcement.ts';
import { type OrderSupport, orderSupportOf } from '#rdp/order/order-support.ts';
import { type CapabilitySet, capability } from '#rdp/pdu/capability-set.ts';
import { Protocol } from '#rdp/pdu/negotiation.ts';
import { ClientActivation } from '#rdp/sequence/client-activation.ts';
import { ClientConnection } from '#rdp/sequence/client-connection.ts';
import { clientBlocks, clientInfo } from '#rdp/sequence/client-settings.ts';
import { Desktop } from '#services/rdp-server-manager/desktop/desktop.ts';
import { Display } from '../support/display.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/needs.ts';
import { assertSamePixels, difference, type Picture, quantise565 } from '../support/pixels.ts';

const WIDTH = 1021;
const HEIGHT = 707;
const DESKTOP = { width: WIDTH, height: HEIGHT, codecs: {} };

const skip = needs('bwrap', 'openbox', 'xdotool', 'xrdp', 'xterm', 'Xvnc', 'xwd');

const noOrders = capability('order', {
  desktopSaveXGranularity: 1,
  desktopSaveYGranularity: 20,
  maximumOrderLevel: 1,
  orderFlags: 10,
});

/** What the client announces besides bitmaps. */
type Profile = 'bitmaps' | 'orders';

const capabilities = (profile: Profile): CapabilitySet[] => [
  capability('general', { osMajorType: 1, osMinorType: 3, protocolVersion: 0x200, extraFlags: 0x0401 }),
  capability('bitmap', {
    preferredBitsPerPixel: 32,
    receive1BitPerPixel: 1,
    receive4BitsPerPixel: 1,
    receive8BitsPerPixel: 1,
    desktopWidth: WIDTH,
    desktopHeight: HEIGHT,
    desktopResizeFlag: 1,
    bitmapCompressionFlag: 1,
    multipleRectangleSupport: 1,
  }),
  ...(profile === 'orders' ? announcedOrders() : [noOrders]),
  capability('multifragmentUpdate', { maxRequestSize: 65_535 }),
  capability('pointer', { colorPointerFlag: 1, colorPointerCacheSize: 20, pointerCacheSize: 20 }),
  capability('input', { inputFlags: 0x35, keyboardLayout: 0x409, keyboardType: 4, keyboardFunctionKey: 12 }),
];

async function* framesOf(socket: Socket): AsyncGenerator<Frame> {
  const framer = new Framer();
  for await (const bytes of socket) {
    framer.push(bytes);
    for (let frame = framer.next(); frame; frame = framer.next()) yield frame;
  }
}

/** A client that does nothing but replay what it is sent. */
class Watcher {
  readonly decoder = new ScreenDecoder();
  readonly pdus: Uint8Array[] = [];
  readonly #tls: TLSSocket;
  readonly #ended: Promise<void>;

  private constructor(tls: TLSSocket, frames: AsyncGenerator<Frame>, activation: ClientActivation) {
    this.#tls = tls;
    this.#ended = this.#watch(frames, activation);
  }

  static async connect(path: string, bitsPerPixel: 16 | 24 | 32, profile: Profile): Promise<Watcher> {
    const client = new ClientConnection({
      cookie: 'someone',
      routingToken: null,
      protocols: Protocol.ssl,
      blocks: clientBlocks({ width: WIDTH, height: HEIGHT, bitsPerPixel, clientName: 'lucid', channels: [] }),
      info: clientInfo({ domain: '', userName: 'someone', password: 'something' }),
    });
    const socket = connectUnixSocket(path);
    for (const frame of client.start()) socket.write(frame);
    const [confirm] = await once(socket, 'readable').then(() => [socket.read() as Buffer]);
    client.receive(new Uint8Array(confirm));
    const tls = connectTls({ socket, rejectUnauthorized: false });
    const frames = framesOf(tls);
    for (const frame of client.secured()) tls.write(frame);
    while (client.state.phase !== 'demandActive') {
      const { value: frame, done } = await frames.next();
      assert.ok(!done, `the server left in phase ${client.state.phase}`);
      for (const answer of client.receive(frame.bytes)) tls.write(answer);
    }
    const activation = new ClientActivation(client.state.server, () => capabilities(profile));
    const watcher = new Watcher(tls, frames, activation);
    const support = orderSupportOf(capabilities(profile));
    if (support) watcher.decoder.configure({ ...DESKTOP, depth: bitsPerPixel, orders: support });
    watcher.#take(client.state.frame, activation);
    return watcher;
  }

  #take(frame: Uint8Array, activation: ClientActivation): void {
    this.pdus.push(frame.slice());
    this.decoder.apply(frame);
    for (const answer of activation.receive(frame) ?? []) this.#tls.write(answer);
  }

  async #watch(frames: AsyncGenerator<Frame>, activation: ClientActivation): Promise<void> {
    for await (const frame of frames) this.#take(frame.bytes, activation);
  }

  get picture(): Picture {
    const { width, height, pixels } = this.decoder;
    return { width, height, pixels };
  }

  /** Moves the mouse by a fast-path input PDU. */
  movePointer(x: number, y: number): void {
    this.#tls.write(Uint8Array.of(0x04, 9, 0x20, 0x00, 0x08, x & 0xff, x >> 8, y & 0xff, y >> 8));
  }

  async close(): Promise<void> {
    this.#tls.end();
    await this.#ended;
  }
}

/** What a session of this depth shows of a desktop. */
function seen(root: Picture, depth: number, backend: string): Picture {
  return depth === 16 ? quantise565(root, backend === 'vnc' ? 'round' : 'cut') : root;
}

/** The window of a class, as soon as it is shown. */
async function windowOf(display: Display, name: string): Promise<string> {
  const search = () => display.act('search', '--onlyvisible', '--class', name).catch(() => '');
  return (await eventually(`a window of class ${name}`, search)).split('\n')[0];
}

describe('what xrdp sends, replayed', { skip, concurrency: false, timeout: 900_000 }, () => {
  const data = mkdtempSync(join(tmpdir(), 'lucid-replay-'));
  chmodSync(data, 0o711);
  after(() => rmSync(data, { recursive: true, force: true }));

  for (const backend of ['vnc', 'xorg'] as const) {
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

      const variants = (['bitmaps', 'orders'] as const).flatMap((profile) =>
        ([16, 24, 32] as const).map((depth) => ({ profile, depth })),
      );
      for (const { profile, depth } of variants) {
        test(`${profile} at ${depth} bits per pixel: every pixel is right, and mutations do no harm`, async () => {
          const watcher = await Watcher.connect(desktop.socketPath, depth, profile);
          try {
            const compare = async (moment: string) => {
              let expected!: Picture;
              // Looked at anew each time: on a busy machine a desktop that seems at rest may just wait for its turn.
              const isSame = async () => {
                // Until its client moves the pointer, Xvnc draws it into the picture: to the corner, from elsewhere.
                const { width, height } = watcher.decoder;
                watcher.movePointer(width - 40, height - 40);
                watcher.movePointer(width - 1, height - 1);
                expected = seen(await display.quietScreenshot(), depth, backend);
                const { picture } = watcher;
                return picture.width === expected.width && !difference(picture, expected);
              };
              await eventually(moment, isSame).catch(() => {
                assertSamePixels(
                  watcher.picture,
                  expected,
                  join(tmpdir(), `replay-${backend}-${profile}-${depth}-${moment}`),
                );
              });
            };
            // xrdp resizes the desktop to its client.
            await eventually('the size', async () => (await display.screenshot()).width === WIDTH);
            const xterm = await windowOf(display, 'xterm');
            await display.act('windowmove', xterm, 100, 80, 'getmouselocation');
            await compare('start');
            const command = `ls -la /usr/share | head -${depth}\n`;
            await display.act('windowfocus', '--sync', xterm, 'type', '--delay', 5, command);
            await compare('typed');
            await display.act('windowmove', xterm, 217, 133, 'getmouselocation');
            await compare('moved');
            // Only Xvnc lets a person choose a size, which its client then takes over.
            if (backend === 'vnc') {
              await display.resize(800, 600);
              await eventually('the new size', async () => watcher.decoder.width === 800);
              await display.act('windowfocus', '--sync', xterm, 'type', '--delay', 5, command);
              await compare('resized');
            }
            assert.equal(watcher.decoder.undecodableBytes, 0, `${watcher.decoder.lastError}`);
            assert.notEqual(watcher.decoder.pointer.image, null);
            mutate(watcher.pdus, orderSupportOf(capabilities(profile)));
          } finally {
            await watcher.close();
          }
        });
      }
    });
  }
});

/** Replays PDUs with random bytes changed: counts stay whole, nothing is thrown. */
function mutate(pdus: readonly Uint8Array[], support: OrderSupport | null): void {
  const decoder = new ScreenDecoder();
  if (support) decoder.configure({ ...DESKTOP, depth: 32, orders: support });
  let bytes = 0;
  for (const pdu of pdus.slice(0, 2000)) {
    const changed = pdu.slice();
    for (let n = 0; n < 3; n++) changed[Math.floor(Math.random() * changed.length)] = Math.floor(Math.random() * 256);
    decoder.apply(changed);
    bytes += changed.length;
  }
  const { decoded, ignored, undecodable } = decoder.counts;
  assert.equal(decoded + ignored + undecodable, bytes);
  assert.ok(undecodable > 0);
}
