/**
 * Checks that a chunk belongs to a session, with what Node.js brings and nothing of Lucid (docs/api.md, One chunk).
 *
 *   node docs/examples/check-proof.ts PROOF CHUNK VERIFIER_KEY
 *
 * PROOF and CHUNK are files: the answers of …/chunks/{stream}/{index}/proof and of …/chunks/{stream}/{index}.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface Proof {
  leaf: string;
  leaf_index: number;
  path: readonly string[];
  signed: { note: string };
}

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const [LEAF, NODE] = [Uint8Array.of(0), Uint8Array.of(1)];

function want(holds: boolean, words: string): void {
  if (!holds) throw new Error(words);
}

/** @throws Error saying what does not hold */
export function checkProof({ leaf, leaf_index, path, signed }: Proof, chunk: Uint8Array, verifierKey: string): void {
  const { leaves, root } = checkNote(signed.note, verifierKey);
  // lucid-leaf/v1 <session> <stream> <index> <zst|raw> <bytes> <sha256> <first µs> <last µs> <records>
  want(leaf.split(' ')[6] === sha256(chunk).toString('hex'), 'the leaf names another SHA-256 than the chunk has');
  want(leaf_index < leaves, 'the leaf is not in the tree that is signed');
  // RFC 9162, section 2.1.3.2
  let hash = sha256(LEAF, Buffer.from(leaf));
  let [at, last] = [leaf_index, leaves - 1];
  for (const sibling of path.map((hex) => Buffer.from(hex, 'hex'))) {
    if (at % 2 === 1 || at === last) {
      hash = sha256(NODE, sibling, hash);
      while (at % 2 === 0 && at > 0) [at, last] = [at >> 1, last >> 1];
    } else {
      hash = sha256(NODE, hash, sibling);
    }
    [at, last] = [at >> 1, last >> 1];
  }
  want(last === 0 && hash.toString('hex') === root, 'the path does not lead to the root that is signed');
}

/** A signed note: text, an empty line, `— <name> <base64 of 4 bytes of key hash and the signature>`. */
function checkNote(note: string, verifierKey: string): { leaves: number; root: string } {
  const end = note.indexOf('\n\n') + 1;
  const text = note.slice(0, end);
  const [name, , key] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(verifierKey)?.slice(1) ?? [];
  const signature = note
    .slice(end)
    .split('\n')
    .find((line) => line.startsWith(`— ${name} `))
    ?.split(' ')[2];
  want(signature !== undefined, `the entry is not signed by ${name}`);
  // An Ed25519 key as DER: a fixed head, then its 32 bytes.
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(key, 'base64').subarray(1)]);
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const isRight = verify(null, Buffer.from(text), publicKey, Buffer.from(signature!, 'base64').subarray(4));
  want(isRight, 'the signature is wrong');
  const field = (word: string) => new RegExp(`^${word} (\\S+)$`, 'm').exec(text)![1];
  return { leaves: Number(field('leaves')), root: field('root') };
}

if (import.meta.main) {
  const [proof, chunk, key] = process.argv.slice(2);
  if (!key) throw new Error('wants a proof, a chunk, and the verifier key');
  checkProof(JSON.parse(readFileSync(proof, 'utf8')), readFileSync(chunk), key);
  console.log('the chunk belongs to the session');
}
