import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import {
  FastPathReassembler,
  FastPathUpdateCode,
  Fragmentation,
  readFastPathOutput,
  writeFastPathOutput,
  writeFastPathUpdate,
} from './fast-path-output.ts';

const update = (code: number, fragmentation: number, data: Uint8Array) => ({
  code,
  fragmentation,
  compressionFlags: 0,
  data,
});

test('several updates, short and long form of the length, compression flags', () => {
  const frame = Uint8Array.of(0x00, 0x0c, 0x03, 0x00, 0x00, 0x81, 0x61, 0x02, 0x00, 0xaa, 0xbb, 0x05);
  assert.throws(() => [...readFastPathOutput(frame)], { name: 'DecodeError', field: 'size' });
  const whole = Uint8Array.of(0x00, 0x0b, 0x03, 0x00, 0x00, 0x81, 0x61, 0x02, 0x00, 0xaa, 0xbb);
  const updates = [...readFastPathOutput(whole)];
  assert.deepEqual(updates, [
    { code: 3, fragmentation: 0, compressionFlags: 0, data: new Uint8Array(0) },
    { code: 1, fragmentation: 0, compressionFlags: 0x61, data: Uint8Array.of(0xaa, 0xbb) },
  ]);
  assert.equal(updates[1].data.buffer, whole.buffer, 'data is a view');
  assert.equal([...readFastPathOutput(Uint8Array.of(0x00, 0x80, 0x03))].length, 0);
});

test('an update of any size comes back whole', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 1, max: 700 }), (data, fragmentSize) => {
      const reassembler = new FastPathReassembler(2000);
      let whole: Uint8Array | null = null;
      for (const frame of writeFastPathUpdate(FastPathUpdateCode.bitmap, data, fragmentSize))
        for (const part of readFastPathOutput(frame)) {
          assert.equal(whole, null, 'nothing before the last fragment');
          whole = reassembler.push(part);
        }
      assert.deepEqual(new Uint8Array(whole!), data);
    }),
  );
});

test('fragments out of order, mixed or too long are refused, and the next update is fine', () => {
  const { first, next, last, single } = Fragmentation;
  const data = new Uint8Array(10);
  const bad = [
    [update(1, next, data)],
    [update(1, last, data)],
    [update(1, first, data), update(1, first, data)],
    [update(1, first, data), update(1, single, data)],
    [update(1, first, data), update(2, last, data)],
    [update(1, first, data), update(1, next, data), update(1, last, data)],
    [{ ...update(1, single, data), compressionFlags: 0x20 }],
  ];
  for (const sequence of bad) {
    const reassembler = new FastPathReassembler(25);
    assert.throws(() => sequence.map((part) => reassembler.push(part)), DecodeError);
    assert.equal(reassembler.push(update(1, single, data))?.length, 10);
  }
});

test('random frames end in updates or a DecodeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const reassembler = new FastPathReassembler(64);
      try {
        for (const part of readFastPathOutput(bytes)) reassembler.push(part);
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }),
  );
});

test('an update too long for one PDU is refused', () => {
  assert.throws(() => writeFastPathOutput(1, 0, new Uint8Array(0x8000)), RangeError);
});
