import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../format-error.ts';
import { formatTarHeader, TAR_BLOCK_BYTES, tarPadding } from './tar.ts';
import { readTar } from './tar-stream.ts';

function pack(files: readonly (readonly [path: string, bytes: Uint8Array])[]): Buffer {
  const members = files.map(([path, bytes]) =>
    Buffer.concat([formatTarHeader(path, bytes.length), bytes, Buffer.alloc(tarPadding(bytes.length))]),
  );
  return Buffer.concat([...members, Buffer.alloc(2 * TAR_BLOCK_BYTES)]);
}

async function* parts(archive: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < archive.length; at += size) yield archive.subarray(at, at + size);
}

test('members come as they were packed, read whole, in part or not at all', async () => {
  const files = fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,20}$/), fc.uint8Array({ maxLength: 2000 })), {
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(files, fc.integer({ min: 1, max: 3000 }), fc.nat(3), async (files, size, taken) => {
      const found: unknown[] = [];
      for await (const { path, size: bytes, content } of readTar(parts(pack(files), size))) {
        found.push([path, bytes]);
        const read: Uint8Array[] = [];
        for await (const part of content) {
          read.push(part);
          if (read.length > taken) break;
        }
        const whole = files[found.length - 1][1];
        assert.ok(Buffer.concat(read).equals(whole.subarray(0, Buffer.concat(read).length)));
      }
      assert.deepEqual(
        found,
        files.map(([path, bytes]) => [path, bytes.length]),
      );
    }),
  );
});

test('whatever comes, it ends, with FormatError if at all', async () => {
  const good = pack([
    ['open.note', Buffer.alloc(700, 1)],
    ['leaves.txt', Buffer.alloc(100, 2)],
  ]);
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(255), fc.nat(good.length), async (at, byte, length) => {
      const bytes = Buffer.from(good.subarray(0, length));
      if (length > 0) bytes[at % length] = byte;
      try {
        for await (const { content } of readTar(parts(bytes, 333))) for await (const _ of content);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});
