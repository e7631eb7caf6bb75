import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { surfaceCapabilities } from '../graphics/surface-capabilities.ts';
import { announcedOrders } from '../order/order-announcement.ts';
import { readConfirmActive, readDemandActive, writeConfirmActive, writeDemandActive } from '../pdu/active.ts';
import { type CapabilitySet, capability, findCapability } from '../pdu/capability-set.ts';
import { codecName } from '../pdu/codec-properties.ts';
import { readShareControls } from '../pdu/share-control.ts';
import { multifragmentLimit } from './bitmaps.ts';
import { chooseProfile, negotiated, PROFILES, rewriteConfirmActive, rewriteDemandActive } from './profile.ts';

const { vectors } = JSON.parse(
  readFileSync(new URL('../../../vectors/rdp/capability-pdus.json', import.meta.url), 'utf8'),
) as { vectors: { name: string; hex: string }[] };

/** The body of a share control PDU. */
const vector = (name: string): Uint8Array => {
  const { hex } = vectors.find((each) => each.name === name)!;
  return readShareControls(Uint8Array.from(Buffer.from(hex, 'hex')))[0].body;
};
const bitmaps = PROFILES.at(-1)!;
const nothingElse = new Set<string>();
const isZero = (bytes?: Uint8Array) => bytes?.every((byte) => byte === 0);

test("mstsc's Confirm Active announces bitmaps alone to the server", () => {
  const confirm = readConfirmActive(vector('confirm-active'));
  const sets = rewriteConfirmActive(confirm, bitmaps).capabilitySets;
  const order = findCapability(sets, 'order');
  assert.equal(order?.orderFlags, 0x000a);
  assert.ok(isZero(order?.orderSupport));
  assert.equal(order?.orderSupportExFlags, 0);
  assert.equal(findCapability(sets, 'glyphCache')?.glyphSupportLevel, 0);
  assert.ok(isZero(findCapability(sets, 'bitmapCacheRev2')?.cellInfo));
  assert.equal(findCapability(sets, 'bitmapCacheRev2')?.cacheFlags, 0);
  assert.equal(findCapability(sets, 'brush')?.brushSupportLevel, 0);
  assert.equal(findCapability(sets, 'offscreenCache')?.offscreenSupportLevel, 0);
  assert.equal(findCapability(sets, 'virtualChannel')?.flags, 0);
  assert.equal(findCapability(sets, 'drawGdiPlus'), undefined);
  assert.equal(findCapability(sets, 'drawNineGridCache'), undefined);
  for (const kind of ['pointer', 'input', 'share', 'control', 'colorCache'] as const)
    assert.deepEqual(findCapability(sets, kind), findCapability(confirm.capabilitySets, kind), kind);
  assert.equal(findCapability(confirm.capabilitySets, 'order')?.orderFlags, 0x2a, 'the original is untouched');
});

test("a server's Demand Active offers the client nothing that is not recorded", () => {
  const sets = rewriteDemandActive(readDemandActive(vector('demand-active')), nothingElse).capabilitySets;
  assert.deepEqual(
    sets.map(({ kind }) => kind),
    ['share', 'general', 'virtualChannel', 'font', 'bitmap', 'order', 'colorCache', 'pointer', 'input'],
  );
});

test('real captures read and write the same, and come out of the profile as bitmaps alone', () => {
  const demand = readDemandActive(vector('xrdp-demand-active'));
  assert.deepEqual(readShareControls(writeDemandActive(demand))[0].body, vector('xrdp-demand-active'));
  const confirm = readConfirmActive(vector('freerdp-confirm-active'));
  assert.deepEqual(readShareControls(writeConfirmActive(confirm, 1007))[0].body, vector('freerdp-confirm-active'));
  for (const sets of [
    rewriteDemandActive(demand, nothingElse).capabilitySets,
    rewriteConfirmActive(confirm, bitmaps).capabilitySets,
  ]) {
    assert.ok(isZero(findCapability(sets, 'order')?.orderSupport));
    assert.equal(findCapability(sets, 'bitmapCodecs'), undefined);
    assert.equal(findCapability(sets, 'surfaceCommands')?.cmdFlags ?? 0, 0);
    assert.equal(findCapability(sets, 'frameAcknowledge'), undefined);
    assert.equal((findCapability(sets, 'bitmap')?.drawingFlags ?? 0) & 6, 0);
    assert.equal(findCapability(sets, 'virtualChannel')?.flags ?? 0, 0);
  }
});

