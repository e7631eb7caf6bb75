/** Videos of real sessions: of our own demo desktop, and of xrdp with a line that drops and a desktop of another size. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { dragShape, leave, typeText } from '#demo/demo-person.ts';
import { HeadlessClient } from '#demo/headless-client.ts';
import { readRdpFile } from '#demo/rdp-file.ts';
import { CODECS } from '#render/settings.ts';
import { openRecording } from '../../src/cli/open-bundle.ts';
import { replayTo } from '../../src/cli/replay-screen.ts';
import { eventually } from '../support/eventually.ts';
import { TestLucid } from '../support/lucid.ts';
import { needs } from '../support/needs.ts';
import { PICTURES } from '../support/person.ts';
import { assertSamePixels, type Picture } from '../support/pixels.ts';
import { decodeFrames, probeVideo, psnr } from '../support/video.ts';

const FRAME_RATE = 10;
/** A video's colour has half the screen's resolution, so coloured edges differ; pictures of other moments have less. */
const LEAST_DB = 26;

interface Told {
  encoder: string;
  width: number;
  height: number;
  frames: number;
  captions: number;
  receipts_checked: number;
  session_seconds: number;
  undecodable_bytes: number;
}

/** A video by the command line, as a person asks for one. */
class Video {
  readonly told: Told;
  readonly file: string;
  readonly #lucid: TestLucid;
  readonly #bundle: string;

  private constructor(lucid: TestLucid, bundle: string, file: string, told: Told) {
    this.#lucid = lucid;
    this.#bundle = bundle;
    this.file = file;
    this.told = told;
  }

  static async make(lucid: TestLucid, bundle: string, ...options: string[]): Promise<Video> {
    const file = join(lucid.folder, 'video.mp4');
    const wanted = ['--acceleration', 'none', '--frame-rate', String(FRAME_RATE), '--no-pointer', '--json', ...options];
    const out = await lucid.lucid('render', bundle, '--identity', lucid.identityFile, '-o', file, ...wanted);
    return new Video(lucid, bundle, file, JSON.parse(out));
  }

  frame(number: number): Picture {
    return decodeFrames(this.file, [number])[0];
  }

