/**
 * Tombstones: what stays of a recording that was deleted, beside its leaves and entries (docs/recording-format.md,
 * Deleted recordings). Lines of a name and a value in a fixed order: what the entry `lucid/tombstone/v1` will say once a
 * ledger takes it, short of the name of the key that signs.
 */
import { formatBy, type Grounds, parseBy, REASON } from './act.ts';
import { wantId, wantNumber, wantPattern, wantTime } from './fields.ts';
import { FormatError } from './format-error.ts';
import { MAX_LEAVES } from './leaf.ts';
import { fromHex, quote, readUtf8, toHex } from './text.ts';

export interface Tombstone extends Grounds {
  readonly session: string;
  /** When it was deleted: RFC 3339, UTC, to the millisecond. */
  readonly time: string;
  /** SHA-256 of the close entry's text. */
  readonly close: Uint8Array;
  /** Leaves of the recording, whose chunks are gone, and the root over them. */
  readonly leaves: number;
  readonly root: Uint8Array;
  /** Bytes of the chunks. */
  readonly storedBytes: number;
}

const KIND = 'lucid-tombstone/v1';
const NAMES = ['session', 'time', 'by', 'reason', 'close', 'leaves', 'root', 'bytes'] as const;
/** The longest tombstone, in bytes. */
export const MAX_TOMBSTONE_BYTES = 4096;

/** The text of `tombstone.txt`. */
export function formatTombstone(tombstone: Tombstone): string {
  const { session, time, by, reason, close, leaves, root, storedBytes } = tombstone;
  const values = [session, time, formatBy(by), reason, toHex(close), leaves, toHex(root), storedBytes];
  return `${[KIND, ...NAMES.map((name, i) => `${name} ${values[i]}`)].join('\n')}\n`;
}

/**
 * Reads `tombstone.txt`.
 * @throws FormatError naming the line's name
 */
export function parseTombstone(bytes: Uint8Array): Tombstone {
  if (bytes.length > MAX_TOMBSTONE_BYTES)
    throw new FormatError('tombstone', `longer than ${MAX_TOMBSTONE_BYTES} bytes`);
  const lines = readUtf8(bytes, 'tombstone').split('\n');
  if (lines.pop() !== '') throw new FormatError('tombstone', 'does not end with a line feed: truncated');
  if (lines[0] !== KIND) throw new FormatError('tombstone', `begins with ${quote(lines[0] ?? '')}, wanted ${KIND}`);
  if (lines.length !== NAMES.length + 1) throw new FormatError('tombstone', `${lines.length} lines, wanted 9`);
  const value = (name: (typeof NAMES)[number]) => {
    const line = lines[NAMES.indexOf(name) + 1];
    if (!line.startsWith(`${name} `)) throw new FormatError(`tombstone.${name}`, `found ${quote(line)}`);
    return line.slice(name.length + 1);
  };
  return {
    session: wantId(value('session'), 'tombstone.session'),
    time: wantTime(value('time'), 'tombstone.time'),
    by: parseBy(value('by'), 'tombstone.by'),
    reason: wantPattern(
      value('reason'),
      REASON,
      'a word of lower-case letters, digits and hyphens',
      'tombstone.reason',
    ),
    close: fromHex(value('close'), 32, 'tombstone.close'),
    leaves: wantNumber(value('leaves'), 'tombstone.leaves', MAX_LEAVES),
    root: fromHex(value('root'), 32, 'tombstone.root'),
    storedBytes: wantNumber(value('bytes'), 'tombstone.bytes'),
  };
}
