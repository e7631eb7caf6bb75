/**
 * Verifies a bundle offline (docs/recording-format.md, Verification). What must come from elsewhere than the bundle is
 * given: the node's verifier keys, and for the contents a recipient's identity.
 */
import { CLOSE_PATH } from '#evidence/bundle-layout.ts';
import type { VerifierKey } from '#evidence/note.ts';
import type { AgeIdentity } from './age-keys.ts';
import type { BundleSource } from './bundle-source.ts';
import { checkEntries } from './verify-entries.ts';
import { checkFiles } from './verify-files.ts';
import { type Contents, checkRecords, type Player } from './verify-records.ts';
import { type Check, Findings, type VerifyProgress, type VerifyReport } from './verify-report.ts';
import { describeTombstone } from './verify-tombstone.ts';
import { checkChunks, checkTree } from './verify-tree.ts';

export interface VerifyOptions {
  /** Keys that may have signed the entries. */
  readonly nodeKeys: readonly VerifierKey[];
  /** Id of the session that the bundle must be of, where the caller knows it. */
  readonly session?: string;
  /** Identities to open the recording with; none: contents are not looked at. */
  readonly identities: readonly AgeIdentity[];
  /** Replays the recording; null: no replay. */
  readonly player: Player | null;
}

/**
 * Verifies a bundle, yielding how far it is.
 * @returns the report; bytes that do not follow the format are problems in it, never exceptions
 * @throws Error when a file cannot be read
 */
export function* verifyBundle(
  source: BundleSource,
  options: VerifyOptions,
): Generator<VerifyProgress, VerifyReport, undefined> {
  const files = yield* checkFiles(source);
  const entries = checkEntries(source, files.sums, options);
  const { open, close } = entries.entries;
  const tree = checkTree(source, entries.entries);
  const chunks = checkChunks(source, files.sums, tree.leaves);
  const checks: Check[] = [
    files.check,
    entries.check,
    tree.check,
    chunks.check,
    new Findings('ledger').skipped('not ledgered: no proof that an append-only log holds the entries'),
    new Findings('anchors').skipped('not anchored: no proof of time by others'),
  ];
  const { tombstone } = chunks;
  const contents =
    options.identities.length > 0 && tombstone === null
      ? yield* checkRecords(source, options.identities, close, options.player)
      : unopened(
          tombstone === null ? 'no identity was given: contents were not looked at' : 'the recording was deleted',
        );
  checks.push(...contents.checks);
  const missing: string[] = [];
  if (options.nodeKeys.length === 0) missing.push('a verifier key of the node: the signatures were not checked');
  if (tombstone !== null) missing.push(`the chunks, deleted ${describeTombstone(tombstone)}`);
  else if (options.identities.length > 0 && contents.checks[0].status === 'skipped') {
    missing.push("a recipient's identity: the one given opens nothing");
  }
  if (!source.has(CLOSE_PATH)) {
    const unsigned = tree.leaves.length - tree.signed;
    missing.push(
      `${CLOSE_PATH}: the session is still open, or its end was cut off${unsigned > 0 ? `; ${unsigned} leaves are not signed` : ''}`,
    );
  }
  if (contents.lost > 0) {
    missing.push(`${contents.lost} records: lost while the session was recorded, as the recording itself says`);
  }
  const failed = checks.some(({ status }) => status === 'failed');
  return {
    verdict: failed ? 'failed' : missing.length > 0 ? 'incomplete' : 'verified',
    missing,
    session: (open ?? close)?.session ?? null,
    ledgered: false,
    anchored: false,
    gaps: contents.gaps,
    checks,
  };
}

function unopened(why: string): Contents {
  return { checks: (['records', 'replay'] as const).map((name) => new Findings(name).skipped(why)), gaps: [], lost: 0 };
}