  /** What frame `number` must show, captions before it left out. @param captionFrames frames that they take */
  replayed(number: number, captionFrames = 0): Picture {
    const reader = openRecording(this.#bundle, this.#lucid.identityFile);
    const { screen } = replayTo(reader, ((number - captionFrames + 1) * 1e6) / FRAME_RATE - 1);
    return { width: screen.width, height: screen.height, pixels: screen.pixels };
  }

  requireLength(): void {
    const { frames, session_seconds, captions } = this.told;
    const video = probeVideo(this.file);
    assert.equal(video.frames, frames);
    const wanted = session_seconds + 2 * captions;
    assert.ok(
      video.seconds >= wanted && video.seconds <= wanted + 1 / FRAME_RATE + 1e-3,
      `${video.seconds}, ${wanted}`,
    );
  }
}

describe('video of the demo', { skip: needs('ffmpeg', 'ffprobe'), concurrency: false }, () => {
  let lucid: TestLucid;
  let bundle: string;
  before(async () => {
    lucid = await TestLucid.start();
    const desktop = await DemoDesktop.start({});
    const spec = { kind: 'external', host: '127.0.0.1', port: desktop.port, user: 'demo' } as const;
    await lucid.api.createServer({ body: { name: 'demo', spec, password: 'demo' } });
    const ticket = await lucid.createSession('demo', { input: true });
    const { host, port, routingToken, userName } = readRdpFile(ticket.rdp_file);
    const pin = ticket.gateway.certificate_sha256;
    const client = await HeadlessClient.connect({ to: { host, port }, pin, routingToken, userName, password: '' });
    await typeText(client);
    await dragShape(client, desktop);
    await leave(client);
    bundle = await lucid.bundleOf(ticket.session.id);
    await desktop.close();
  });
  after(() => lucid?.close());

  for (const codec of CODECS) {
    test(codec, async () => {
      const video = await Video.make(lucid, bundle, '--codec', codec, '--quality', 'high');
      assert.equal(probeVideo(video.file).codec, codec);
      assert.ok(video.told.receipts_checked > 0);
      video.requireLength();
      for (const number of [Math.floor(video.told.frames / 2), video.told.frames - 1]) {
        const quality = psnr(video.frame(number), video.replayed(number));
        assert.ok(quality > LEAST_DB, `frame ${number}: ${quality} dB`);
      }
    });
  }

  test('lossless', async () => {
    const video = await Video.make(lucid, bundle, '--quality', 'lossless');
    const last = video.told.frames - 1;
    assertSamePixels(video.frame(last), video.replayed(last), join(PICTURES, 'render-demo-last'));
  });
});

const desktopPrograms = needs('bwrap', 'xrdp', 'Xvnc', 'openbox', 'xterm', 'ffmpeg', 'ffprobe', 'xwininfo');

describe('video of xrdp', { skip: desktopPrograms, concurrency: false }, () => {
  let lucid: TestLucid;
  before(async () => {
    lucid = await TestLucid.start();
  });
  after(() => lucid?.close());

  test('the person types, drops out, comes back with another size: all of it is in one video', async () => {
    const server = await lucid.createDesktop('desk');
    const display = lucid.displayOf(server.id);
    const { left, top } = await display.findWindow('xterm');
    const ticket = await lucid.createSession('desk', { input: true });
    const { host, port, routingToken, userName } = readRdpFile(ticket.rdp_file);
    const pin = ticket.gateway.certificate_sha256;
    const to = { to: { host, port }, pin, routingToken, userName, password: '' };
    const client = await HeadlessClient.connect({ ...to, width: 1024, height: 600 });
    await client.waitForQuiet(500);
    client.click({ x: left + 50, y: top + 50 });
    await client.type('seq 1 300\n', 20);
    await client.waitForQuiet(700);
    client.abort();
    const { id } = ticket.session;
    await eventually('the end of the connection', async () => {
      return !(await lucid.api.getSession({ params: { id } })).connected;
    });
    const again = await client.reconnect({ width: 800, height: 720 });
    await again.type('echo back again\n', 20);
    await again.waitForQuiet(700);
    await again.disconnect();
    await display.close();

    const bundle = await lucid.bundleOf(id);
    const lossy = await Video.make(lucid, bundle, '--quality', 'high');
    const { width, height, captions, undecodable_bytes } = lossy.told;
    assert.deepEqual(
      { width, height, captions, undecodable_bytes },
      { width: 1024, height: 720, captions: 1, undecodable_bytes: 0 },
    );
    lossy.requireLength();
    const lossless = await Video.make(lucid, bundle, '--quality', 'lossless');
    const last = lossless.told.frames - 1;
    const expected = onCanvas(lossless.replayed(last, 2 * FRAME_RATE), 1024, 720);
    assertSamePixels(lossless.frame(last), expected, join(PICTURES, 'render-xrdp-last'));
    const early = Math.floor(FRAME_RATE / 2);
    const first = onCanvas(lossless.replayed(early), 1024, 720);
    assertSamePixels(lossless.frame(early), first, join(PICTURES, 'render-xrdp-early'));
    for (const codec of ['hevc', 'av1']) {
      const video = await Video.make(lucid, bundle, '--codec', codec, '--quality', 'high');
      const quality = psnr(video.frame(last), expected);
      assert.ok(quality > LEAST_DB, `${codec}: ${quality} dB`);
    }
  });
});

/** The middle of a canvas that is grey beside it. */
function onCanvas(picture: Picture, width: number, height: number): Picture {
  const words = new Uint32Array(width * height).fill(0xff303030);
  const source = new Uint32Array(picture.pixels.buffer, picture.pixels.byteOffset, picture.width * picture.height);
  const [left, top] = [(width - picture.width) >> 1, (height - picture.height) >> 1];
  for (let y = 0; y < picture.height; y++) {
    words.set(source.subarray(y * picture.width, (y + 1) * picture.width), (y + top) * width + left);
  }
  return { width, height, pixels: new Uint8Array(words.buffer) };
}
