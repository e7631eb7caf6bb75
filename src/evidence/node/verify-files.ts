/** Check `files`: SHA256SUMS names every file of the bundle, each has that sum, and each is called as a bundle's files are. */
import { createHash } from 'node:crypto';
import { parseBundlePath, SUMS_PATH } from '#evidence/bundle-layout.ts';
import { FormatError } from '#evidence/format-error.ts';
import { quote, readUtf8 } from '#evidence/text.ts';
import { type BundleSource, byBytes } from './bundle-source.ts';
import { type Check, Findings, type VerifyProgress } from './verify-report.ts';

const MAX_SUMS_BYTES = 256 * 1024 * 1024;

/** SHA-256 of each file, in hexadecimal, by path. */
export type Sums = ReadonlyMap<string, string>;

/** Hashes every file once; the sums serve the later checks too. */
export function* checkFiles(source: BundleSource): Generator<VerifyProgress, { check: Check; sums: Sums }, undefined> {
  const findings = new Findings('files');
  const listed = readSums(source, findings);
  const sums = new Map<string, string>();
  const paths = source.paths.filter((path) => path !== SUMS_PATH);
  const total = paths.reduce((bytes, path) => bytes + source.size(path), 0);
  let done = 0;
  for (const path of paths) {
    const hash = createHash('sha256');
    for (const piece of source.pieces(path)) {
      hash.update(piece);
      done += piece.length;
      yield { check: 'files', done, total };
    }
    const sum = hash.digest('hex');
    sums.set(path, sum);
    const wanted = listed.get(path);
    if (parseBundlePath(path) === null) findings.add(path, 'no file of a bundle is called so');
    if (wanted === undefined) findings.add(path, `is not listed in ${SUMS_PATH}`);
    else if (sum !== wanted) findings.add(path, `its SHA-256 is ${sum}, ${SUMS_PATH} says ${wanted}`);
  }
  for (const path of listed.keys()) {
    if (!source.has(path)) findings.add(path, `is missing; ${SUMS_PATH} lists it`);
  }
  return { check: findings.passedOrFailed(`${paths.length} files against ${SUMS_PATH}`), sums };
}

function readSums(source: BundleSource, findings: Findings): Map<string, string> {
  try {
    return parseSums(source.read(SUMS_PATH, MAX_SUMS_BYTES));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    findings.add(SUMS_PATH, cause.message);
    return new Map();
  }
}

/**
 * Reads SHA256SUMS: lines `<sha256>  <path>`, sorted by the paths' bytes.
 * @throws FormatError naming the line
 */
export function parseSums(bytes: Uint8Array): Map<string, string> {
  const lines = readUtf8(bytes, SUMS_PATH).split('\n');
  if (lines.pop() !== '') throw new FormatError(SUMS_PATH, 'does not end with a line feed: truncated');
  const sums = new Map<string, string>();
  let previous = '';
  for (const [i, line] of lines.entries()) {
    const [, sum, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (path === undefined)
      throw new FormatError(`${SUMS_PATH} line ${i + 1}`, `${quote(line)}, wanted "<sha256>  <path>"`);
    if (i > 0 && byBytes(previous, path) >= 0) throw new FormatError(`${SUMS_PATH} line ${i + 1}`, 'not in order');
    previous = path;
    sums.set(path, sum);
  }
  return sums;
}
