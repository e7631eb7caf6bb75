/**
 * Claim: decoding keeps up with many desktops: each codec in MB of wire data and in whole 1080p frames a second of CPU, alone
 * and through the whole replay path (PDUs to screen); drawing orders; bulk compression by itself.
 * Floor: copying the decoded pixels of a frame once.
 */
import { MppcDecoder } from '#rdp/bulk/mppc-decoder.ts';
import { MppcEncoder } from '#rdp/bulk/mppc-encoder.ts';
import { BitmapDecoder } from '#rdp/codec/bitmap-decoder.ts';
import { encodeBitmap } from '#rdp/codec/bitmap-encoder.ts';
import { packPixels, RGB332_PALETTE } from '#rdp/codec/pack-pixels.ts';
import { type BitsPerPixel, rgbx } from '#rdp/codec/pixel.ts';
import { encodePlanar } from '#rdp/codec/planar-encoder.ts';
import { encodeUncompressed } from '#rdp/codec/uncompressed.ts';
import { drawText, fill, frame } from '#rdp/graphics/painter.ts';
import { rectangle } from '#rdp/graphics/rectangle.ts';
import { Screen } from '#rdp/graphics/screen.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { writeCacheBitmapRev2 } from '#rdp/order/cache-bitmap.ts';
import { announcedOrders } from '#rdp/order/order-announcement.ts';
import { orderSupportOf } from '#rdp/order/order-support.ts';
import { writeFastPathOrders } from '#rdp/order/orders-update.ts';
import { PrimaryOrderWriter } from '#rdp/order/primary-order-writer.ts';
import { writeSecondaryOrder } from '#rdp/order/secondary-order.ts';
import { BitmapFlag, writeBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '#rdp/pdu/fast-path-output.ts';
import { writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { ShareControlType, writeShareControl } from '#rdp/pdu/share-control.ts';
import { median, printResult } from './support/result.ts';

const SHORT = process.argv.includes('--short');
const RUNS = SHORT ? 1 : 7;
const RUN_MS = SHORT ? 30 : 400;
const WIDTH = 1920;
const HEIGHT = 1080;
const TILE = 64;

/** Linear congruential noise, so that every run sees the same bytes. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A terminal full of text, a window of widgets, and a photograph-like part. */
function desktop(): Screen {
  const screen = new Screen(WIDTH, HEIGHT);
  const random = noise(1);
  fill(screen, screen.bounds, rgbx(48, 74, 112));
  fill(screen, rectangle(40, 40, 1000, 960), rgbx(20, 20, 20));
  for (let y = 50; y < 980; y += 13) {
    const words = Array.from({ length: 12 }, () => Math.floor(random() * 36 ** 7).toString(36));
    drawText(screen, 50, y, words.join(' ').slice(0, Math.floor(40 + random() * 80)), rgbx(200, 220, 200));
  }
  fill(screen, rectangle(1100, 60, 700, 400), rgbx(236, 236, 236));
  for (let i = 0; i < 8; i++) {
    frame(screen, rectangle(1130, 100 + i * 40, 300, 28), rgbx(150, 150, 150));
    drawText(screen, 1140, 107 + i * 40, 'A labelled button', rgbx(30, 30, 30));
  }
  for (let y = 520; y < 1000; y++) {
    for (let x = 1100; x < 1800; x++) {
      const light = 40 * Math.sin(x / 60) + 40 * Math.cos(y / 45) + random() * 12;
      screen.words[y * WIDTH + x] = rgbx(100 + light, 90 + light / 2, 110 + light / 3);
    }
  }
  return screen;
}

interface Tile {
  left: number;
  top: number;
  width: number;
  height: number;
  bitsPerPixel: BitsPerPixel;
  compressed: boolean;
  data: Uint8Array;
}

type Encode = (left: number, top: number, width: number, height: number) => Uint8Array;

/** The screen cut into tiles, as xrdp sends it. */
function tiles(bitsPerPixel: BitsPerPixel, compressed: boolean, encode: Encode): Tile[] {
  const list: Tile[] = [];
  for (let top = 0; top < HEIGHT; top += TILE) {
    const height = Math.min(TILE, HEIGHT - top);
    for (let left = 0; left < WIDTH; left += TILE) {
      const data = encode(left, top, TILE, height);
      list.push({ left, top, width: TILE, height, bitsPerPixel, compressed, data });
    }
  }
  return list;
}

/** Milliseconds of CPU that this process has used: unlike the clock, they do not count what others on the machine do. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Frames a CPU second of `work`, which does one frame: the median of several runs, after one that warms up. */
function framesPerSecond(work: () => void): number {
  const run = () => {
    const started = cpuMs();
    let frames = 0;
    while (cpuMs() - started < RUN_MS) {
      work();
      frames++;
    }
    return (frames * 1000) / (cpuMs() - started);
  };
  run();
  return median(Array.from({ length: RUNS }, run));
}

const screen = desktop();
const { words } = screen;
const pack =
  (depth: BitsPerPixel): Encode =>
  (left, top, width, height) =>
    encodeUncompressed(packPixels(words, WIDTH, left, top, width, height, depth), width, height, depth);
const compress =
  (depth: BitsPerPixel): Encode =>
  (left, top, width, height) =>
    encodeBitmap(words, WIDTH, left, top, width, height, depth);
const planarWithoutAlpha: Encode = (left, top, width, height) =>
  encodePlanar(packPixels(words, WIDTH, left, top, width, height, 32), width);

const sets: [string, Tile[]][] = [
  ['planar 32 bpp, alpha plane', tiles(32, true, compress(32))],
  ['planar 32 bpp', tiles(32, true, planarWithoutAlpha)],
  ['interleaved RLE 24 bpp', tiles(24, true, compress(24))],
  ['interleaved RLE 16 bpp', tiles(16, true, compress(16))],
  ['interleaved RLE 15 bpp', tiles(15, true, compress(15))],
  ['interleaved RLE 8 bpp', tiles(8, true, compress(8))],
  ['uncompressed 32 bpp', tiles(32, false, pack(32))],
  ['uncompressed 16 bpp', tiles(16, false, pack(16))],
];

const row = (what: string, bytes: number, frames: number) => ({
  what,
  'wire MB a frame': bytes / 1e6,
  'wire MB/s': (bytes * frames) / 1e6,
  'frames/s': frames,
  'Mpixel/s': (frames * WIDTH * HEIGHT) / 1e6,
});

const rows = sets.flatMap(([name, list]) => {
  const bytes = list.reduce((sum, tile) => sum + tile.data.length, 0);
  const decoder = new BitmapDecoder();
  const alone = framesPerSecond(() => {
    for (const tile of list) decoder.decode(tile, RGB332_PALETTE);
  });
  const pdus = list.flatMap((tile) => {
    const flags = tile.compressed ? BitmapFlag.compressed | BitmapFlag.noCompressionHeader : 0;
    const [right, bottom] = [tile.left + tile.width - 1, tile.top + tile.height - 1];
    return writeFastPathUpdate(FastPathUpdateCode.bitmap, writeBitmapUpdate([{ ...tile, right, bottom, flags }]));
  });
  const replay = new ScreenDecoder(WIDTH, HEIGHT);
  const whole = framesPerSecond(() => {
    for (const pdu of pdus) replay.apply(pdu);
  });
  if (replay.undecodableBytes > 0) throw new Error(`${name}: ${replay.lastError}`);
  return [row(name, bytes, alone), row(`${name}, PDUs to screen`, bytes, whole)];
});
/** The PDUs of a frame in bulk compression, and what it costs to undo it. */
const bulk = ['planar 32 bpp', 'uncompressed 16 bpp'].map((name) => {
  const [, list] = sets.find(([each]) => each === name)!;
  const encoder = new MppcEncoder();
  const packets = list.map((tile) => {
    const { flags, data } = encoder.encode(tile.data);
    return { flags, data: data.slice() };
  });
  const decoder = new MppcDecoder();
  const frames = framesPerSecond(() => {
    decoder.reset();
    for (const { flags, data } of packets) decoder.decode(data, flags);
  });
  const bytes = packets.reduce((sum, { data }) => sum + data.length, 0);
  return row(`MPPC 64K of ${name}`, bytes, frames);
});
const SUPPORT = orderSupportOf(announcedOrders())!;
/** Ends the history of orders, so that a frame can be played again and again. */
const again = writeDomainPdu({
  kind: 'sendDataIndication',
  initiator: 1002,
  channelId: 1003,
  payload: writeShareControl(ShareControlType.deactivateAll, 1002, new Uint8Array(0)),
});

/** Fast-path PDUs of some orders: as many as fit, as servers send them. */
function* orderPdus(orders: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
  let batch: Uint8Array[] = [];
  let size = 0;
  for (const order of orders) {
    if (size + order.length > 32_000) {
      yield* writeFastPathUpdate(FastPathUpdateCode.orders, writeFastPathOrders(batch));
      [batch, size] = [[], 0];
    }
    batch.push(order);
    size += order.length;
  }
  yield* writeFastPathUpdate(FastPathUpdateCode.orders, writeFastPathOrders(batch));
}

/** One way to draw a frame with orders. @param before what the caches hold already */
function orderRow(what: string, frame: readonly Uint8Array[], before: readonly Uint8Array[] = []) {
  const replay = new ScreenDecoder(WIDTH, HEIGHT);
  replay.configure({ width: WIDTH, height: HEIGHT, depth: 32, codecs: {}, orders: SUPPORT });
  for (const pdu of orderPdus(before)) replay.apply(pdu);
  const pdus = [again, ...orderPdus(frame)];
  const frames = framesPerSecond(() => {
    for (const pdu of pdus) replay.apply(pdu);
  });
  if (replay.undecodableBytes > 0) throw new Error(`${what}: ${replay.lastError}`);
  return row(
    what,
    pdus.reduce((sum, pdu) => sum + pdu.length, 0),
    frames,
  );
}

const [, planarTiles] = sets[0];
const inCache = planarTiles.map((tile, i) =>
  writeSecondaryOrder(writeCacheBitmapRev2({ ...tile, cacheId: 2, cacheIndex: i, bitsPerPixel: 32 })),
);
const placed = planarTiles.map(({ left, top, width, height }, cacheIndex) => ({
  ...{ cacheId: 2, nLeftRect: left, nTopRect: top, nWidth: width, nHeight: height, cacheIndex },
}));
const drawn = (make: (writer: PrimaryOrderWriter) => Uint8Array[]) => make(new PrimaryOrderWriter());
const fromCache = drawn((writer) => placed.map((place) => writer.write('memBlt', { ...place, bRop: 0xcc })));
const mixed = drawn((writer) =>
  placed.map((place) => writer.write('mem3Blt', { ...place, bRop: 0xb8, foreColor: 0x808080 })),
);
const scrolled = drawn((writer) => [
  writer.write('scrBlt', { nWidth: WIDTH, nHeight: HEIGHT - 13, bRop: 0xcc, nYSrc: 13 }),
]);
const orders = [
  orderRow('orders: planar tiles into the cache and from there', [...inCache, ...fromCache]),
  orderRow('orders: MemBlt of what is cached', fromCache, inCache),
  orderRow('orders: Mem3Blt of source, brush and destination', mixed, inCache),
  orderRow('orders: ScrBlt of the whole screen', scrolled),
];
const copy = new Uint32Array(words.length);
const floor = framesPerSecond(() => copy.set(words));
printResult('decode', [...rows, ...orders, ...bulk, row('floor: copy of the pixels', words.byteLength, floor)]);
