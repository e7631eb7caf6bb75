import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chunkPath, keyPath, parseBundlePath, partialPath } from './bundle-layout.ts';
import { FormatError } from './format-error.ts';
import { formatLeaf, formatLeaves, type Leaf, MAX_CHUNK_INDEX, parseLeaf, parseLeaves } from './leaf.ts';
import { KEY_NAMES, STREAMS } from './record.ts';
import { utf8 } from './text.ts';

const LINE = `lucid-leaf/v1 0190f3c8-0000-7000-8000-000000000001 screen 3 zst 1234 ${'ab'.repeat(32)} 1000 2000 17`;

const anyLeaf: fc.Arbitrary<Leaf> = fc
  .record(
    {
      session: fc.uuid(),
      stream: fc.constantFrom(...STREAMS),
      index: fc.integer({ min: 0, max: MAX_CHUNK_INDEX }),
      encoding: fc.constantFrom('zst' as const, 'raw' as const),
      storedBytes: fc.maxSafeNat(),
      sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      firstTime: fc.nat(),
      lastTime: fc.nat(),
      records: fc.nat(),
    },
    { noNullPrototype: true },
  )
  .map((leaf) => ({ ...leaf, lastTime: leaf.firstTime + leaf.lastTime, sha256: Uint8Array.from(leaf.sha256) }));

test('a leaf is one line, and reads back', () => {
  assert.equal(formatLeaf(parseLeaf(LINE)), LINE);
  assert.equal(parseLeaf(LINE).stream, 'screen');
  fc.assert(fc.property(anyLeaf, (leaf) => assert.deepEqual(parseLeaf(formatLeaf(leaf)), leaf)));
});

test('a leaf has one spelling', () => {
  for (const [from, to] of [
    ['lucid-leaf/v1', 'lucid-leaf/v2'],
    ['0190f3c8', '0190F3C8'],
    ['screen 3', 'screen 03'],
    ['screen 3', 'screen 1000000'],
    ['screen', 'sound'],
    ['zst', 'gz'],
    ['zst 1234', 'zst -1'],
    ['zst 1234', 'zst 1e3'],
    ['abab', 'ABAB'],
    ['1000 2000', '2000 1000'],
    [' 17', ''],
    [' 17', ' 17 '],
  ]) {
    assert.throws(() => parseLeaf(LINE.replace(from, to)), FormatError, `${from} → ${to}`);
  }
});

test('leaves.txt names the line at fault', () => {
  assert.deepEqual(parseLeaves(utf8('')), []);
  assert.equal(formatLeaves(parseLeaves(utf8(`${LINE}\n${LINE}\n`))), `${LINE}\n${LINE}\n`);
  assert.throws(() => parseLeaves(utf8(`${LINE}\nx\n`)), /leaves\.txt line 2/);
  assert.throws(() => parseLeaves(utf8(LINE)), /truncated/);
});

test('noise is no leaf', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.nat(LINE.length), (noise, at) => {
      assert.throws(() => parseLeaf(noise), FormatError);
      if (!/^\d*$/.test(noise)) assert.throws(() => parseLeaf(LINE.slice(0, at) + noise + LINE.slice(at)), FormatError);
    }),
  );
});

test('paths are read back as what they were made from', () => {
  for (const stream of STREAMS) {
    for (const encoding of ['zst', 'raw'] as const) {
      const chunk = { stream, index: 17, encoding };
      assert.deepEqual(parseBundlePath(chunkPath(chunk)), { part: 'chunk', ...chunk });
    }
  }
  assert.equal(chunkPath({ stream: 'screen', index: 17, encoding: 'zst' }), 'screen/000017.zst.age');
  for (const key of KEY_NAMES) {
    assert.deepEqual(parseBundlePath(keyPath(key)), { part: 'key', key, grant: 0 });
    assert.deepEqual(parseBundlePath(keyPath(key, 2)), { part: 'key', key, grant: 2 });
  }
  assert.deepEqual(parseBundlePath(partialPath(3)), { part: 'partial', number: 3 });
  assert.deepEqual(parseBundlePath('leaves.txt'), { part: 'leaves' });
});

test('nothing else is a path of a bundle', () => {
  for (const path of [
    '',
    '../open.note',
    '/open.note',
    './open.note',
    'screen/00001.zst.age',
    'screen/000001.zst.age/x',
    'screen/000001.zst.age.tmp',
    'screen/../keys/screen.age',
    'sound/000001.age',
    'keys/screen.0.age',
    'keys/other.age',
    'partial/01.note',
    'partial/x.note',
    'constructor',
    '__proto__',
  ]) {
    assert.equal(parseBundlePath(path), null, path);
  }
  assert.throws(() => chunkPath({ stream: 'screen', index: 1_000_000, encoding: 'zst' }), RangeError);
  assert.throws(() => partialPath(-1), RangeError);
});
