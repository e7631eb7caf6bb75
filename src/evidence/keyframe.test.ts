import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from './format-error.ts';
import { type IndexBody, readIndex, writeIndex } from './index-record.ts';
import { readKeyframe, writeKeyframe } from './keyframe.ts';
import { utf8 } from './text.ts';

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((noise) => Uint8Array.from(noise));

test('a keyframe is read back', () => {
  const anyKeyframe = fc.record(
    {
      width: fc.integer({ min: 1, max: 65535 }),
      height: fc.integer({ min: 1, max: 65535 }),
      seq: fc.maxSafeNat(),
      sha256: bytes(32),
      png: fc.nat(40).chain(bytes),
      state: fc.nat(40).chain(bytes),
    },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(anyKeyframe, (keyframe) => assert.deepEqual(readKeyframe(writeKeyframe(keyframe)), keyframe)));
});

test('what is wrong with a keyframe is named', () => {
  const empty = new Uint8Array(0);
  const body = writeKeyframe({ width: 4, height: 3, seq: 9, sha256: new Uint8Array(32), png: empty, state: empty });
  assert.equal(body.length, 52);
  const changed = (at: number, value: number) => {
    const copy = body.slice();
    copy[at] = value;
    return copy;
  };
  assert.throws(() => readKeyframe(body.subarray(0, 51)), /truncated/);
  assert.throws(() => readKeyframe(changed(0, 2)), { field: 'keyframe.version' });
  assert.throws(() => readKeyframe(changed(2, 0)), { field: 'keyframe.size' });
  assert.throws(() => readKeyframe(changed(6, 1)), { field: 'keyframe.reserved' });
  assert.throws(() => readKeyframe(changed(15, 1)), { field: 'keyframe.seq' });
  assert.throws(() => readKeyframe(changed(48, 1)), { field: 'keyframe.png' });
});

const INDEX: IndexBody = {
  version: 1,
  from: 60,
  seconds: [{ bytes: 100, keys: 2, clicks: 0 }],
  markers: [{ time: 60_500_000, kind: 'resize' }],
  keyframes: [{ seq: 17, time: 61_000_000, chunk: 1, offset: 0, screenChunk: 1, screenOffset: 4096 }],
  thumbnails: [{ time: 61_000_000, width: 1, height: 1, png: 'AAAA' }],
};

test('an index is read back', () => {
  assert.deepEqual(readIndex(writeIndex(INDEX)), INDEX);
});

test('what is wrong with an index is named', () => {
  const wrong: [Partial<Record<keyof IndexBody, unknown>>, string][] = [
    [{ version: 2 }, 'index.version'],
    [{ from: -1 }, 'index.from'],
    [{ seconds: {} }, 'index.seconds'],
    [{ seconds: [{ bytes: 1, keys: 1 }] }, 'index.seconds.clicks'],
    [{ markers: [{ time: 1, kind: 'party' }] }, 'index.markers.kind'],
    [{ keyframes: [7] }, 'index.keyframes'],
    [{ keyframes: [{ ...INDEX.keyframes[0], offset: 0.5 }] }, 'index.keyframes.offset'],
    [{ thumbnails: [{ time: 1, width: 1, height: 1, png: '?' }] }, 'index.thumbnails.png'],
  ];
  for (const [change, field] of wrong) {
    assert.throws(() => readIndex(utf8(JSON.stringify({ ...INDEX, ...change }))), { field });
  }
});

test('noise is neither', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.json(), (noise, json) => {
      for (const read of [() => readKeyframe(noise), () => readIndex(noise), () => readIndex(utf8(json))]) {
        try {
          read();
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }
    }),
  );
});
