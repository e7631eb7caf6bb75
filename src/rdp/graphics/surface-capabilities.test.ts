import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reader } from '../bytes.ts';
import { findCapability, readCapabilitySets, writeCapabilitySets } from '../pdu/capability-set.ts';
import { codecNumbers, offersRemoteFx, surfaceCapabilities, surfaceEdits } from './surface-capabilities.ts';

test('what a client of ours announces is read back as it is, and offers RemoteFX', () => {
  const sets = surfaceCapabilities(['remotefx', 'image-remotefx', 'nscodec']);
  const read = readCapabilitySets(new Reader(writeCapabilitySets(sets)), sets.length);
  assert.deepEqual(read, sets);
  assert.ok(offersRemoteFx(read));
  assert.ok(!offersRemoteFx(surfaceCapabilities(['nscodec'])));
  assert.deepEqual(codecNumbers(findCapability(read, 'bitmapCodecs')!.codecs), {
    1: 'nscodec',
    3: 'remotefx',
    4: 'image-remotefx',
  });
});

test('of what others announce, only what is decoded here passes', () => {
  const { codecs } = findCapability(surfaceCapabilities(['remotefx']), 'bitmapCodecs')!;
  const jpeg = { codecGuid: new Uint8Array(16).fill(7), codecId: 9, properties: Uint8Array.of(75) };
  const list = { kind: 'bitmapCodecs' as const, codecs: [jpeg, ...codecs], rest: new Uint8Array(0) };
  assert.deepEqual(surfaceEdits.bitmapCodecs(list).codecs, codecs);
  const [surface] = surfaceCapabilities([]).filter((set) => set.kind === 'surfaceCommands');
  assert.equal(surfaceEdits.surfaceCommands({ ...surface, cmdFlags: 0xff }).cmdFlags, 0x52);
});
