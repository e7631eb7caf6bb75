/** A tombstone takes the place of chunks and keys: it must be of this recording, with all of its leaves. */
import { CLOSE_PATH, TOMBSTONE_PATH } from '#evidence/bundle-layout.ts';
import { parseEntry } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import { hashLeaf, type Leaf } from '#evidence/leaf.ts';
import { equal, merkleRoot } from '#evidence/merkle.ts';
import { parseNote } from '#evidence/note.ts';
import { toHex, utf8 } from '#evidence/text.ts';
import { MAX_TOMBSTONE_BYTES, parseTombstone, type Tombstone } from '#evidence/tombstone.ts';
import { MAX_SMALL_FILE_BYTES } from './bundle-reader.ts';
import type { BundleSource } from './bundle-source.ts';
import { sha256 } from './hash.ts';
import type { Findings } from './verify-report.ts';

/**
 * The tombstone of a recording that was deleted.
 * @returns null when there is none, or one that says something else than leaves and close entry do: that is a finding
 */
export function readTombstone(source: BundleSource, leaves: readonly Leaf[], findings: Findings): Tombstone | null {
  if (!source.has(TOMBSTONE_PATH)) return null;
  try {
    const tombstone = parseTombstone(source.read(TOMBSTONE_PATH, MAX_TOMBSTONE_BYTES));
    const hashes = leaves.map((leaf) => hashLeaf(sha256, leaf));
    if (tombstone.leaves !== leaves.length || !equal(tombstone.root, merkleRoot(sha256, hashes))) {
      const told = `${tombstone.leaves} leaves with root ${toHex(tombstone.root)}`;
      throw new FormatError(TOMBSTONE_PATH, `speaks of ${told}, which are not those here`);
    }
    const { text } = parseNote(source.read(CLOSE_PATH, MAX_SMALL_FILE_BYTES));
    if (!equal(tombstone.close, sha256(utf8(text))) || tombstone.session !== parseEntry(text).session)
      throw new FormatError(TOMBSTONE_PATH, `is of another ${CLOSE_PATH}`);
    return tombstone;
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    findings.add(TOMBSTONE_PATH, cause.message);
    return null;
  }
}

/** When, by whom and why, in words. */
export function describeTombstone({ time, by, reason }: Tombstone): string {
  return `${time}, by ${by ?? 'Lucid itself'}, reason ${reason} (${TOMBSTONE_PATH}, which is not signed)`;
}
