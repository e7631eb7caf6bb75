/**
 * Acts: what was done with a finished recording as a whole (docs/storage.md). One line each in the store's `acts.txt`:
 * what the entry `lucid/act/v1` will say once a ledger takes it, short of the name of the key that signs.
 *
 * lucid-act/v1 <session> <number> <time> <hold|release|archive|restore> <by> <reason>
 */
import { wantId, wantNumber, wantPattern, wantTime, wantWord } from './fields.ts';
import { FormatError } from './format-error.ts';
import { readUtf8 } from './text.ts';

export const ACTS = ['hold', 'release', 'archive', 'restore'] as const;
/** `hold` forbids to delete until `release`; `archive` and `restore` move the chunks. */
export type ActKind = (typeof ACTS)[number];

/** Who did something, and why: no personal data. */
export interface Grounds {
  /** Random id of the user; null: Lucid itself, as its settings say. */
  readonly by: string | null;
  /** One word, for programs: `litigation`, `retention-days`. */
  readonly reason: string;
}

export interface Act extends Grounds {
  readonly session: string;
  /** Number within the session, from 0 up without gaps. */
  readonly number: number;
  /** RFC 3339, UTC, to the millisecond. */
  readonly time: string;
  readonly kind: ActKind;
}

/** A word that may stand as a reason. */
export const REASON = /^[a-z][a-z0-9-]{0,63}$/;
/** The most acts that a session may have. */
export const MAX_ACTS = 10_000;

/** The act's line, without line feed. */
export function formatAct({ session, number, time, kind, by, reason }: Act): string {
  return `lucid-act/v1 ${session} ${number} ${time} ${kind} ${formatBy(by)} ${reason}`;
}

/**
 * Reads `acts.txt`. A last line that a crash has torn counts for nothing.
 * @throws FormatError naming the line, counted from 1
 */
export function parseActs(bytes: Uint8Array): Act[] {
  const lines = readUtf8(bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1), 'acts.txt').split('\n');
  lines.pop();
  if (lines.length > MAX_ACTS) throw new FormatError('acts.txt', `more than ${MAX_ACTS} lines`);
  return lines.map((line, i) => {
    try {
      return parseAct(line, i);
    } catch (cause) {
      if (cause instanceof FormatError) throw new FormatError(`acts.txt line ${i + 1}`, cause.message);
      throw cause;
    }
  });
}

function parseAct(line: string, number: number): Act {
  const fields = line.split(' ');
  if (fields[0] !== 'lucid-act/v1') throw new FormatError('act', 'does not begin with "lucid-act/v1 "');
  if (fields.length !== 7) throw new FormatError('act', `${fields.length} fields, wanted 7`);
  if (wantNumber(fields[2], 'act.number') !== number)
    throw new FormatError('act.number', `${fields[2]}, not ${number}`);
  return {
    session: wantId(fields[1], 'act.session'),
    number,
    time: wantTime(fields[3], 'act.time'),
    kind: wantWord(fields[4], ACTS, 'act.kind'),
    by: parseBy(fields[5], 'act.by'),
    reason: wantPattern(fields[6], REASON, 'a word of lower-case letters, digits and hyphens', 'act.reason'),
  };
}

/** A user's id, or `-` for Lucid itself. */
export function formatBy(by: string | null): string {
  return by ?? '-';
}

/** @throws FormatError */
export function parseBy(text: string, field: string): string | null {
  return text === '-' ? null : wantId(text, field);
}

/** Whether the session may not be deleted: the last `hold` has no `release` after it. */
export function isHeld(acts: readonly Act[]): boolean {
  return acts.findLast(({ kind }) => kind === 'hold' || kind === 'release')?.kind === 'hold';
}

/** Whether the session's chunks are in the archive. */
export function isArchived(acts: readonly Act[]): boolean {
  return acts.findLast(({ kind }) => kind === 'archive' || kind === 'restore')?.kind === 'archive';
}
