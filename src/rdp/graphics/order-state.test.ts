import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  apply,
  assertShows,
  bitmapOf,
  blitTo,
  HEIGHT,
  open,
  SUPPORT,
  secondary,
  session,
  slow,
  WIDTH,
} from '../../../test/support/orders.ts';
import { DecodeError } from '../bytes.ts';
import { writeCacheBitmapRev2 } from '../order/cache-bitmap.ts';
import { PrimaryOrderWriter } from '../order/primary-order-writer.ts';
import { ShareControlType, writeShareControl } from '../pdu/share-control.ts';
import { ScreenDecoder } from './screen-decoder.ts';

test('a decoder that was saved at any order goes on as the other', () => {
  const orders = session();
  const played = open();
  for (const order of orders) apply(played, order);
  assert.equal(played.undecodableBytes, 0, `${played.lastError}`);
  for (let cut = 0; cut <= orders.length; cut++) {
    const before = open();
    for (const order of orders.slice(0, cut)) apply(before, order);
    const restored = ScreenDecoder.restore(before.save(false), before.pixels);
    assert.deepEqual(restored.save(), before.save());
    for (const order of orders.slice(cut)) apply(restored, order);
    assert.deepEqual(restored.screen.words, played.screen.words);
    assert.deepEqual(restored.save(), played.save());
  }
});

test('a new activation begins the history anew and keeps the caches; another announcement empties them', () => {
  const { bitmap, source } = bitmapOf(32, 4);
  const decoder = open();
  const show = () => new PrimaryOrderWriter().write('memBlt', { nWidth: 8, nHeight: 6, bRop: 0xcc, cacheIndex: 4 });
  apply(
    decoder,
    secondary(writeCacheBitmapRev2(bitmap)),
    new PrimaryOrderWriter().write('memBlt', { nLeftRect: 9, cacheIndex: 4 }),
  );
  decoder.apply(slow(writeShareControl(ShareControlType.deactivateAll, 1002, new Uint8Array(0))));
  decoder.configure({ width: WIDTH, height: HEIGHT, depth: 32, codecs: {}, orders: structuredClone(SUPPORT) });
  apply(decoder, show());
  assertShows(decoder, (screen) => blitTo(screen, source, 0, 0));
  decoder.configure({ width: WIDTH, height: HEIGHT, depth: 32, codecs: {}, orders: { ...SUPPORT, colorTables: 1 } });
  apply(decoder, show());
  assert.match(`${decoder.lastError}`, /entry 4 of bitmap cache 0 is empty/);
});

test('the same announcement keeps the caches of a restored decoder, too', () => {
  const { bitmap, source } = bitmapOf(32, 4);
  const before = open();
  apply(before, secondary(writeCacheBitmapRev2(bitmap)));
  const restored = ScreenDecoder.restore(before.save());
  restored.configure({ width: WIDTH, height: HEIGHT, depth: 32, codecs: {}, orders: structuredClone(SUPPORT) });
  apply(restored, new PrimaryOrderWriter().write('memBlt', { nWidth: 8, nHeight: 6, bRop: 0xcc, cacheIndex: 4 }));
  assertShows(restored, (screen) => blitTo(screen, source, 0, 0));
});

test('random states are read or refused', () => {
  const decoder = open();
  for (const order of session()) apply(decoder, order);
  const state = decoder.save();
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (at, byte, length) => {
      const changed = state.slice(0, length % 3 === 0 ? length % state.length : state.length);
      if (changed.length > 0) changed[at % Math.min(changed.length, 4000)] = byte;
      try {
        const restored = ScreenDecoder.restore(changed);
        for (const order of session()) apply(restored, order);
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }),
    { numRuns: 400 },
  );
});
