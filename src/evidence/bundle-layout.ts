/**
 * Where the parts of a session's evidence lie, in the store and in a bundle alike (docs/recording-format.md, Bundle).
 * Names are made from checked values and read back strictly, so that no id ever becomes a path unchecked.
 */
import type { Entry } from './entry.ts';
import { type ChunkEncoding, MAX_CHUNK_INDEX, MAX_LEAVES } from './leaf.ts';
import { KEY_NAMES, type KeyName, STREAMS, type Stream } from './record.ts';

export const OPEN_PATH = 'open.note';
export const CLOSE_PATH = 'close.note';
export const LEAVES_PATH = 'leaves.txt';
/** What was done with the recording; in the store and its backups only. */
export const ACTS_PATH = 'acts.txt';
/** Stands for the chunks and keys of a recording that was deleted. */
export const TOMBSTONE_PATH = 'tombstone.txt';
export const SUMS_PATH = 'SHA256SUMS';
export const README_PATH = 'README.txt';
export const VERIFIER_PATH = 'verify.mjs';

type FixedPart = 'open' | 'close' | 'leaves' | 'acts' | 'tombstone' | 'sums' | 'readme' | 'verifier';

/** What a path within a bundle stands for. */
export type BundlePart =
  | { readonly part: FixedPart }
  | { readonly part: 'partial'; readonly number: number }
  | { readonly part: 'key'; readonly key: KeyName; readonly grant: number }
  | { readonly part: 'chunk'; readonly stream: Stream; readonly index: number; readonly encoding: ChunkEncoding };

const FIXED: Readonly<Record<string, FixedPart>> = {
  [OPEN_PATH]: 'open',
  [CLOSE_PATH]: 'close',
  [LEAVES_PATH]: 'leaves',
  [ACTS_PATH]: 'acts',
  [TOMBSTONE_PATH]: 'tombstone',
  [SUMS_PATH]: 'sums',
  [README_PATH]: 'readme',
  [VERIFIER_PATH]: 'verifier',
};
const PARTIAL = /^partial\/(0|[1-9]\d{0,6})\.note$/;
const KEY = new RegExp(`^keys/(${KEY_NAMES.join('|')})(?:\\.([1-9]\\d{0,5}))?\\.age$`);
const CHUNK = new RegExp(`^(${STREAMS.join('|')})/(\\d{6})(\\.zst)?\\.age$`);

/** Path of partial entry `number`. */
export function partialPath(number: number): string {
  return `partial/${checked(number, MAX_LEAVES, 'partial entry')}.note`;
}

/**
 * Path of a session key's private half.
 * @param grant 0 for the recipients of the open entry, n for the n-th later grant
 */
export function keyPath(key: KeyName, grant = 0): string {
  return grant === 0 ? `keys/${key}.age` : `keys/${key}.${checked(grant, 999_999, 'grant')}.age`;
}

/** Path of a chunk. */
export function chunkPath(chunk: { stream: Stream; index: number; encoding: ChunkEncoding }): string {
  const digits = String(checked(chunk.index, MAX_CHUNK_INDEX, 'chunk')).padStart(6, '0');
  return `${chunk.stream}/${digits}${chunk.encoding === 'zst' ? '.zst' : ''}.age`;
}

/** Path of an entry's note. */
export function entryPath(entry: Entry): string {
  if (entry.kind === 'lucid/open/v1') return OPEN_PATH;
  return entry.kind === 'lucid/close/v1' ? CLOSE_PATH : partialPath(entry.number);
}

/** What `path` (with `/` between folders) stands for, or null when nothing of a bundle is called so. */
export function parseBundlePath(path: string): BundlePart | null {
  if (Object.hasOwn(FIXED, path)) return { part: FIXED[path] };
  const partial = PARTIAL.exec(path);
  if (partial) return { part: 'partial', number: Number(partial[1]) };
  const key = KEY.exec(path);
  if (key) return { part: 'key', key: key[1] as KeyName, grant: Number(key[2] ?? 0) };
  const chunk = CHUNK.exec(path);
  if (chunk === null) return null;
  return {
    part: 'chunk',
    stream: chunk[1] as Stream,
    index: Number(chunk[2]),
    encoding: chunk[3] === undefined ? 'raw' : 'zst',
  };
}

function checked(value: number, max: number, name: string): number {
  if (!(Number.isInteger(value) && value >= 0 && value <= max)) throw new RangeError(`${name} ${value}: 0 to ${max}`);
  return value;
}
