/**
 * Merkle trees of RFC 6962, section 2.1 (RFC 9162, section 2.1): leaf hash SHA-256(0x00 ‖ leaf), node hash
 * SHA-256(0x01 ‖ left ‖ right), split at the largest power of two below the size, no leaf used twice.
 */
import type { Sha256 } from './primitives.ts';

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** Hash of a leaf's bytes. */
export function leafHash(sha256: Sha256, leaf: Uint8Array): Uint8Array {
  return sha256(LEAF_PREFIX, leaf);
}

/** Hash of an inner node. */
export function nodeHash(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE_PREFIX, left, right);
}

/**
 * A tree that only grows, kept as the roots of its complete subtrees: at most one hash a level. The root is at hand at
 * any size without hashing the leaves again.
 */
export class MerkleTree {
  readonly #sha256: Sha256;
  /** INVARIANT: one root for each bit set in `#size`, largest subtree first. */
  readonly #peaks: Uint8Array[] = [];
  #size = 0;

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /** Leaves so far. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf by its hash (see `leafHash`). */
  append(hash: Uint8Array): void {
    let root = hash;
    for (let bits = this.#size; bits % 2 === 1; bits = (bits - 1) / 2) {
      root = nodeHash(this.#sha256, this.#peaks.pop()!, root);
    }
    this.#peaks.push(root);
    this.#size++;
  }

  /** The root of all leaves so far; of none, the hash of nothing. */
  root(): Uint8Array {
    if (this.#size === 0) return this.#sha256();
    return this.#peaks.reduceRight((right, left) => nodeHash(this.#sha256, left, right));
  }
}

/** Root over leaf hashes. */
export function merkleRoot(sha256: Sha256, hashes: readonly Uint8Array[]): Uint8Array {
  const tree = new MerkleTree(sha256);
  for (const hash of hashes) tree.append(hash);
  return tree.root();
}

/**
 * The audit path of leaf `index` in the tree over `hashes` (RFC 6962, section 2.1.1).
 * @returns hashes from the leaf's sibling up to the root's child
 * @throws RangeError when there is no such leaf
 */
export function inclusionProof(sha256: Sha256, hashes: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!(Number.isInteger(index) && index >= 0 && index < hashes.length)) {
    throw new RangeError(`leaf ${index} of ${hashes.length}`);
  }
  if (hashes.length === 1) return [];
  const k = splitPoint(hashes.length);
  const [left, right] = [hashes.slice(0, k), hashes.slice(k)];
  return index < k
    ? [...inclusionProof(sha256, left, index), merkleRoot(sha256, right)]
    : [...inclusionProof(sha256, right, index - k), merkleRoot(sha256, left)];
}

/** What `InclusionPath` keeps of a complete subtree. */
interface Peak {
  readonly hash: Uint8Array;
  readonly size: number;
  /** Whether the leaf is in it. */
  readonly isOnPath: boolean;
}

/** The audit path of one leaf, as `inclusionProof` gives it, from leaves that come one by one: one hash a level is kept. */
export class InclusionPath {
  readonly #sha256: Sha256;
  readonly #index: number;
  readonly #peaks: Peak[] = [];
  readonly #path: Uint8Array[] = [];
  #size = 0;

  /** @param index of the leaf */
  constructor(sha256: Sha256, index: number) {
    this.#sha256 = sha256;
    this.#index = index;
  }

  /** Leaves so far. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf by its hash. */
  append(hash: Uint8Array): void {
    let peak: Peak = { hash, size: 1, isOnPath: this.#size === this.#index };
    while (this.#peaks.at(-1)?.size === peak.size) peak = this.#join(this.#peaks.pop()!, peak);
    this.#peaks.push(peak);
    this.#size++;
  }

  /**
   * Ends the tree.
   * @returns the root, and the hashes from the leaf's sibling up to the root's child
   * @throws RangeError when the tree has no such leaf
   */
  finish(): { root: Uint8Array; path: readonly Uint8Array[] } {
    if (!(this.#index < this.#size)) throw new RangeError(`leaf ${this.#index} of ${this.#size}`);
    const { hash: root } = this.#peaks.reduceRight((right, left) => this.#join(left, right));
    return { root, path: this.#path };
  }

  #join(left: Peak, right: Peak): Peak {
    if (left.isOnPath) this.#path.push(right.hash);
    if (right.isOnPath) this.#path.push(left.hash);
    const hash = nodeHash(this.#sha256, left.hash, right.hash);
    return { hash, size: left.size + right.size, isOnPath: left.isOnPath || right.isOnPath };
  }
}

/**
 * The proof that the tree over the first `size` hashes is a prefix of the tree over all (RFC 6962, section 2.1.2).
 * @throws RangeError unless 0 < size ≤ hashes.length
 */
export function consistencyProof(sha256: Sha256, hashes: readonly Uint8Array[], size: number): Uint8Array[] {
  if (!(Number.isInteger(size) && size > 0 && size <= hashes.length)) {
    throw new RangeError(`size ${size} of ${hashes.length}`);
  }
  return subProof(sha256, hashes, size, true);
}

function subProof(sha256: Sha256, hashes: readonly Uint8Array[], size: number, known: boolean): Uint8Array[] {
  if (size === hashes.length) return known ? [] : [merkleRoot(sha256, hashes)];
  const k = splitPoint(hashes.length);
  const [left, right] = [hashes.slice(0, k), hashes.slice(k)];
  return size <= k
    ? [...subProof(sha256, left, size, known), merkleRoot(sha256, right)]
    : [...subProof(sha256, right, size - k, false), merkleRoot(sha256, left)];
}

/**
 * Whether `proof` shows that `hash` is leaf `index` of the tree of `size` leaves with `root` (RFC 9162, section 2.1.3.2).
 */
export function verifyInclusion(
  sha256: Sha256,
  leaf: { readonly hash: Uint8Array; readonly index: number },
  tree: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  const { index } = leaf;
  const { size } = tree;
  if (![leaf.hash, tree.root, ...proof].every((hash) => hash.length === 32)) return false;
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size)) return false;
  let hash = leaf.hash;
  let [node, last] = [index, size - 1];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sha256, sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(sha256, hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equal(hash, tree.root);
}

/**
 * Whether `proof` shows that the tree `older` is a prefix of the tree `newer` (RFC 9162, section 2.1.4.2). An empty
 * older tree has no root that says anything, so nothing is consistent with it.
 */
export function verifyConsistency(
  sha256: Sha256,
  older: { readonly size: number; readonly root: Uint8Array },
  newer: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!(Number.isSafeInteger(older.size) && Number.isSafeInteger(newer.size))) return false;
  if (older.size <= 0 || older.size > newer.size) return false;
  if (older.size === newer.size) return proof.length === 0 && equal(older.root, newer.root);
  if (![older.root, newer.root, ...proof].every((hash) => hash.length === 32)) return false;
  let [node, last] = [older.size - 1, newer.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  const path = node === 0 ? [older.root, ...proof] : [...proof];
  const first = path.shift();
  if (first === undefined) return false;
  let [oldHash, newHash] = [first, first];
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sha256, sibling, oldHash);
      newHash = nodeHash(sha256, sibling, newHash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newHash = nodeHash(sha256, newHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equal(oldHash, older.root) && equal(newHash, newer.root);
}

/** The largest power of two below `size`, for size ≥ 2. */
function splitPoint(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

/** Shifts right by one; `>>` would cut numbers above 2^31. */
function half(value: number): number {
  return Math.floor(value / 2);
}

/** Whether two hashes are the same bytes. Hashes are public: no need for constant time. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
