/** Check `entries`: open, partial and close entries are signed by a known key, belong together and name the keys that are there. */
import {
  CLOSE_PATH,
  keyPath,
  OPEN_PATH,
  parseBundlePath,
  partialPath,
  TOMBSTONE_PATH,
} from '#evidence/bundle-layout.ts';
import { type CloseEntry, type Entry, type OpenEntry, type PartialEntry, parseEntry } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import { equal } from '#evidence/merkle.ts';
import { openNote, parseNote, type VerifierKey } from '#evidence/note.ts';
import { toHex, utf8 } from '#evidence/text.ts';
import { MAX_SMALL_FILE_BYTES } from './bundle-reader.ts';
import type { BundleSource } from './bundle-source.ts';
import { sha256, verifyEd25519 } from './hash.ts';
import type { Sums } from './verify-files.ts';
import { type Check, Findings } from './verify-report.ts';

/** The entries that could be read. */
export interface Entries {
  readonly open: OpenEntry | null;
  readonly partials: readonly PartialEntry[];
  readonly close: CloseEntry | null;
}

/** What the entries are checked against. */
export interface EntryExpectations {
  /** Keys that may sign; none: signatures are not checked, and the check is skipped unless something fails. */
  readonly nodeKeys: readonly VerifierKey[];
  /** Id of the session, where it is known. */
  readonly session?: string;
}

export function checkEntries(
  source: BundleSource,
  sums: Sums,
  { nodeKeys, session }: EntryExpectations,
): { check: Check; entries: Entries } {
  const findings = new Findings('entries');
  const read = <Kind extends Entry['kind']>(path: string, kind: Kind) =>
    readEntry(source, path, kind, nodeKeys, findings);
  const open = read(OPEN_PATH, 'lucid/open/v1');
  const partials: PartialEntry[] = [];
  for (const number of partialNumbers(source)) {
    const partial = read(partialPath(number), 'lucid/partial/v1');
    if (partial === null) continue;
    if (partial.number === number) partials.push(partial);
    else findings.add(partialPath(number), `holds the partial entry ${partial.number}`);
  }
  const close = source.has(CLOSE_PATH) ? read(CLOSE_PATH, 'lucid/close/v1') : null;
  checkPartials(partials, findings);
  if (close !== null) checkClose(source, close, partials, findings);
  checkTogether({ open, partials, close }, findings);
  if (open !== null) checkKeys(source, open, sums, findings);
  if (session !== undefined && open !== null && open.session !== session) {
    findings.add(OPEN_PATH, `opens the session ${open.session}, wanted ${session}`);
  }
  const count = (open ? 1 : 0) + partials.length + (close ? 1 : 0);
  const check =
    nodeKeys.length === 0
      ? findings.skipped(`${count} entries read; their signatures were not checked: no verifier key was given`)
      : findings.passedOrFailed(`${count} entries, signed by ${nodeKeys.map(({ name }) => name).join(' or ')}`);
  return { check, entries: { open, partials, close } };
}

function readEntry<Kind extends Entry['kind']>(
  source: BundleSource,
  path: string,
  kind: Kind,
  nodeKeys: readonly VerifierKey[],
  findings: Findings,
): Extract<Entry, { kind: Kind }> | null {
  try {
    const note = source.read(path, MAX_SMALL_FILE_BYTES);
    const { signatures, text } = parseNote(note);
    const signers = nodeKeys.length > 0 ? openNote(note, nodeKeys, { verify: verifyEd25519 }).signers : signatures;
    const entry = parseEntry(text);
    if (entry.kind !== kind) throw new FormatError('entry', `a ${entry.kind}, wanted ${kind}`);
    if (!signers.some(({ name }) => name === entry.node)) {
      throw new FormatError(
        'entry.node',
        `${entry.node}, the note is signed by ${signers.map(({ name }) => name).join(', ')}`,
      );
    }
    return entry as Extract<Entry, { kind: Kind }>;
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    findings.add(path, cause.field === path ? cause.message.slice(path.length + 2) : cause.message);
    return null;
  }
}

function partialNumbers(source: BundleSource): number[] {
  const numbers: number[] = [];
  for (const path of source.paths) {
    const part = parseBundlePath(path);
    if (part?.part === 'partial') numbers.push(part.number);
  }
  return numbers.sort((a, b) => a - b);
}

function checkPartials(partials: readonly PartialEntry[], findings: Findings): void {
  for (const [i, partial] of partials.entries()) {
    const before = partials[i - 1];
    if (before !== undefined && partial.leaves <= before.leaves) {
      findings.add(partialPath(partial.number), `${partial.leaves} leaves, the entry before it had ${before.leaves}`);
    }
  }
}

function checkClose(
  source: BundleSource,
  close: CloseEntry,
  partials: readonly PartialEntry[],
  findings: Findings,
): void {
  const numbers = new Set(partialNumbers(source));
  for (let number = 0; number < close.partials; number++) {
    if (!numbers.has(number))
      findings.add(partialPath(number), `is missing; ${CLOSE_PATH} counts ${close.partials} of them`);
  }
  for (const number of numbers) {
    if (number >= close.partials) findings.add(partialPath(number), `${CLOSE_PATH} counts ${close.partials} of them`);
  }
  const last = partials.at(-1);
  if (last !== undefined && last.leaves > close.leaves) {
    findings.add(CLOSE_PATH, `${close.leaves} leaves, ${partialPath(last.number)} had ${last.leaves}`);
  }
  if (!source.has(OPEN_PATH)) return;
  try {
    const hash = sha256(utf8(parseNote(source.read(OPEN_PATH, MAX_SMALL_FILE_BYTES)).text));
    if (!equal(hash, close.open)) findings.add(CLOSE_PATH, 'closes another open entry than the one here');
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
  }
}

/** Entries of one session stand under one id. */
function checkTogether({ open, partials, close }: Entries, findings: Findings): void {
  const first = open ?? close;
  if (first === null) return;
  const others: [string, Entry | null][] = [
    [CLOSE_PATH, close],
    ...partials.map((partial): [string, Entry] => [partialPath(partial.number), partial]),
  ];
  for (const [path, entry] of others) {
    if (entry !== null && entry.session !== first.session) {
      findings.add(path, `belongs to the session ${entry.session}, wanted ${first.session}`);
    }
  }
}

function checkKeys(source: BundleSource, open: OpenEntry, sums: Sums, findings: Findings): void {
  const named = new Map(open.keys.map((line) => [keyPath(line.name), line]));
  for (const [path, line] of named) {
    const sum = sums.get(path);
    if (sum === undefined) {
      // Deleted with the chunks; whether the tombstone is this recording's is seen where the chunks are checked.
      if (!source.has(TOMBSTONE_PATH)) findings.add(path, `is missing; ${OPEN_PATH} names it`);
    } else if (sum !== toHex(line.file)) findings.add(path, `its SHA-256 is not the one in ${OPEN_PATH}`);
  }
  for (const path of source.paths) {
    if (parseBundlePath(path)?.part === 'key' && !named.has(path)) findings.add(path, 'no entry vouches for it');
  }
}
