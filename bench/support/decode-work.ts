/** What the decoders' benchmark decodes, and how it is timed: portable, so that Node.js and a browser run the same code. */
import { MppcDecoder } from '#rdp/bulk/mppc-decoder.ts';
import { MppcEncoder } from '#rdp/bulk/mppc-encoder.ts';
import { BitmapDecoder } from '#rdp/codec/bitmap-decoder.ts';
import { encodeBitmap } from '#rdp/codec/bitmap-encoder.ts';
import { NsCodecDecoder } from '#rdp/codec/nscodec.ts';
import { encodeNsCodec } from '#rdp/codec/nscodec-encoder.ts';
import { packPixels, RGB332_PALETTE } from '#rdp/codec/pack-pixels.ts';
import type { BitsPerPixel } from '#rdp/codec/pixel.ts';
import { encodePlanar } from '#rdp/codec/planar-encoder.ts';
import { RemoteFxDecoder } from '#rdp/codec/remotefx/remotefx-decoder.ts';
import { RemoteFxEncoder } from '#rdp/codec/remotefx/remotefx-encoder.ts';
import { EntropyAlgorithm } from '#rdp/codec/remotefx/rlgr.ts';
import { encodeUncompressed } from '#rdp/codec/uncompressed.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { CODEC_IDS } from '#rdp/graphics/surface-capabilities.ts';
import { writeCacheBitmapRev2 } from '#rdp/order/cache-bitmap.ts';
import { announcedOrders } from '#rdp/order/order-announcement.ts';
import { orderSupportOf } from '#rdp/order/order-support.ts';
import { writeFastPathOrders } from '#rdp/order/orders-update.ts';
import { PrimaryOrderWriter } from '#rdp/order/primary-order-writer.ts';
import { writeSecondaryOrder } from '#rdp/order/secondary-order.ts';
import { BitmapFlag, writeBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import type { CodecName } from '#rdp/pdu/codec-properties.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '#rdp/pdu/fast-path-output.ts';
import { writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { ShareControlType, writeShareControl } from '#rdp/pdu/share-control.ts';
import { SurfaceCommandType, writeSurfaceCommands } from '#rdp/pdu/surface-commands.ts';
import { desktop, HEIGHT, WIDTH } from './decode-desktop.ts';
import { median } from './result.ts';

const TILE = 64;
/** The cache of the largest bitmaps. */
const CACHE_ID = 2;

/** One way to get a whole frame of WIDTH × HEIGHT. */
export interface DecodeCase {
  readonly what: string;
  /** Of the frame on the wire. */
  readonly bytes: number;
  /** Decodes the frame once. */
  decode(): void;
}

/** How long to time, and by which measure. */
export interface Timing {
  /** Milliseconds of CPU used so far: unlike the clock, they do not count what others on the machine do. */
  cpuMs(): number | Promise<number>;
  readonly runs: number;
  /** Of the clock. */
  readonly runMs: number;
}

/** Frames a CPU second: the median of several runs, after one that warms up. */
export async function framesPerSecond({ decode }: DecodeCase, { cpuMs, runs, runMs }: Timing): Promise<number> {
  const figures: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const used = await cpuMs();
    const started = performance.now();
    let frames = 0;
    while (performance.now() - started < runMs) {
      decode();
      frames++;
    }
    figures.push((frames * 1000) / ((await cpuMs()) - used));
  }
  return median(figures.slice(1));
}

const byteLength = (parts: readonly { length: number }[]) => parts.reduce((sum, { length }) => sum + length, 0);

/** The case of PDUs that are applied to a screen. @throws Error when one of them cannot be decoded */
function replayCase(
  what: string,
  pdus: readonly Uint8Array[],
  { orders, before = [] }: { orders?: unknown; before?: readonly Uint8Array[] } = {},
): DecodeCase {
  const replay = new ScreenDecoder();
  const codecs = Object.fromEntries(Object.entries(CODEC_IDS).map(([name, id]) => [id, name]));
  replay.configure({ width: WIDTH, height: HEIGHT, depth: 32, codecs, ...(orders === undefined ? {} : { orders }) });
  for (const pdu of [...before, ...pdus]) replay.apply(pdu);
  if (replay.undecodableBytes > 0) throw new Error(`${what}: ${replay.lastError}`);
  const decode = () => {
    for (const pdu of pdus) replay.apply(pdu);
  };
  return { what, bytes: byteLength(pdus), decode };
}

/** Every case. */
export function decodeCases(): DecodeCase[] {
  const { words } = screen;
  const copy = new Uint32Array(words.length);
  return [
    ...bitmapCases(),
    ...remoteFxCases(),
    ...nsCodecCases(),
    ...orderCases(),
    ...bulkCases(),
    { what: 'floor: copy of the pixels', bytes: words.byteLength, decode: () => copy.set(words) },
  ];
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

function bitmapCases(): DecodeCase[] {
  return sets.flatMap(([name, list]) => {
    const decoder = new BitmapDecoder();
    const decode = () => {
      for (const tile of list) decoder.decode(tile, RGB332_PALETTE);
    };
    const pdus = list.flatMap((tile) => {
      const flags = tile.compressed ? BitmapFlag.compressed | BitmapFlag.noCompressionHeader : 0;
      const [right, bottom] = [tile.left + tile.width - 1, tile.top + tile.height - 1];
      return writeFastPathUpdate(FastPathUpdateCode.bitmap, writeBitmapUpdate([{ ...tile, right, bottom, flags }]));
    });
    const bytes = byteLength(list.map(({ data }) => data));
    return [{ what: name, bytes, decode }, replayCase(`${name}, PDUs to screen`, pdus)];
  });
}

/** PDUs of one surface command that covers the screen. */
function surfacePdus(codec: CodecName, data: Uint8Array): Uint8Array[] {
  const area = { left: 0, top: 0, right: WIDTH, bottom: HEIGHT, width: WIDTH, height: HEIGHT };
  const type = SurfaceCommandType.streamSurfaceBits;
  const command = { kind: 'bits' as const, type, ...area, bitsPerPixel: 32, codecId: CODEC_IDS[codec], data };
  return writeFastPathUpdate(FastPathUpdateCode.surfaceCommands, writeSurfaceCommands([command]));
}

function remoteFxCases(): DecodeCase[] {
  return Object.entries(EntropyAlgorithm).flatMap(([name, entropyAlgorithm]) => {
    const encoder = new RemoteFxEncoder(WIDTH, HEIGHT, { entropyAlgorithm, imageMode: true });
    const message = encoder.encode(screen.words, WIDTH, [screen.bounds]);
    const decoder = new RemoteFxDecoder();
    const what = `RemoteFX, ${name.toUpperCase()}`;
    const decode = () => decoder.decode(message, () => {});
    return [
      { what, bytes: message.length, decode },
      replayCase(`${what}, PDUs to screen`, surfacePdus('image-remotefx', message)),
    ];
  });
}

function nsCodecCases(): DecodeCase[] {
  const settings = { 'no colour loss': [1, false], 'colour loss 3, subsampled': [3, true] } as const;
  return Object.entries(settings).flatMap(([name, [colorLossLevel, isSubsampled]]) => {
    const data = encodeNsCodec(screen.words, WIDTH, HEIGHT, { colorLossLevel, isSubsampled });
    const decoder = new NsCodecDecoder();
    const what = `NSCodec, ${name}`;
    return [
      { what, bytes: data.length, decode: () => void decoder.decode(data, WIDTH, HEIGHT) },
      replayCase(`${what}, PDUs to screen`, surfacePdus('nscodec', data)),
    ];
  });
}

/** The PDUs of a frame in bulk compression, and what it costs to undo it. */
function bulkCases(): DecodeCase[] {
  return ['planar 32 bpp', 'uncompressed 16 bpp'].map((name) => {
    const [, list] = sets.find(([each]) => each === name)!;
    const encoder = new MppcEncoder();
    const packets = list.map((tile) => {
      const { flags, data } = encoder.encode(tile.data);
      return { flags, data: data.slice() };
    });
    const decoder = new MppcDecoder();
    const decode = () => {
      decoder.reset();
      for (const { flags, data } of packets) decoder.decode(data, flags);
    };
    return { what: `MPPC 64K of ${name}`, bytes: byteLength(packets.map(({ data }) => data)), decode };
  });
}

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

function orderCases(): DecodeCase[] {
  const [, planarTiles] = sets[0];
  const entries = SUPPORT.bitmapCaches[CACHE_ID].entries;
  const caching = planarTiles.map((tile, i) =>
    writeSecondaryOrder(
      writeCacheBitmapRev2({ ...tile, cacheId: CACHE_ID, cacheIndex: i % entries, bitsPerPixel: 32 }),
    ),
  );
  const inCache = caching.slice(0, entries);
  const placed = planarTiles.map(({ left, top, width, height }, i) => ({
    ...{ cacheId: CACHE_ID, nLeftRect: left, nTopRect: top, nWidth: width, nHeight: height, cacheIndex: i % entries },
  }));
  const drawn = (make: (writer: PrimaryOrderWriter) => Uint8Array[]) => make(new PrimaryOrderWriter());
  const fromCache = drawn((writer) => placed.map((place) => writer.write('memBlt', { ...place, bRop: 0xcc })));
  const through = caching.flatMap((order, i) => [order, fromCache[i]]);
  const mixed = drawn((writer) =>
    placed.map((place) => writer.write('mem3Blt', { ...place, bRop: 0xb8, foreColor: 0x808080 })),
  );
  const scrolled = drawn((writer) => [
    writer.write('scrBlt', { nWidth: WIDTH, nHeight: HEIGHT - 13, bRop: 0xcc, nYSrc: 13 }),
  ]);
  const orderCase = (what: string, frame: readonly Uint8Array[], before: readonly Uint8Array[] = []) =>
    replayCase(what, [again, ...orderPdus(frame)], { orders: SUPPORT, before: [...orderPdus(before)] });
  return [
    orderCase('orders: planar tiles into the cache and from there', through),
    orderCase('orders: MemBlt of what is cached', fromCache, inCache),
    orderCase('orders: Mem3Blt of source, brush and destination', mixed, inCache),
    orderCase('orders: ScrBlt of the whole screen', scrolled),
  ];
}
