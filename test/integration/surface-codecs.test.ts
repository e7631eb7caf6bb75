/** What FreeRDP shows of surface commands, pixel by pixel beside what is decoded here of the same bytes. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encodeNsCodec } from '#rdp/codec/nscodec-encoder.ts';
import { rgbx } from '#rdp/codec/pixel.ts';
import { RemoteFxEncoder } from '#rdp/codec/remotefx/remotefx-encoder.ts';
import { drawText, fill } from '#rdp/graphics/painter.ts';
import { type Rectangle, rectangle } from '#rdp/graphics/rectangle.ts';
import { Screen } from '#rdp/graphics/screen.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { CODEC_IDS, surfaceCapabilities } from '#rdp/graphics/surface-capabilities.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '#rdp/pdu/fast-path-output.ts';
import { readDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readShareControls } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType } from '#rdp/pdu/share-data.ts';
import {
  FrameAction,
  readFrameAcknowledge,
  type SurfaceCommand,
  SurfaceCommandType,
  writeSurfaceCommands,
} from '#rdp/pdu/surface-commands.ts';
import { eventually } from '../support/eventually.ts';
import { FreeRdp } from '../support/freerdp.ts';
import { needs } from '../support/needs.ts';
import { type Picture, savePng } from '../support/pixels.ts';
import { type ScriptedClient, ScriptedServer } from '../support/scripted-server.ts';

const WIDTH = 500;
const HEIGHT = 340;
const skip = needs('xfreerdp', 'Xvfb', 'xwd');

/** Text, edges, soft colours and noise, in another place for each `variant`. */
function scene(variant: number): Screen {
  const screen = new Screen(WIDTH, HEIGHT);
  fill(screen, screen.bounds, rgbx(48, 74, 112));
  fill(screen, rectangle(30 + variant, 20, 300, 150), rgbx(250, 250, 245));
  for (let line = 0; line < 8; line++) {
    drawText(screen, 36 + variant, 26 + line * 16, `The quick brown fox ${variant}`, rgbx(20, 20, 20));
  }
  let noise = variant;
  for (let y = 180; y < 330; y++) {
    for (let x = 20; x < 480; x++) {
      noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
      const light = 60 * Math.sin(x / 40) + 50 * Math.cos(y / 25) + (noise >>> 28);
      screen.words[y * WIDTH + x] = rgbx(130 + light, 120 + light / 2, 140 - light / 3);
    }
  }
  return screen;
}

/** The PDUs of one frame. */
function frame(frameId: number, codecId: number, data: Uint8Array): Uint8Array[] {
  const type = SurfaceCommandType.streamSurfaceBits;
  const area = { left: 0, top: 0, right: WIDTH, bottom: HEIGHT, width: WIDTH, height: HEIGHT };
  const commands: SurfaceCommand[] = [
    { kind: 'frameMarker', action: FrameAction.begin, frameId },
    { kind: 'bits', type, ...area, bitsPerPixel: 32, codecId, data },
    { kind: 'frameMarker', action: FrameAction.end, frameId },
  ];
  return writeFastPathUpdate(FastPathUpdateCode.surfaceCommands, writeSurfaceCommands(commands));
}

/** A whole frame, and one of two rectangles. FreeRDP 2 knows both modes by the number of video mode. */
function remoteFx(id: number, entropyAlgorithm: 1 | 4, imageMode: boolean): Uint8Array[] {
  const encoder = new RemoteFxEncoder(WIDTH, HEIGHT, { entropyAlgorithm, imageMode });
  const screen = scene(id);
  const encode = (region: Rectangle[]) => encoder.encode(screen.words, WIDTH, region);
  const first = frame(id, CODEC_IDS.remotefx, encode([screen.bounds]));
  const changed = [rectangle(100, 60, 90, 40), rectangle(300, 200, 33, 77)];
  for (const area of changed) fill(screen, area, rgbx(20, 160, 60));
  return [...first, ...frame(id + 1, CODEC_IDS.remotefx, encode(changed))];
}

function nsCodec(id: number, colorLossLevel: number, isSubsampled: boolean): Uint8Array[] {
  const { words } = scene(id);
  const bottomUp = words.map((_, i) => words[(HEIGHT - 1 - Math.floor(i / WIDTH)) * WIDTH + (i % WIDTH)]);
  const data = encodeNsCodec(bottomUp, WIDTH, HEIGHT, { colorLossLevel, isSubsampled });
  return frame(id + 1, CODEC_IDS.nscodec, data);
}

