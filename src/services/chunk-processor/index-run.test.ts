import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { FormatError } from '#evidence/format-error.ts';
import { readIndex } from '#evidence/index-record.ts';
import { readKeyframe } from '#evidence/keyframe.ts';
import { compressedSize } from '#evidence/node/chunk.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { FLAG_REPEATED, RecordType, readRecords, type SessionRecord, writeRecord } from '#evidence/record.ts';
import { writeJsonBody } from '#evidence/record-body.ts';
import { encodeBitmap } from '#rdp/codec/bitmap-encoder.ts';
import { rgbx } from '#rdp/codec/pixel.ts';
import { drawText, fill } from '#rdp/graphics/painter.ts';
import { readPng } from '#rdp/graphics/png.ts';
import { Screen } from '#rdp/graphics/screen.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { BitmapFlag, writeBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '#rdp/pdu/fast-path-output.ts';
import { type IndexRunOptions, indexRun, KEYFRAME_DISTANCE, KEYFRAME_INTERVAL } from './index-run.ts';

const WIDTH = 320;
const HEIGHT = 200;
const NO_STATE = new Uint8Array(0);
const plenty: IndexRunOptions = {
  nextIndex: { screen: 4, keyframes: 2 },
  storedBytes: { all: 1e9, keyframes: 1 },
  activity: [],
};

const config: SessionRecord = {
  type: RecordType.config,
  flags: 0,
  time: 0,
  seq: 0,
  body: writeJsonBody({
    version: 1,
    session: '01990000-0000-7000-8000-000000000000',
    startedAt: '2026-01-01T00:00:00Z',
    width: WIDTH,
    height: HEIGHT,
    depth: 24,
    codecs: {},
    profile: 'bitmaps',
    versions: {},
  }),
};

/** A server PDU that shows `n` on the whole screen, raw or compressed. */
function pdu(n: number, compressed = true): Uint8Array {
  const screen = new Screen(WIDTH, HEIGHT);
  fill(screen, screen.bounds, rgbx(n & 255, 80, 120));
  drawText(screen, 10, 10, `frame ${n}`, rgbx(255, 255, 255), 3);
  const left = 0;
  const [right, bottom] = [WIDTH - 1, 49];
  const data = encodeBitmap(screen.words, WIDTH, 0, 0, WIDTH, 50, 24);
  const flags = compressed ? BitmapFlag.compressed | BitmapFlag.noCompressionHeader : 0;
  const raw = new Uint8Array(WIDTH * 50 * 3).fill(n);
  const bitmap = { left, top: 0, right, bottom, width: WIDTH, height: 50, bitsPerPixel: 24, flags };
  const body = writeBitmapUpdate([{ ...bitmap, data: compressed ? data : raw }]);
  return writeFastPathUpdate(FastPathUpdateCode.bitmap, body, 0x7f00)[0];
}

const serverPdu = (seq: number, time: number, body = pdu(seq)): SessionRecord => ({
  type: RecordType.serverPdu,
  flags: 0,
  time,
  seq,
  body,
});
const run = (...records: SessionRecord[]) => Buffer.concat(records.map(writeRecord));
const bodyOf = (record: Uint8Array) => [...readRecords(record)][0].record.body;
const inflate = (bytes: Uint8Array, limit: number) => inflateSync(bytes, { maxOutputLength: limit });

test('the keyframe at the end of a run holds what a replay shows, and goes on from there', () => {
  const first = indexRun(run(config, serverPdu(1, 100), serverPdu(3, 2_500_000)), NO_STATE, plenty);
  const repeated = { ...config, flags: FLAG_REPEATED };
  const second = indexRun(run(repeated, serverPdu(5, 3_000_000)), first.state, plenty);
  const replay = new ScreenDecoder(WIDTH, HEIGHT, 24);
  for (const seq of [1, 3, 5]) replay.apply(pdu(seq));
  assert.equal(second.keyframes.length, 1);
  const [{ record }] = readRecords(second.keyframes[0], 'keyframes');
  assert.deepEqual([record.seq, record.time], [5, 3_000_000]);
  const keyframe = readKeyframe(record.body);
  assert.deepEqual([keyframe.width, keyframe.height, keyframe.seq], [WIDTH, HEIGHT, 5]);
  assert.deepEqual(Buffer.from(keyframe.sha256), sha256(replay.pixels));
  const picture = readPng(keyframe.png, inflate);
  assert.deepEqual(picture.pixels, replay.pixels);

  const resumed = ScreenDecoder.restore(keyframe.state, picture.pixels);
  resumed.apply(pdu(9));
  replay.apply(pdu(9));
  assert.deepEqual(resumed.pixels, replay.pixels);
  assert.equal(second.undecodableBytes, 0);
  assert.equal(second.decodedBytes, pdu(5).length);
});

