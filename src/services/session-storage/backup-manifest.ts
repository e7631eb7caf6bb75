/** `MANIFEST.txt`, the last file of a backup: what is in it, so that one that broke off or lost a session is found out. */
import { wantId, wantNumber, wantTime } from '#evidence/fields.ts';
import { FormatError } from '#evidence/format-error.ts';
import { quote, readUtf8 } from '#evidence/text.ts';

export const MANIFEST_PATH = 'MANIFEST.txt';
const KIND = 'lucid-backup/v1';
/** The longest manifest, in bytes. */
export const MAX_MANIFEST_BYTES = 256 * 1024 * 1024;

export interface BackedUpSession {
  readonly id: string;
  /** Files, SHA256SUMS among them, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** SHA-256 of the session's SHA256SUMS, hexadecimal. */
  readonly sums: string;
}

/** A chunk that was damaged when the backup was made. */
export interface DamagedFile {
  readonly id: string;
  readonly path: string;
  /** In words. */
  readonly what: string;
}

export interface BackupManifest {
  /** When the backup began: RFC 3339, UTC, to the millisecond. */
  readonly time: string;
  readonly sessions: BackedUpSession[];
  readonly damaged: DamagedFile[];
}

/** Lines of a name and values: kind, time, then a line a session, then a line a damaged file. */
export function formatManifest({ time, sessions, damaged }: BackupManifest): string {
  const lines = [KIND, `time ${time}`];
  for (const { id, files, bytes, sums } of sessions) lines.push(`session ${id} ${files} ${bytes} ${sums}`);
  for (const { id, path, what } of damaged) lines.push(`damaged ${id} ${path} ${what.replaceAll(/\s+/g, ' ')}`);
  return `${lines.join('\n')}\n`;
}

/**
 * Reads a manifest.
 * @throws FormatError naming the line, counted from 1
 */
export function parseManifest(bytes: Uint8Array): BackupManifest {
  const lines = readUtf8(bytes, MANIFEST_PATH).split('\n');
  if (lines.pop() !== '') throw new FormatError(MANIFEST_PATH, 'does not end with a line feed: truncated');
  if (lines[0] !== KIND) throw new FormatError(MANIFEST_PATH, `begins with ${quote(lines[0] ?? '')}, wanted ${KIND}`);
  const sessions: BackedUpSession[] = [];
  const damaged: DamagedFile[] = [];
  for (const [i, line] of lines.entries()) {
    if (i < 2) continue;
    const field = `${MANIFEST_PATH} line ${i + 1}`;
    const [name, id, ...values] = line.split(' ');
    if (name === 'session' && values.length === 3) {
      const [files, bytes, sums] = values;
      if (!/^[0-9a-f]{64}$/.test(sums)) throw new FormatError(field, `${quote(sums)} is no SHA-256`);
      const [count, size] = [wantNumber(files, field), wantNumber(bytes, field)];
      sessions.push({ id: wantId(id, field), files: count, bytes: size, sums });
    } else if (name === 'damaged' && values.length >= 2) {
      damaged.push({ id: wantId(id, field), path: values[0], what: values.slice(1).join(' ') });
    } else throw new FormatError(field, `${quote(line)}, wanted session or damaged`);
  }
  const [, time] = /^time (.*)$/.exec(lines[1] ?? '') ?? [];
  return { time: wantTime(time ?? '', `${MANIFEST_PATH} line 2`), sessions, damaged };
}
