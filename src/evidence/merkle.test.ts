import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  consistencyProof,
  InclusionPath,
  inclusionProof,
  leafHash,
  MerkleTree,
  merkleRoot,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts';
import { sha256 } from './node/hash.ts';
import { toHex, utf8 } from './text.ts';

const vectors = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../vectors/merkle/${name}.json`, import.meta.url), 'utf8'));
const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const hashes = (count: number) => Array.from({ length: count }, (_, i) => leafHash(sha256, utf8(`leaf ${i}`)));

suite('published vectors', () => {
  test('roots of the eight leaves of RFC 6962', () => {
    const { leaves, empty, roots } = vectors('roots');
    const tree = new MerkleTree(sha256);
    assert.equal(toHex(tree.root()), empty);
    for (const [i, leaf] of leaves.entries()) {
      tree.append(leafHash(sha256, hex(leaf)));
      assert.equal(toHex(tree.root()), roots[i]);
    }
  });

  test('98 inclusion proofs, right and wrong', () => {
    const cases = vectors('inclusion');
    assert.equal(cases.length, 98);
    for (const { name, index, size, root, leafHash: hash, proof, valid } of cases) {
      const held = verifyInclusion(sha256, { hash: hex(hash), index }, { size, root: hex(root) }, proof.map(hex));
      assert.equal(held, valid, name);
    }
  });

  test('98 consistency proofs, right and wrong', () => {
    const cases = vectors('consistency');
    assert.equal(cases.length, 98);
    for (const { name, size1, size2, root1, root2, proof, valid } of cases) {
      const [older, newer] = [
        { size: size1, root: hex(root1) },
        { size: size2, root: hex(root2) },
      ];
      assert.equal(verifyConsistency(sha256, older, newer, proof.map(hex)), valid, name);
    }
  });
});

suite('trees up to 40 leaves', () => {
  test('a path kept while leaves come is the proof that all of them give', () => {
    for (let size = 1; size <= 40; size++) {
      const all = hashes(size);
      for (let index = 0; index < size; index++) {
        const inclusion = new InclusionPath(sha256, index);
        for (const hash of all) inclusion.append(hash);
        const { root, path } = inclusion.finish();
        assert.deepEqual([root, path], [merkleRoot(sha256, all), inclusionProof(sha256, all, index)]);
      }
    }
    assert.throws(() => new InclusionPath(sha256, 0).finish(), RangeError);
  });

  test('the growing tree has the root of the specification', () => {
    /** RFC 6962, section 2.1, word for word. */
    const root = (list: Uint8Array[]): Uint8Array => {
      if (list.length <= 1) return list[0] ?? sha256();
      const k = 2 ** Math.floor(Math.log2(list.length - 1));
      return nodeHash(sha256, root(list.slice(0, k)), root(list.slice(k)));
    };
    for (let size = 0; size <= 40; size++)
      assert.equal(toHex(merkleRoot(sha256, hashes(size))), toHex(root(hashes(size))));
  });

  test('each leaf is proven to be in, at its place only', () => {
    for (let size = 1; size <= 40; size++) {
      const all = hashes(size);
      const tree = { size, root: merkleRoot(sha256, all) };
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(sha256, all, index);
        assert.ok(verifyInclusion(sha256, { hash: all[index], index }, tree, proof));
        assert.ok(!verifyInclusion(sha256, { hash: all[index], index: (index + 1) % size }, tree, proof) || size === 1);
      }
    }
  });

  test('each prefix is proven to be one, and no other tree is', () => {
    for (let size = 1; size <= 40; size++) {
      const newer = { size, root: merkleRoot(sha256, hashes(size)) };
      for (let first = 1; first <= size; first++) {
        const older = { size: first, root: merkleRoot(sha256, hashes(first)) };
        const proof = consistencyProof(sha256, hashes(size), first);
        assert.ok(verifyConsistency(sha256, older, newer, proof), `${first} of ${size}`);
        const forged = { size: first, root: leafHash(sha256, older.root) };
        assert.ok(!verifyConsistency(sha256, forged, newer, proof), `forged ${first} of ${size}`);
      }
    }
  });

  test('an inner node does not pass for a leaf', () => {
    const all = hashes(4);
    const inner = nodeHash(sha256, all[0], all[1]);
    const tree = { size: 4, root: merkleRoot(sha256, all) };
    const proof = [nodeHash(sha256, all[2], all[3])];
    assert.ok(!verifyInclusion(sha256, { hash: inner, index: 0 }, tree, proof));
  });
});

test('noise never verifies, never throws', () => {
  const hash = fc.uint8Array({ minLength: 31, maxLength: 33 });
  const number = fc.oneof(fc.nat(20), fc.integer(), fc.double());
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 8 }), number, number, hash, (proof, a, b, noise) => {
      const root = merkleRoot(sha256, hashes(7));
      assert.ok(!verifyInclusion(sha256, { hash: noise, index: a }, { size: b, root }, proof));
      assert.ok(!verifyConsistency(sha256, { size: a, root: noise }, { size: b, root }, proof));
    }),
  );
});
