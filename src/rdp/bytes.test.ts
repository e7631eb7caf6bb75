import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reader, Writer } from './bytes.ts';

test('what is written while the buffer grows is read back', () => {
  const writer = new Writer(0);
  writer.u8(1).i8(-1).u16(0x1234).i16(-2).u32(0x89abcdef).u64(0x1122334455667788n).u16be(0x1234).u32be(0x89abcdef);
  writer
    .raw(Uint8Array.of(7, 8, 9))
    .zeros(300)
    .raw(Uint8Array.of(5))
    .patchU16(2, 0x4321);
  const reader = new Reader(writer.finish());
  assert.equal(reader.u8('a'), 1);
  assert.equal(reader.i8('b'), -1);
  assert.equal(reader.u16('c'), 0x4321);
  assert.equal(reader.i16('d'), -2);
  assert.equal(reader.u32('e'), 0x89abcdef);
  assert.equal(reader.u64('f'), 0x1122334455667788n);
  assert.equal(reader.u16be('g'), 0x1234);
  assert.equal(reader.u32be('h'), 0x89abcdef);
  assert.deepEqual(reader.take(3, 'i'), Uint8Array.of(7, 8, 9));
  reader.skip(300, 'zeros');
  assert.deepEqual(reader.rest(), Uint8Array.of(5));
});

test('too few bytes, and values out of range, are refused by name', () => {
  const reader = new Reader(Uint8Array.of(1, 2, 3));
  reader.skip(2, 'start');
  assert.throws(() => reader.u16('height'), { name: 'DecodeError', field: 'height', offset: 2 });
  assert.equal(reader.peek('last'), 3);
  assert.equal(reader.remaining, 1);
  const writer = new Writer();
  for (const write of [
    () => writer.u8(256),
    () => writer.u16(-1),
    () => writer.u32(2 ** 32),
    () => writer.patchU16(0, 1),
  ])
    assert.throws(write, RangeError);
});
