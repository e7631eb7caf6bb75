/** Exports a session's evidence as a bundle: the store's files, their sums, plain words and the small verifier. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  LEAVES_PATH,
  OPEN_PATH,
  parseBundlePath,
  README_PATH,
  SUMS_PATH,
  VERIFIER_PATH,
} from '#evidence/bundle-layout.ts';
import { type OpenEntry, parseEntry } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import { parseNote } from '#evidence/note.ts';
import { bundleReadme } from './bundle-readme.ts';
import { type BundleSource, byBytes, openBundleSource } from './bundle-source.ts';

/** What is taken from the store; the rest is made anew. */
const STORED_PARTS = ['open', 'partial', 'close', 'leaves', 'tombstone', 'key', 'chunk'];

/** One file of a bundle, its bytes piece by piece. */
interface BundleFile {
  readonly path: string;
  readonly size: number;
  readonly pieces: Iterable<Uint8Array>;
}

/**
 * Exports the evidence in `store` to the folder `target`, which must not exist.
 * @throws FormatError when the evidence is not even begun: no open entry
 */
export function exportBundle(store: string, target: string): void {
  if (existsSync(target)) throw new Error(`${target} exists: a bundle is written to a new folder`);
  for (const { path, pieces } of bundleFiles(store)) {
    const file = join(target, path);
    mkdirSync(dirname(file), { recursive: true });
    const fd = openSync(file, 'wx');
    try {
      for (const piece of pieces) writeFileSync(fd, piece);
    } finally {
      closeSync(fd);
    }
  }
}

/** The bundle's files; SHA256SUMS comes last, since it is made of what went before. */
function* bundleFiles(store: string): Generator<BundleFile, void, undefined> {
  const source = openBundleSource(store);
  try {
    const sums: [path: string, sum: string][] = [];
    for (const file of [...storedFiles(source), ...madeFiles(source)]) {
      const hash = createHash('sha256');
      yield { ...file, pieces: hashed(file.pieces, (piece) => hash.update(piece)) };
      sums.push([file.path, hash.digest('hex')]);
    }
    sums.sort(([a], [b]) => byBytes(a, b));
    yield inMemory(SUMS_PATH, sums.map(([path, sum]) => `${sum}  ${path}\n`).join(''));
  } finally {
    source.close();
  }
}

/** Entries, keys, leaves and chunks. Temporary files of a session that still runs are no part of it. */
function storedFiles(source: BundleSource): BundleFile[] {
  return source.paths
    .filter((path) => STORED_PARTS.includes(parseBundlePath(path)?.part ?? 'none'))
    .map((path) => ({ path, size: source.size(path), pieces: source.pieces(path) }));
}

/** What every bundle has beside the store's files: plain words, and the small verifier. */
export function addedFiles(open: OpenEntry): { path: string; text: string }[] {
  const verifier = readFileSync(new URL(VERIFIER_PATH, import.meta.url), 'utf8');
  return [
    { path: README_PATH, text: bundleReadme(open) },
    { path: VERIFIER_PATH, text: verifier },
  ];
}

function madeFiles(source: BundleSource): BundleFile[] {
  const entry = parseEntry(parseNote(source.read(OPEN_PATH, 1024 * 1024)).text);
  if (entry.kind !== 'lucid/open/v1') throw new FormatError(OPEN_PATH, `holds a ${entry.kind}`);
  const files = addedFiles(entry).map(({ path, text }) => inMemory(path, text));
  // A session without a chunk has no leaves yet; the empty list says so.
  return source.has(LEAVES_PATH) ? files : [...files, inMemory(LEAVES_PATH, '')];
}

function inMemory(path: string, text: string): BundleFile {
  const bytes = Buffer.from(text);
  return { path, size: bytes.length, pieces: [bytes] };
}

function* hashed(pieces: Iterable<Uint8Array>, update: (piece: Uint8Array) => void): Generator<Uint8Array> {
  for (const piece of pieces) {
    update(piece);
    yield piece;
  }
}
