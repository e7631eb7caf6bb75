import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BitmapDecoder } from '#rdp/codec/bitmap-decoder.ts';
import { RGB332_PALETTE } from '#rdp/codec/pack-pixels.ts';
import type { BitsPerPixel } from '#rdp/codec/pixel.ts';
import { rectangle } from '#rdp/graphics/rectangle.ts';
import { Screen } from '#rdp/graphics/screen.ts';
import { BitmapFlag, readBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import { readUpdateType, UpdateType } from '#rdp/pdu/update.ts';
import { localSize } from './local-desktop.ts';
import { paintNotice, toUpdates } from './notice-picture.ts';

const notice = { title: 'This ticket cannot be used', text: 'It was used before.\nAsk for a new one. '.repeat(3) };
const MCS_MAX_PAYLOAD = 16383;

function show(updates: Uint8Array[], width: number, height: number): Screen {
  const screen = new Screen(width, height);
  const decoder = new BitmapDecoder();
  for (const update of updates) {
    if (readUpdateType(update) !== UpdateType.bitmap) continue;
    for (const bitmap of readBitmapUpdate(update)) {
      const compressed = (bitmap.flags & BitmapFlag.compressed) !== 0;
      assert.equal(bitmap.width % 4, 0);
      const words = decoder.decode({ ...bitmap, compressed }, RGB332_PALETTE);
      const { left, top, right, bottom } = bitmap;
      screen.blitBottomUp(words, bitmap.width, bitmap.height, rectangle(left, top, right - left + 1, bottom - top + 1));
    }
  }
  return screen;
}

test('what the updates show is what was painted', () => {
  for (const [width, height] of [
    [1280, 800],
    [1366, 767],
    [201, 200],
  ]) {
    const painted = paintNotice(width, height, notice);
    assert.ok(new Set(painted.words).size >= 3, 'background and two colours of text');
    const updates = toUpdates(painted, 32);
    assert.deepEqual(show(updates, width, height).words, painted.words);
  }
});

test('updates of every depth fit into an MCS PDU and cover the screen', () => {
  for (const depth of [8, 15, 16, 24, 32] as BitsPerPixel[]) {
    const painted = paintNotice(640, 480, notice);
    const updates = toUpdates(painted, depth);
    for (const update of updates) assert.ok(update.length + 18 <= MCS_MAX_PAYLOAD, `${update.length} at ${depth}`);
    const shown = show(updates, 640, 480);
    assert.ok(!shown.words.includes(0xff000000), `no black left at ${depth}`);
  }
});

test('a screen too small for the words takes what fits', () => {
  paintNotice(1, 1, { title: 'x'.repeat(500), text: '' });
});

test('the largest desktop costs the gateway little, and no stranger gets it', () => {
  const startedAt = process.cpuUsage();
  const updates = toUpdates(paintNotice(7680, 4320, notice), 32);
  const { user, system } = process.cpuUsage(startedAt);
  assert.ok(user + system < 1_000_000, `${(user + system) / 1000} ms of CPU`);
  assert.ok(updates.length > 8000);
  assert.deepEqual(localSize(1920, 1080), { width: 1920, height: 1080 });
  for (const [width, height] of [
    [7680, 4320],
    [65535, 65535],
    [8192, 1024],
    [0, 0],
  ]) {
    assert.deepEqual(localSize(width, height), { width: 1024, height: 768 });
  }
});