/** What is sent, with frames `id` and `id + 1`, and by how much a channel may differ. */
const cases: { name: string; frames: (id: number) => Uint8Array[]; most: number }[] = [
  { name: 'RemoteFX, RLGR1, video mode', frames: (id) => remoteFx(id, 1, false), most: 2 },
  { name: 'RemoteFX, RLGR3, video mode', frames: (id) => remoteFx(id, 4, false), most: 2 },
  { name: 'RemoteFX, RLGR1, image mode', frames: (id) => remoteFx(id, 1, true), most: 2 },
  { name: 'RemoteFX, RLGR3, image mode', frames: (id) => remoteFx(id, 4, true), most: 2 },
  { name: 'NSCodec without loss of colour', frames: (id) => nsCodec(id, 1, false), most: 0 },
  { name: 'NSCodec, subsampled', frames: (id) => nsCodec(id, 1, true), most: 0 },
  { name: 'NSCodec, colour loss 3, subsampled', frames: (id) => nsCodec(id, 3, true), most: 0 },
  { name: 'NSCodec, colour loss 7', frames: (id) => nsCodec(id, 7, false), most: 0 },
];

/** Number of the last frame that a client acknowledged, or -1. */
function lastAcknowledged({ received }: ScriptedClient): number {
  const numbers = received.flatMap((pdu) => {
    if (pdu[0] !== 3) return [];
    const domain = readDomainPdu(pdu);
    if (domain.kind !== 'sendDataRequest') return [];
    return readShareControls(domain.payload).flatMap(({ body }) => {
      const data = readShareData(body);
      return data.type === ShareDataType.frameAcknowledge ? [readFrameAcknowledge(data.body)] : [];
    });
  });
  return numbers.at(-1) ?? -1;
}

/** Greatest difference of a channel. */
function worstDifference(picture: Picture, decoder: ScreenDecoder): number {
  if (picture.width !== WIDTH || picture.height !== HEIGHT) return 256;
  return picture.pixels.reduce((most, value, i) => Math.max(most, Math.abs(value - decoder.pixels[i])), 0);
}

describe('FreeRDP and this decoder show the same', { skip, concurrency: false }, () => {
  let server: ScriptedServer;
  let freeRdp: FreeRdp;
  let client: ScriptedClient;

  before(async () => {
    const opened = Promise.withResolvers<ScriptedClient>();
    server = await ScriptedServer.start({
      capabilities: (usual) => [...usual, ...surfaceCapabilities(['remotefx', 'nscodec'])],
      opened: opened.resolve,
    });
    freeRdp = await FreeRdp.start({
      port: server.port,
      width: WIDTH,
      height: HEIGHT,
      user: 'someone',
      password: 'something',
      args: ['/bpp:32', '/rfx', '/nsc'],
    });
    client = await opened.promise;
  });
  after(async () => {
    await freeRdp?.close();
    await server?.close();
  });

  for (const [i, { name, frames, most }] of cases.entries()) {
    test(name, async () => {
      const id = 2 * i;
      const pdus = frames(id);
      const decoder = new ScreenDecoder();
      const codecs = Object.fromEntries(Object.entries(CODEC_IDS).map(([codec, number]) => [number, codec]));
      decoder.configure({ width: WIDTH, height: HEIGHT, depth: 32, codecs });
      for (const pdu of pdus) decoder.apply(pdu);
      assert.equal(decoder.undecodableBytes, 0, String(decoder.lastError));

      client.socket.send(pdus);
      await eventually('FreeRDP to acknowledge the last frame', () => lastAcknowledged(client) === id + 1);
      // What is acknowledged is not on the screen yet.
      const files = join(tmpdir(), `surface-codecs-${i}`);
      let worst = 256;
      await eventually(`FreeRDP to show ${name} within ${most}`, async () => {
        const picture = await freeRdp.display.screenshot();
        worst = worstDifference(picture, decoder);
        return worst <= most;
      }).catch(async (error) => {
        savePng(`${files}.actual.png`, decoder);
        savePng(`${files}.expected.png`, await freeRdp.display.screenshot());
        throw new Error(`${error.message}: a channel differs by ${worst}; see ${files}.*.png`);
      });
    });
  }
});
