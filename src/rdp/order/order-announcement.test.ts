import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { readConfirmActive } from '../pdu/active.ts';
import { type CapabilitySet, capability } from '../pdu/capability-set.ts';
import { readShareControls } from '../pdu/share-control.ts';
import { announcedOrders, offersOrders, orderEdits } from './order-announcement.ts';
import { type OrderSupport, orderSupportOf, readOrderSupport } from './order-support.ts';
import { primaryKinds } from './primary-layouts.ts';

const { vectors } = JSON.parse(
  readFileSync(new URL('../../../vectors/rdp/capability-pdus.json', import.meta.url), 'utf8'),
) as { vectors: { name: string; hex: string }[] };

const setsOf = (name: string): CapabilitySet[] => {
  const { hex } = vectors.find((each) => each.name === name)!;
  return readConfirmActive(readShareControls(Uint8Array.from(Buffer.from(hex, 'hex')))[0].body).capabilitySets;
};

/** As the gateway passes a client's sets on. */
const limited = (sets: readonly CapabilitySet[]): CapabilitySet[] =>
  sets.map((set) => {
    const edit = (orderEdits as Record<string, unknown>)[set.kind] as
      | ((set: CapabilitySet) => CapabilitySet)
      | undefined;
    return edit ? edit(set) : set;
  });

const limits = {
  bitmapCaches: [
    { entries: 200, size: 256 },
    { entries: 200, size: 1024 },
    { entries: 300, size: 4096 },
  ],
  glyphCache: { entries: 254, size: 2048 },
};

function assertWithinLimits(support: OrderSupport): void {
  for (const [i, { entries, size }] of support.bitmapCaches.entries()) {
    assert.ok(
      entries <= limits.bitmapCaches[i].entries && size <= 4 * limits.bitmapCaches[i].size,
      `bitmap cache ${i}`,
    );
  }
  for (const { entries, size } of support.glyphCaches) assert.ok(entries <= 254 && size <= 2048);
  assert.ok(support.fragmentCache.entries <= 256 && support.fragmentCache.size <= 256);
  assert.ok(support.colorTables <= 6);
  assert.equal(support.bitmapCacheRev3, false);
}

test("mstsc's announcement is passed on as far as it is decoded, and capped", () => {
  const sets = setsOf('confirm-active');
  const recent = [...sets, capability('multifragmentUpdate', { maxRequestSize: 65535 })];
  assert.ok(offersOrders(recent));
  const support = orderSupportOf(limited(sets))!;
  assert.deepEqual(
    support.primary,
    primaryKinds.filter((kind) => kind !== 'glyphIndex'),
  );
  assertWithinLimits(support);
  assert.ok(support.brushCache);
  assert.ok(offersOrders(limited(recent)));
});

test('a client that announces too little for servers to draw with orders is not offered them', () => {
  assert.equal(offersOrders(setsOf('freerdp-confirm-active')), false);
  assert.equal(offersOrders([capability('order')]), false);
  assert.equal(orderSupportOf([]), null);
  const fragments = (maxRequestSize: number) => capability('multifragmentUpdate', { maxRequestSize });
  assert.ok(offersOrders([...announcedOrders(), fragments(65535)]));
  assert.equal(offersOrders([...announcedOrders(), fragments(16384)]), false);
  const cacheless = announcedOrders().filter(({ kind }) => kind !== 'bitmapCacheRev2');
  assert.equal(offersOrders([...cacheless, fragments(65535)]), false);
});