test('codecs, lossy planar, relative mouse, unknown sets and giant fragments are taken away', () => {
  const sets = rewriteConfirmActive(
    {
      shareId: 1,
      originatorId: 1002,
      sourceDescriptor: new Uint8Array(0),
      rest: new Uint8Array(0),
      capabilitySets: [
        capability('bitmap', { drawingFlags: 0x0e }),
        capability('input', { inputFlags: 0x00a9 }),
        capability('multifragmentUpdate', { maxRequestSize: 0xffffff }),
        capability('largePointer', { largePointerSupportFlags: 3 }),
        capability('surfaceCommands', { cmdFlags: 0x52 }),
        capability('frameAcknowledge', { maxUnacknowledgedFrameCount: 2 }),
        { kind: 'bitmapCodecs', codecs: [], rest: new Uint8Array(0) },
        { kind: 'unknown', type: 0x77, body: new Uint8Array(4) },
      ],
    },
    bitmaps,
  ).capabilitySets;
  assert.deepEqual(sets, [
    capability('bitmap', { drawingFlags: 0x08 }),
    capability('input', { inputFlags: 0x0029 }),
    capability('multifragmentUpdate', { maxRequestSize: multifragmentLimit }),
    capability('largePointer', { largePointerSupportFlags: 3 }),
    capability('surfaceCommands'),
  ]);
});

const all = new Set(PROFILES.map(({ name }) => name));
const setsOf = (name: string) =>
  name.endsWith('demand-active')
    ? readDemandActive(vector(name)).capabilitySets
    : readConfirmActive(vector(name)).capabilitySets;
const withOrders = setsOf('freerdp-confirm-active').map((set) =>
  set.kind === 'multifragmentUpdate'
    ? set
    : (announcedOrders().find((announced) => announced.kind === set.kind) ?? set),
);
const withRemoteFx = [...setsOf('freerdp-confirm-active'), ...surfaceCapabilities(['remotefx', 'nscodec'])];

test('the first profile is chosen that client and server offer and that is allowed; the record says why', () => {
  const server = setsOf('xrdp-demand-active');
  const chosen = (client: CapabilitySet[], offered = server, allowed = all) => {
    const { profile, reason } = chooseProfile(client, offered, allowed);
    return [profile.name, reason.split(', ').at(-1)];
  };
  assert.deepEqual(chosen(withOrders), ['orders', 'drawing orders offered by both sides']);
  assert.deepEqual(chosen([...withOrders, ...withRemoteFx]), ['orders', 'drawing orders offered by both sides']);
  assert.deepEqual(chosen(withRemoteFx), ['remotefx', 'RemoteFX offered by both sides']);
  assert.deepEqual(chosen(setsOf('freerdp-confirm-active')), ['bitmaps', 'RemoteFX not offered by the client']);
  assert.deepEqual(chosen(withRemoteFx, setsOf('demand-active')), ['bitmaps', 'RemoteFX not offered by the server']);
  assert.deepEqual(chosen(withRemoteFx, server, new Set(['bitmaps'])), ['bitmaps', 'RemoteFX not allowed']);
});

test('with drawing orders their sets pass, capped, and the record has what is to come', () => {
  const profile = PROFILES.find(({ name }) => name === 'orders')!;
  const confirm = { ...readConfirmActive(vector('freerdp-confirm-active')), capabilitySets: withOrders };
  const sent = rewriteConfirmActive(confirm, profile).capabilitySets;
  assert.ok(negotiated(sent).orders?.primary.includes('memBlt'));
  assert.equal(findCapability(sent, 'bitmapCacheRev2')!.cacheFlags & 1, 0, 'no persistent caches');
  assert.equal(findCapability(sent, 'surfaceCommands')?.cmdFlags ?? 0, 0);
  assert.equal(negotiated(rewriteConfirmActive(confirm, bitmaps).capabilitySets).orders, undefined);
});

test('with RemoteFX its sets pass both ways, less what is not decoded, and the rest is as without', () => {
  const remoteFx = PROFILES.find(({ name }) => name === 'remotefx')!;
  const demand = readDemandActive(vector('xrdp-demand-active'));
  const shown = rewriteDemandActive(demand, new Set(['remotefx'])).capabilitySets;
  assert.deepEqual(
    findCapability(shown, 'bitmapCodecs')?.codecs.map((codec) => codecName(codec)),
    ['nscodec', 'remotefx', 'image-remotefx'],
  );
  assert.equal(findCapability(shown, 'surfaceCommands')?.cmdFlags, 0x52);
  assert.ok(isZero(findCapability(shown, 'order')?.orderSupport));
  const confirm = { ...readConfirmActive(vector('freerdp-confirm-active')), capabilitySets: withRemoteFx };
  const sent = rewriteConfirmActive(confirm, remoteFx).capabilitySets;
  assert.deepEqual(negotiated(sent).codecs, { 1: 'nscodec', 3: 'remotefx' });
  assert.deepEqual(negotiated(rewriteConfirmActive(confirm, bitmaps).capabilitySets).codecs, {});
});