test('the index tells activity by the second, markers, positions and a thumbnail', () => {
  const marker = { ...serverPdu(2, 200_000, writeJsonBody({ kind: 'pause' })), type: RecordType.marker };
  const records = run(config, serverPdu(1, 100), marker, serverPdu(3, 2_500_000));
  const activity = [
    { second: 1, keys: 7, clicks: 0 },
    { second: 3, keys: 0, clicks: 2 },
  ];
  const index = readIndex(bodyOf(indexRun(records, NO_STATE, { ...plenty, activity }).index));
  assert.equal(index.from, 0);
  assert.deepEqual(
    index.seconds.map(({ bytes, keys, clicks }) => [bytes > 0, keys, clicks]),
    [
      [true, 0, 0],
      [false, 7, 0],
      [true, 0, 0],
      [false, 0, 2],
    ],
  );
  assert.deepEqual(index.markers, [{ time: 200_000, kind: 'pause' }]);
  assert.deepEqual(index.keyframes, [
    { seq: 3, time: 2_500_000, chunk: 2, offset: 0, screenChunk: 5, screenOffset: 0 },
  ]);
  const [thumbnail] = index.thumbnails;
  assert.deepEqual([thumbnail.width, thumbnail.height], [160, 100]);
  assert.equal(readPng(Buffer.from(thumbnail.png, 'base64'), inflate).width, 160);
});

test('a long run has keyframes within, which point at the record after them', () => {
  const [large] = [pdu(0, false)];
  const count = Math.ceil((2.5 * KEYFRAME_DISTANCE) / large.length);
  const lasting = (stepUs: number) =>
    run(config, ...Array.from({ length: count }, (_, i) => serverPdu(i + 1, i * stepUs, pdu(i, false))));
  const records = lasting(KEYFRAME_INTERVAL / 100);
  assert.equal(indexRun(lasting(1), NO_STATE, plenty).keyframes.length, 2, 'a flood does not get one every few ms');
  const { keyframes, index } = indexRun(records, NO_STATE, plenty);
  const positions = readIndex(bodyOf(index)).keyframes;
  assert.equal(keyframes.length, 3);
  assert.deepEqual(
    positions.map(({ chunk, screenChunk }) => [chunk, screenChunk]),
    [
      [2, 4],
      [2, 4],
      [2, 5],
    ],
  );
  const chunk = Buffer.concat(keyframes);
  for (const { seq, offset, screenChunk, screenOffset } of positions) {
    const [{ record }] = readRecords(chunk, 'keyframes', offset);
    assert.equal(record.seq, seq);
    if (screenChunk !== 4) continue;
    const [next] = readRecords(records, 'screen', screenOffset);
    assert.equal(next.record.seq, seq + 1);
  }
});

test('keyframes take no more than their share, but a recording has one', () => {
  const records = run(config, serverPdu(1, 100));
  const poor = (keyframes: number) => ({ ...plenty, storedBytes: { all: 2000, keyframes } });
  assert.equal(indexRun(records, NO_STATE, poor(0)).keyframes.length, 1);
  const none = indexRun(records, NO_STATE, poor(290));
  assert.equal(none.keyframes.length, 0);
  assert.deepEqual(readIndex(bodyOf(none.index)).thumbnails, []);
});