test('what a greedy client announces is cut down', () => {
  const full = new Uint8Array(40).fill(0xff);
  const greedy = limited([
    capability('order', { orderFlags: 0xffff, orderSupport: full.subarray(0, 32), orderSupportExFlags: 0xffff }),
    capability('bitmapCacheRev2', { cacheFlags: 3, numCellCaches: 5, cellInfo: full.subarray(0, 20) }),
    capability('bitmapCache', { cache0Entries: 0xffff, cache0MaximumCellSize: 0xffff }),
    capability('glyphCache', { glyphCache: full, fragCache: 0xffffffff, glyphSupportLevel: 9 }),
    capability('brush', { brushSupportLevel: 2 }),
    capability('colorCache', { colorTableCacheSize: 500 }),
    capability('offscreenCache', { offscreenSupportLevel: 1, offscreenCacheSize: 7680, offscreenCacheEntries: 100 }),
  ]);
  assertWithinLimits(orderSupportOf(greedy)!);
  const [order, rev2, rev1, , brush, , offscreen] = greedy;
  assert.ok(order.kind === 'order' && order.orderSupport.reduce((sum, byte) => sum + (byte ? 1 : 0), 0) === 7);
  assert.ok(rev2.kind === 'bitmapCacheRev2' && rev2.cacheFlags === 2 && rev2.numCellCaches === 3);
  assert.ok(rev1.kind === 'bitmapCache' && rev1.cache0Entries === 200 && rev1.cache0MaximumCellSize === 1024);
  assert.ok(brush.kind === 'brush' && brush.brushSupportLevel === 1);
  assert.ok(offscreen.kind === 'offscreenCache' && offscreen.offscreenSupportLevel === 0);
});

test('our own client announces everything within the limits, in sets that read back the same', () => {
  const support = orderSupportOf(announcedOrders())!;
  assert.deepEqual(orderSupportOf(limited(announcedOrders())), support);
  assert.deepEqual(support, {
    primary: primaryKinds,
    bitmapCaches: limits.bitmapCaches,
    bitmapCacheRev3: false,
    glyphCaches: Array.from({ length: 10 }, () => limits.glyphCache),
    fragmentCache: { entries: 256, size: 256 },
    brushCache: true,
    colorTables: 6,
    frameMarkers: true,
  });
});

test("cells of the first revision are counted in bytes of the session's depth", () => {
  const sets = [
    ...announcedOrders().filter(({ kind }) => kind !== 'bitmapCacheRev2'),
    capability('bitmapCache', { cache0Entries: 120, cache0MaximumCellSize: 768 }),
  ];
  const caches = (preferredBitsPerPixel: number) =>
    orderSupportOf([...sets, capability('bitmap', { preferredBitsPerPixel })])?.bitmapCaches[0];
  assert.deepEqual(caches(24), { entries: 120, size: 256 });
  assert.deepEqual(caches(16), { entries: 120, size: 384 });
});

test('whatever a client announces, a decoder takes what becomes of it', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const u16 = fc.integer({ min: 0, max: 0xffff });
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  const announced = fc.tuple(bytes(32), bytes(20), bytes(40), u16, u16, u32, fc.constantFrom(8, 15, 16, 24, 32));
  fc.assert(
    fc.property(announced, fc.boolean(), ([orderSupport, cellInfo, glyphCache, word, cell, long, depth], isRev2) => {
      const support = orderSupportOf(
        limited([
          capability('order', { orderFlags: word, orderSupport, orderSupportExFlags: word }),
          capability('bitmap', { preferredBitsPerPixel: depth }),
          isRev2
            ? capability('bitmapCacheRev2', { cacheFlags: word, numCellCaches: word & 0xff, cellInfo })
            : capability('bitmapCache', {
                cache0Entries: word,
                cache0MaximumCellSize: cell,
                cache1Entries: cell,
                cache1MaximumCellSize: word,
                cache2Entries: cell,
                cache2MaximumCellSize: cell,
              }),
          capability('glyphCache', { glyphCache, fragCache: long, glyphSupportLevel: word & 3 }),
          capability('brush', { brushSupportLevel: long }),
          capability('colorCache', { colorTableCacheSize: word }),
        ]),
      );
      if (support !== null) assert.deepEqual(readOrderSupport(JSON.parse(JSON.stringify(support))), support);
    }),
  );
});
