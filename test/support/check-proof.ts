/** Checks a chunk's proof with node:crypto and nothing of Lucid's, as an outsider would who has read docs/api.md. */
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';

interface Proof {
  leaf: string;
  leaf_index: number;
  path: readonly string[];
  signed: { note: string };
}

const hash = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();

/** @throws AssertionError when the chunk is not in the tree, or the entry is not signed by the key */
export function checkProof({ leaf, leaf_index, path, signed }: Proof, chunk: Uint8Array, verifierKey: string): void {
  assert.equal(leaf.split(' ')[6], hash(chunk).toString('hex'));
  assert.equal(leaf.split(' ')[5], String(chunk.length));
  const { size, root } = checkNote(signed.note, verifierKey);
  assert.ok(leaf_index < size);
  let node = hash(Uint8Array.of(0), Buffer.from(leaf));
  let [at, last] = [leaf_index, size - 1];
  for (const sibling of path.map((text) => Buffer.from(text, 'hex'))) {
    if (at % 2 === 1 || at === last) {
      node = hash(Uint8Array.of(1), sibling, node);
      while (at % 2 === 0 && at > 0) [at, last] = [at >> 1, last >> 1];
    } else {
      node = hash(Uint8Array.of(1), node, sibling);
    }
    [at, last] = [at >> 1, last >> 1];
  }
  assert.equal(last, 0);
  assert.equal(node.toString('hex'), root);
}

/** @returns what the entry says of the tree */
function checkNote(note: string, verifierKey: string): { size: number; root: string } {
  const end = note.indexOf('\n\n') + 1;
  const text = note.slice(0, end);
  const [, name, , key] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(verifierKey)!;
  const [, signature] = new RegExp(`^— ${name} (.+)$`, 'm').exec(note.slice(end))!;
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(key, 'base64').subarray(1)]);
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  assert.ok(verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64').subarray(4)));
  const [, size] = /^leaves (\d+)$/m.exec(text)!;
  const [, root] = /^root ([0-9a-f]{64})$/m.exec(text)!;
  return { size: Number(size), root };
}
