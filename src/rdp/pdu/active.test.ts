import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError, Reader } from '../bytes.ts';
import { readConfirmActive, readDemandActive, writeConfirmActive, writeDemandActive } from './active.ts';
import { capabilityLayouts } from './capability-layouts.ts';
import {
  type CapabilityKind,
  type CapabilitySet,
  capability,
  findCapability,
  readCapabilitySets,
  writeCapabilitySets,
} from './capability-set.ts';
import { readShareControls } from './share-control.ts';

const { vectors } = JSON.parse(
  readFileSync(new URL('../../../vectors/rdp/capability-pdus.json', import.meta.url), 'utf8'),
) as { vectors: { name: string; hex: string }[] };

/** A whole share control PDU. */
const vector = (name: string): Uint8Array =>
  Uint8Array.from(Buffer.from(vectors.find((each) => each.name === name)!.hex, 'hex'));

test("the specification's Demand Active reads and writes the same", () => {
  const bytes = vector('demand-active');
  const [control] = readShareControls(bytes);
  const demand = readDemandActive(control.body);
  assert.equal(demand.shareId, 0x103ea);
  assert.equal(demand.capabilitySets.length, 13);
  assert.equal(demand.rest.length, 4);
  const bitmap = findCapability(demand.capabilitySets, 'bitmap');
  assert.deepEqual([bitmap?.preferredBitsPerPixel, bitmap?.desktopWidth, bitmap?.desktopHeight], [24, 1280, 1024]);
  assert.equal(findCapability(demand.capabilitySets, 'virtualChannel')?.size, 4, 'chunkSize is left out');
  assert.deepEqual(writeDemandActive(demand), bytes);
});

test("the specification's Confirm Active reads and writes the same", () => {
  const bytes = vector('confirm-active');
  const [control] = readShareControls(bytes);
  const confirm = readConfirmActive(control.body);
  assert.equal(confirm.originatorId, 1002);
  assert.equal(confirm.capabilitySets.length, 18);
  assert.equal(findCapability(confirm.capabilitySets, 'order')?.orderFlags, 0x2a);
  assert.deepEqual(writeConfirmActive(confirm, control.source), bytes);
});

test('every set can be made, written and read', () => {
  const kinds = Object.keys(capabilityLayouts) as CapabilityKind[];
  const sets = kinds.map((kind) => capability(kind) as CapabilitySet);
  const bytes = writeCapabilitySets(sets);
  assert.deepEqual(readCapabilitySets(new Reader(bytes), sets.length), sets);
});

test('unknown sets, long sets, codecs and a count too large are kept', () => {
  const bytes = Uint8Array.from([
    ...[0x77, 0, 6, 0, 1, 2, 0x1e, 0, 10, 0, 1, 0, 0, 0, 9, 9],
    ...[0x1d, 0, 27, 0, 1, ...Array(16).fill(0xab), 3, 2, 0, 5, 6, 7],
  ]);
  const sets = readCapabilitySets(new Reader(bytes), 9);
  assert.deepEqual(
    sets.map(({ kind }) => kind),
    ['unknown', 'frameAcknowledge', 'bitmapCodecs'],
  );
  assert.deepEqual(writeCapabilitySets(sets), bytes);
});

test('a value that does not fit is refused', () => {
  assert.throws(() => writeCapabilitySets([capability('brush', { brushSupportLevel: -1 })]), RangeError);
  assert.throws(() => writeCapabilitySets([capability('order', { orderSupport: new Uint8Array(3) })]), RangeError);
});

test('random and mutated sets end in sets that write the same, or a DecodeError', () => {
  const good = vector('confirm-active').subarray(6);
  const mutated = fc
    .tuple(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length))
    .map(([at, value, length]) => good.with(at, value).subarray(0, length));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
      try {
        const confirm = readConfirmActive(bytes);
        const again = readConfirmActive(readShareControls(writeConfirmActive(confirm, 1007))[0].body);
        assert.deepEqual(again, confirm);
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }),
    { numRuns: 400 },
  );
});
