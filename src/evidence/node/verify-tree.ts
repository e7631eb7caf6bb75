/** Checks `tree` and `chunks`: the leaves give the signed roots, and each chunk is the one that its leaf stands for. */
import { CLOSE_PATH, chunkPath, LEAVES_PATH, parseBundlePath, partialPath } from '#evidence/bundle-layout.ts';
import type { CloseEntry, PartialEntry } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import { hashLeaf, type Leaf, parseLeaves } from '#evidence/leaf.ts';
import { equal, MerkleTree } from '#evidence/merkle.ts';
import { STREAMS } from '#evidence/record.ts';
import { toHex } from '#evidence/text.ts';
import type { Tombstone } from '#evidence/tombstone.ts';
import { MAX_LEAVES_FILE_BYTES } from './bundle-reader.ts';
import type { BundleSource } from './bundle-source.ts';
import { sha256 } from './hash.ts';
import type { Entries } from './verify-entries.ts';
import type { Sums } from './verify-files.ts';
import { type Check, Findings } from './verify-report.ts';
import { describeTombstone, readTombstone } from './verify-tombstone.ts';

/** The leaves give the root in the close entry, and the root in each partial entry is that of a prefix. */
export function checkTree(
  source: BundleSource,
  entries: Entries,
): { check: Check; leaves: readonly Leaf[]; signed: number } {
  const findings = new Findings('tree');
  const { open, partials, close } = entries;
  let leaves: readonly Leaf[] = [];
  try {
    leaves = parseLeaves(source.read(LEAVES_PATH, MAX_LEAVES_FILE_BYTES));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    findings.add(LEAVES_PATH, cause.message);
    return { check: findings.passedOrFailed('leaves cannot be read'), leaves, signed: 0 };
  }
  const session = (open ?? close)?.session;
  for (const [i, leaf] of leaves.entries()) {
    if (session !== undefined && leaf.session !== session) {
      findings.add(`${LEAVES_PATH} line ${i + 1}`, `belongs to the session ${leaf.session}, wanted ${session}`);
    }
  }
  const signed = checkRoots(leaves, partials, close, findings);
  if (close !== null) checkTotals(leaves, close, findings);
  const roots = partials.length + (close === null ? 0 : 1);
  return { check: findings.passedOrFailed(`${leaves.length} leaves against ${roots} signed roots`), leaves, signed };
}

/** @returns how many leaves, from the first on, some entry signs */
function checkRoots(
  leaves: readonly Leaf[],
  partials: readonly PartialEntry[],
  close: CloseEntry | null,
  findings: Findings,
): number {
  const roots = partials.map(({ number, leaves: size, root }) => ({ path: partialPath(number), size, root }));
  if (close !== null) roots.push({ path: CLOSE_PATH, size: close.leaves, root: close.root });
  roots.sort((a, b) => a.size - b.size);
  const tree = new MerkleTree(sha256);
  let signed = 0;
  for (const { path, size, root } of roots) {
    if (size > leaves.length) {
      findings.add(
        LEAVES_PATH,
        `has ${leaves.length} leaves, ${path} signs ${size}: ${size - leaves.length} are missing`,
      );
      continue;
    }
    while (tree.size < size) tree.append(hashLeaf(sha256, leaves[tree.size]));
    const found = tree.root();
    if (equal(found, root)) signed = size;
    else {
      const which = size === signed ? `its ${size} leaves` : `one of the leaves ${signed + 1} to ${size}`;
      findings.add(
        LEAVES_PATH,
        `${which} is not the one that ${path} signs: root ${toHex(found)}, signed ${toHex(root)}`,
      );
    }
  }
  if (close !== null && leaves.length > close.leaves) {
    findings.add(LEAVES_PATH, `has ${leaves.length} leaves, ${CLOSE_PATH} signs ${close.leaves}`);
  }
  return signed;
}

function checkTotals(leaves: readonly Leaf[], close: CloseEntry, findings: Findings): void {
  for (const stream of STREAMS) {
    const own = leaves.filter((leaf) => leaf.stream === stream);
    const found = {
      chunks: own.length,
      records: own.reduce((sum, leaf) => sum + leaf.records, 0),
      storedBytes: own.reduce((sum, leaf) => sum + leaf.storedBytes, 0),
    };
    const told = close.streams.find((totals) => totals.stream === stream);
    for (const field of ['chunks', 'records', 'storedBytes'] as const) {
      const wanted = told?.[field] ?? 0;
      if (found[field] !== wanted) {
        findings.add(CLOSE_PATH, `says ${wanted} ${field} of ${stream}, the leaves have ${found[field]}`);
      }
    }
  }
}

/**
 * Each leaf's chunk is there with its size and hash, none is there without a leaf, none is missing from a stream. Of a
 * deleted recording a tombstone stands for the chunks that are gone.
 */
export function checkChunks(
  source: BundleSource,
  sums: Sums,
  leaves: readonly Leaf[],
): { check: Check; tombstone: Tombstone | null } {
  const findings = new Findings('chunks');
  const tombstone = readTombstone(source, leaves, findings);
  const paths = new Set<string>();
  let deleted = 0;
  for (const leaf of leaves) {
    const path = chunkPath(leaf);
    if (paths.has(path)) findings.add(path, 'has two leaves');
    paths.add(path);
    const sum = sums.get(path);
    if (sum === undefined && tombstone !== null) deleted++;
    else if (sum === undefined) findings.add(path, 'is missing; it has a leaf');
    else if (source.size(path) !== leaf.storedBytes) {
      findings.add(path, `${source.size(path)} bytes, its leaf says ${leaf.storedBytes}`);
    } else if (sum !== toHex(leaf.sha256)) {
      findings.add(path, `its SHA-256 is ${sum}, its leaf says ${toHex(leaf.sha256)}`);
    }
  }
  for (const path of source.paths) {
    if (parseBundlePath(path)?.part === 'chunk' && !paths.has(path)) findings.add(path, 'has no leaf');
  }
  for (const stream of STREAMS) {
    const indices = new Set(leaves.filter((leaf) => leaf.stream === stream).map((leaf) => leaf.index));
    for (let index = 0, left = indices.size; left > 0; index++) {
      if (indices.has(index)) left--;
      else findings.add(`${stream}/${String(index).padStart(6, '0')}`, 'is missing: chunks after it have leaves');
    }
  }
  const check =
    tombstone === null
      ? findings.passedOrFailed(`${leaves.length} chunks against their leaves`)
      : findings.skipped(`${deleted} of ${leaves.length} chunks were deleted: ${describeTombstone(tombstone)}`);
  return { check, tombstone };
}