test('keyframes that would take too much are thinned out, the last one kept longest', () => {
  const noise = (seq: number) => {
    const data = randomFillSync(new Uint8Array(WIDTH * 30 * 3));
    const bitmap = {
      left: 0,
      top: 0,
      right: WIDTH - 1,
      bottom: 29,
      width: WIDTH,
      height: 30,
      bitsPerPixel: 24,
      flags: 0,
    };
    const body = writeBitmapUpdate([{ ...bitmap, data }]);
    return serverPdu(seq, seq * KEYFRAME_INTERVAL, writeFastPathUpdate(FastPathUpdateCode.bitmap, body, 0x7f00)[0]);
  };
  const count = Math.ceil((4.5 * KEYFRAME_DISTANCE) / noise(1).body.length);
  const records = run(config, ...Array.from({ length: count }, (_, i) => noise(i + 1)));
  const within = (all: number) => indexRun(records, NO_STATE, { ...plenty, storedBytes: { all, keyframes: 0 } });
  assert.equal(within(1e9).keyframes.length, 5);
  const few = within((2.2 * WIDTH * 30 * 3) / 0.15);
  const kept = few.keyframes.map((bytes) => readKeyframe(bodyOf(bytes)).seq);
  assert.ok(kept.length >= 1 && kept.length <= 2, `${kept.length} keyframes`);
  assert.equal(kept.at(-1), count);
  const chunk = Buffer.concat(few.keyframes);
  for (const { seq, offset } of readIndex(bodyOf(few.index)).keyframes) {
    assert.equal([...readRecords(chunk, 'keyframes', offset)][0].record.seq, seq);
  }
});

test('a keyframe that repeats the one before costs next to nothing', () => {
  const [keyframe] = indexRun(run(config, serverPdu(1, 100)), NO_STATE, plenty).keyframes;
  assert.ok(compressedSize(Buffer.concat([keyframe, keyframe, keyframe])) < compressedSize(keyframe) * 1.1 + 200);
});

test('a repeated config does not undo a resize', () => {
  const state = indexRun(run(config, serverPdu(1, 100)), NO_STATE, plenty).state;
  const wrongSize = {
    ...config,
    flags: FLAG_REPEATED,
    body: writeJsonBody({ ...JSON.parse(Buffer.from(config.body).toString()), width: 64 }),
  };
  const { keyframes } = indexRun(run(wrongSize, serverPdu(2, 200)), state, plenty);
  assert.equal(readKeyframe(bodyOf(keyframes[0])).width, WIDTH);
});

test('undecodable PDUs are counted, malformed runs and states are refused', () => {
  const broken = writeFastPathUpdate(FastPathUpdateCode.orders, new Uint8Array(50))[0];
  const { undecodableBytes, decodedBytes } = indexRun(run(config, serverPdu(1, 9, broken)), NO_STATE, plenty);
  assert.deepEqual([undecodableBytes, decodedBytes], [50, broken.length - 50]);
  const records = run(config, serverPdu(1, 100));
  assert.throws(() => indexRun(run({ ...config, flags: FLAG_REPEATED }), NO_STATE, plenty), FormatError);
  assert.throws(() => indexRun(records.subarray(1), NO_STATE, plenty), FormatError);
  const { state } = indexRun(records, NO_STATE, plenty);
  for (const bad of [Uint8Array.of(1, 2, 3), state.subarray(0, 40), state.subarray(0, state.length - 3)]) {
    assert.throws(() => indexRun(records, bad, plenty), FormatError);
  }
});

test('a run that asks for too much painting is given up, not worked at for ever', () => {
  const [width, height] = [8192, 4000];
  // 16-bit colour runs of 65,535 pixels, four bytes each, until the bitmap is full.
  const runs = Math.floor((width * height) / 0xffff);
  const rest = width * height - runs * 0xffff;
  const data = new Uint8Array((runs + 1) * 5);
  for (let i = 0; i <= runs; i++) {
    const length = i < runs ? 0xffff : rest;
    data.set([0xf3, length & 0xff, length >> 8, i & 0xff, 0x12], i * 5);
  }
  const flags = BitmapFlag.compressed | BitmapFlag.noCompressionHeader;
  const bitmap = { left: 0, top: 0, right: 9, bottom: 9, width, height, bitsPerPixel: 16, flags, data };
  const [body] = writeFastPathUpdate(FastPathUpdateCode.bitmap, writeBitmapUpdate([bitmap]), 0x7f00);
  const records = Array.from({ length: 2000 }, (_, i): SessionRecord => {
    return { type: RecordType.serverPdu, flags: 0, time: i, seq: i + 1, body };
  });
  const run = Buffer.concat([config, ...records].map(writeRecord));
  assert.throws(() => indexRun(run, NO_STATE, { ...plenty, patienceMs: 300 }), /takes longer than 0.3 s to decode/);
});
