import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError } from '../bytes.ts';
import { ChannelFlag, readChannelChunk, writeChannelMessage } from './virtual-channel.ts';

test('a message is cut into chunks that say first, last and the whole length', () => {
  const chunks = writeChannelMessage(new Uint8Array(3300).fill(7), ChannelFlag.showProtocol).map(readChannelChunk);
  assert.deepEqual(
    chunks.map(({ length, flags, data }) => [length, flags, data.length]),
    [
      [3300, 0x11, 1600],
      [3300, 0x10, 1600],
      [3300, 0x12, 100],
    ],
  );
  assert.deepEqual(writeChannelMessage(new Uint8Array(0)).map(readChannelChunk), [
    { length: 0, flags: 3, data: new Uint8Array(0) },
  ]);
});

test('a chunk shorter than its header is refused', () => {
  assert.throws(() => readChannelChunk(new Uint8Array(7)), DecodeError);
});
