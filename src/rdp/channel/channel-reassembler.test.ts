import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { ChannelFlag, readChannelChunk, writeChannelMessage } from '../pdu/virtual-channel.ts';
import { ChannelReassembler } from './channel-reassembler.ts';

const { first, last, compressed } = ChannelFlag;

test('a message of any size comes back whole, one after the other', () => {
  const reassembler = new ChannelReassembler(5000);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.integer({ min: 1, max: 1600 }), (message, chunkSize) => {
      const results = writeChannelMessage(message, 0, chunkSize).map((chunk) =>
        reassembler.push(readChannelChunk(chunk)),
      );
      assert.deepEqual(new Uint8Array(results.pop()!), message);
      assert.ok(results.every((result) => result === null));
    }),
  );
});

test('chunks out of order, too many, compressed or over the limit are refused', () => {
  const data = new Uint8Array(10);
  const sequences = [
    [{ length: 10, flags: last, data }],
    [{ length: 10, flags: 0, data }],
    [
      { length: 20, flags: first, data },
      { length: 20, flags: first, data },
    ],
    [{ length: 9, flags: first | last, data }],
    [
      { length: 20, flags: first, data },
      { length: 20, flags: last, data: data.subarray(1) },
    ],
    [
      { length: 15, flags: first, data },
      { length: 15, flags: last, data },
    ],
    [{ length: 101, flags: first, data }],
    [{ length: 10, flags: first | last | compressed, data }],
  ];
  for (const sequence of sequences) {
    const reassembler = new ChannelReassembler(100);
    assert.throws(() => sequence.map((chunk) => reassembler.push(chunk)), DecodeError);
    assert.equal(reassembler.push({ length: 10, flags: first | last, data }), data, 'fine afterwards');
  }
});

test('random chunks end in messages or a DecodeError', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(64), fc.nat(3), fc.uint8Array({ maxLength: 40 }))), (chunks) => {
      const reassembler = new ChannelReassembler(48);
      for (const [length, flags, data] of chunks)
        try {
          assert.ok((reassembler.push({ length, flags, data })?.length ?? 0) <= 48);
        } catch (error) {
          assert.ok(error instanceof DecodeError);
        }
    }),
  );
});
