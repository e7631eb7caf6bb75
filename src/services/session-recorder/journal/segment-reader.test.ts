import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '#evidence/format-error.ts';
import { FLAG_FIRST, FLAG_LAST, FRAME_OVERHEAD, frameKey, layFrame, openFrame, sealFrames } from './frame.ts';
import { readSegment, SEGMENT_HEADER_BYTES, writeSegmentHeader } from './segment-reader.ts';

const SESSION = '01890a5d-ac96-774b-bcce-b302099a8057';
const KEY = randomBytes(32);

/** A segment as it lies on the disk after commits of frames with payloads of these sizes. */
function segment(commits: readonly (readonly number[])[], bytes: number): { content: Buffer; ends: number[] } {
  const content = Buffer.alloc(bytes);
  writeSegmentHeader(7).copy(content);
  const ends: number[] = [];
  let at = SEGMENT_HEADER_BYTES;
  for (const [commit, sizes] of commits.entries()) {
    const begin = at;
    for (const [i, size] of sizes.entries()) {
      const flags = (i === 0 ? FLAG_FIRST : 0) | (i === sizes.length - 1 ? FLAG_LAST : 0);
      const payload = layFrame(content, at, { session: SESSION, kind: 'input', flags, commit }, size);
      content.fill(commit + 1, payload, payload + size);
      at += FRAME_OVERHEAD + size;
    }
    sealFrames(content.subarray(begin, at + 4), KEY, begin);
    ends.push(at);
  }
  return { content, ends };
}

const shapes = fc.array(fc.array(fc.nat(300), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });

test('what was committed is read back, in order', () => {
  fc.assert(
    fc.property(shapes, (commits) => {
      const { content } = segment(commits, 16_384);
      const read = readSegment(content, KEY);
      assert.deepEqual([read.number, read.torn, read.damaged], [7, false, []]);
      assert.deepEqual(
        read.frames.map(({ session, commit, payload }) => [session, commit, payload.length, payload[0]]),
        commits.flatMap((sizes, commit) => sizes.map((n) => [SESSION, commit, n, n ? commit + 1 : undefined])),
      );
    }),
  );
});

test('of a commit that was not written whole nothing is read, of those before everything', () => {
  fc.assert(
    fc.property(shapes, fc.nat(), fc.nat(20), fc.boolean(), (commits, place, sectors, recycled) => {
      const { content, ends } = segment(commits, 16_384);
      const begin = ends.at(-2) ?? SEGMENT_HEADER_BYTES;
      const old = recycled ? randomBytes(content.length) : Buffer.alloc(content.length);
      old.fill(0, begin, begin + 4);
      // Some of the last commit's sectors did not reach the disk; what shares a sector with an older commit was there.
      const size = 16;
      const lost = new Set([place, ...Array.from({ length: sectors }, (_, i) => place * 7 + i * 3)].map((n) => n % 64));
      let isLost = false;
      for (let at = begin, i = 0; at < ends.at(-1)!; i++) {
        const end = Math.min(ends.at(-1)!, at + size - (at % size));
        if (lost.has(i)) {
          if (!content.subarray(at, end).equals(old.subarray(at, end))) isLost = true;
          old.copy(content, at, at, end);
        }
        at = end;
      }
      const read = readSegment(content, KEY);
      const wanted = commits.slice(0, isLost ? -1 : undefined).flat();
      assert.deepEqual(
        read.frames.map(({ payload }) => payload.length),
        wanted,
      );
      assert.deepEqual(read.damaged, []);
    }),
  );
});

test('a frame that was durable and is damaged is named, and those after it are read', () => {
  const { content, ends } = segment([[100, 50], [200], [30]], 4096);
  content[SEGMENT_HEADER_BYTES + FRAME_OVERHEAD + 100 + 60] ^= 1;
  const read = readSegment(content, KEY);
  assert.deepEqual(read.damaged, [SEGMENT_HEADER_BYTES + FRAME_OVERHEAD + 100]);
  assert.deepEqual(
    read.frames.map(({ payload }) => payload.length),
    [100, 200, 30],
  );
  content[ends[1] + 40] ^= 1;
  assert.equal(readSegment(content, KEY).frames.length, 2);
  assert.equal(readSegment(content, KEY).torn, true);
});

test('frames of another place, another key or another length do not open', () => {
  const { content, ends } = segment([[64]], 1024);
  const secret = frameKey(KEY);
  const frame = content.subarray(SEGMENT_HEADER_BYTES, ends[0]);
  assert.equal(openFrame(frame, secret, SEGMENT_HEADER_BYTES).payload.length, 64);
  assert.throws(() => openFrame(frame, secret, SEGMENT_HEADER_BYTES + 1), FormatError);
  assert.throws(() => openFrame(frame, frameKey(randomBytes(32)), SEGMENT_HEADER_BYTES), FormatError);
  assert.throws(() => openFrame(frame.subarray(1), secret, SEGMENT_HEADER_BYTES), FormatError);
  frame[0] ^= 1;
  assert.throws(() => openFrame(frame, secret, SEGMENT_HEADER_BYTES), FormatError);
});

test('any bytes are read without a crash', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), fc.boolean(), (bytes, hasHeader) => {
      const content = Buffer.from(bytes);
      if (hasHeader) writeSegmentHeader(1).subarray(0, SEGMENT_HEADER_BYTES).copy(content);
      try {
        readSegment(content, KEY);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(shapes, fc.nat(16_383), fc.nat(255), (commits, at, value) => {
      const { content, ends } = segment(commits, 16_384);
      content[at] = value;
      if (at < SEGMENT_HEADER_BYTES) return;
      const { frames } = readSegment(content, KEY);
      assert.ok(frames.length <= commits.flat().length);
      assert.ok(frames.every(({ payload, commit }) => payload.every((byte) => byte === commit + 1)));
      assert.ok(at < ends.at(-1)! + 4 || frames.length === commits.flat().length);
    }),
    { numRuns: 500 },
  );
});
