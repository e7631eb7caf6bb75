/**
 * Checks that a recording made by Lucid is whole and unaltered, with Node.js alone: no key of a recipient is needed.
 *
 *   node verify.mjs <bundle folder> --node-key <verifier key> [--node-key <verifier key>]
 *
 * Exit code 0: verified; 1: something is wrong, each problem is told; 2: nothing is wrong, but something is missing.
 * The verifier key must come from elsewhere than the bundle, and so should this script: see README.txt.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

const STREAMS = ['screen', 'input', 'channels', 'keyframes', 'index'];
const FILE_NAME =
  /^(open\.note|close\.note|leaves\.txt|acts\.txt|tombstone\.txt|README\.txt|verify\.mjs|partial\/(0|[1-9]\d*)\.note|keys\/(screen|input|channels)\.age|(screen|input|channels|keyframes|index)\/\d{6}(\.zst)?\.age)$/;
const problems = [];
const missing = [];
const problem = (where, what) => problems.push(`${where}: ${what}`);

const { folder, nodeKeys } = readArguments(process.argv.slice(2));
const files = listFiles('');
const sums = new Map(files.filter((path) => path !== 'SHA256SUMS').map((path) => [path, sumOfFile(path)]));
checkSums();
const open = readEntry('open.note', 'lucid/open/v1');
const partials = readPartials();
const close = files.includes('close.note') ? readEntry('close.note', 'lucid/close/v1') : null;
const leaves = readLeaves();
/** Takes the place of the chunks and keys of a recording that was deleted. */
const tombstone = readTombstone();
checkEntries();
checkRoots();
checkChunks();
finish();

function readArguments(given) {
  const keys = [];
  let path;
  for (let i = 0; i < given.length; i++) {
    if (given[i] === '--node-key') keys.push(readVerifierKey(given[++i] ?? ''));
    else if (given[i].startsWith('-') || path !== undefined) usage(`cannot use ${given[i]}`);
    else path = given[i];
  }
  if (path === undefined || !statSync(path, { throwIfNoEntry: false })?.isDirectory())
    usage('name the folder of a bundle');
  return { folder: path, nodeKeys: keys };
}

function usage(why) {
  console.error(`verify: ${why}\nusage: node verify.mjs <bundle folder> --node-key <verifier key>`);
  process.exit(64);
}

/** name+hex8(key id)+base64(0x01 ‖ public key); the key id is the beginning of a hash over the rest. */
function readVerifierKey(text) {
  const [, name, id, base64] =
    /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text) ?? usage(`no verifier key: ${text}`);
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 33 || bytes[0] !== 1) usage(`no Ed25519 key: ${text}`);
  if (sha256(`${name}\n`, bytes).toString('hex', 0, 4) !== id) usage(`key id and key do not agree: ${text}`);
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.subarray(1).toString('base64url') };
  return { name, id, key: createPublicKey({ key: jwk, format: 'jwk' }) };
}

function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function listFiles(prefix) {
  const found = [];
  for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true })) {
    const path = prefix + entry.name;
    if (entry.isDirectory() && prefix === '') found.push(...listFiles(`${path}/`));
    else if (entry.isFile()) found.push(path);
    else problem(path, 'is neither a regular file nor a folder of the bundle');
  }
  return found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function sumOfFile(path) {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(1 << 20);
  const fd = openSync(join(folder, path), 'r');
  for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
    hash.update(buffer.subarray(0, count));
  closeSync(fd);
  return hash.digest('hex');
}

/** The lines of a text file, each of which must end in a line feed. */
function readLines(path) {
  if (!files.includes(path)) {
    problem(path, 'is missing');
    return [];
  }
  const lines = readFileSync(join(folder, path), 'utf8').split('\n');
  if (lines.pop() !== '') problem(path, 'does not end with a line feed: truncated');
  return lines;
}

/** Step 1: SHA256SUMS names every file, sorted, and each has its sum. */
function checkSums() {
  const listed = new Map();
  let previous = '';
  for (const [i, line] of readLines('SHA256SUMS').entries()) {
    const [, sum, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (path === undefined) problem(`SHA256SUMS line ${i + 1}`, 'wanted "<sha256>  <path>"');
    else if (i > 0 && Buffer.compare(Buffer.from(previous), Buffer.from(path)) >= 0)
      problem('SHA256SUMS', `${path} is not in order`);
    else listed.set(path, sum);
    previous = path ?? previous;
  }
  for (const [path, sum] of sums) {
    if (!FILE_NAME.test(path)) problem(path, 'no file of a bundle is called so');
    if (!listed.has(path)) problem(path, 'is not listed in SHA256SUMS');
    else if (listed.get(path) !== sum) problem(path, `its SHA-256 is ${sum}, SHA256SUMS says ${listed.get(path)}`);
  }
  for (const path of listed.keys()) if (!sums.has(path)) problem(path, 'is missing; SHA256SUMS lists it');
}

/**
 * Step 2: a signed note is text, an empty line, lines "— <name> <base64(4 bytes of key id ‖ signature)>"; the signature
 * covers the text with its last line feed. Returns the text's lines by their first word.
 */
function readEntry(path, kind) {
  if (!files.includes(path)) {
    problem(path, 'is missing');
    return null;
  }
  const bytes = readFileSync(join(folder, path));
  const note = bytes.toString('utf8');
  const split = note.lastIndexOf('\n\n');
  const text = note.slice(0, split + 1);
  const signatures = note.slice(split + 2).split('\n');
  if (split < 0 || signatures.pop() !== '' || signatures.length === 0 || !Buffer.from(note).equals(bytes)) {
    problem(path, 'is no signed note: altered or truncated');
    return null;
  }
  const lines = text.split('\n').slice(0, -1);
  const entry = {
    path,
    text,
    lines,
    value: (name) => lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1),
  };
  if (lines[0] !== kind) problem(path, `holds a ${lines[0]}, wanted ${kind}`);
  if (nodeKeys.length > 0 && !isSigned(path, text, signatures).includes(entry.value('node'))) {
    problem(path, `is not signed by ${entry.value('node')} with a key that was given`);
  }
  return entry;
}

/** Names of the given keys that signed; one that is wrong is a problem, unknown ones are ignored. */
function isSigned(path, text, signatures) {
  const signers = [];
  for (const line of signatures) {
    const [, name, base64] = /^— ([^+\s]+) ([A-Za-z0-9+/]+=*)$/.exec(line) ?? [];
    const bytes = Buffer.from(base64 ?? '', 'base64');
    if (bytes.length < 5 || bytes.toString('base64') !== base64) problem(path, 'has a malformed signature line');
    const known = nodeKeys.find((key) => key.name === name && key.id === bytes.toString('hex', 0, 4));
    if (known === undefined) continue;
    if (verify(null, Buffer.from(text), known.key, bytes.subarray(4))) signers.push(name);
    else problem(path, `the signature of ${name} is wrong`);
  }
  return signers;
}

function readPartials() {
  const numbers = files.flatMap((path) => /^partial\/(\d+)\.note$/.exec(path)?.[1] ?? []).map(Number);
  const read = numbers.sort((a, b) => a - b).map((number) => readEntry(`partial/${number}.note`, 'lucid/partial/v1'));
  for (const [i, entry] of read.entries()) {
    if (entry !== null && entry.value('partial') !== String(numbers[i])) {
      problem(entry.path, `holds the partial entry ${entry.value('partial')}`);
    }
  }
  return read.filter((entry) => entry !== null);
}

/** Entries belong to one session, none is missing, the keys are those that the open entry names. */
function checkEntries() {
  const session = (open ?? close)?.value('session');
  for (const entry of [...partials, close]) {
    if (entry && entry.value('session') !== session)
      problem(entry.path, `belongs to the session ${entry.value('session')}`);
  }
  if (open) {
    const keys = open.lines.filter((line) => line.startsWith('key ')).map((line) => line.split(' '));
    for (const [, name, , sum] of keys) {
      const path = `keys/${name}.age`;
      if (!sums.has(path)) {
        if (!tombstone) problem(path, 'is missing; open.note names it');
      } else if (sums.get(path) !== sum) problem(path, 'its SHA-256 is not the one in open.note');
    }
    for (const path of sums.keys()) {
      if (path.startsWith('keys/') && !keys.some(([, name]) => path === `keys/${name}.age`))
        problem(path, 'no entry vouches for it');
    }
  }
  if (!close) {
    missing.push('close.note: the session is still open, or its end was cut off');
    return;
  }
  if (open && sha256(open.text).toString('hex') !== close.value('open'))
    problem('close.note', 'closes another open entry');
  const count = Number(close.value('partials'));
  const present = new Set(files.flatMap((path) => /^partial\/(\d+)\.note$/.exec(path)?.[1] ?? []).map(Number));
  for (let number = 0; number < count; number++) {
    if (!present.has(number)) problem(`partial/${number}.note`, `is missing; close.note counts ${count} of them`);
  }
  for (const number of present)
    if (number >= count) problem(`partial/${number}.note`, `close.note counts ${count} of them`);
}

/** lucid-leaf/v1 <session> <stream> <index> <zst|raw> <stored bytes> <sha256> <first µs> <last µs> <records> */
function readLeaves() {
  return readLines('leaves.txt').flatMap((line, i) => {
    const number = '(0|[1-9]\\d{0,15})';
    const [, session, stream, index, encoding, bytes, sum] =
      new RegExp(
        `^lucid-leaf/v1 ([0-9a-f-]{36}) (${STREAMS.join('|')}) ${number} (zst|raw) ${number} ([0-9a-f]{64}) ${number} ${number} ${number}$`,
      ).exec(line) ?? [];
    if (sum === undefined) {
      problem(`leaves.txt line ${i + 1}`, 'is no leaf');
      return [];
    }
    if (session !== (open ?? close)?.value('session'))
      problem(`leaves.txt line ${i + 1}`, `belongs to the session ${session}`);
    const path = `${stream}/${index.padStart(6, '0')}${encoding === 'zst' ? '.zst' : ''}.age`;
    return [{ line, stream, index: Number(index), bytes: Number(bytes), sum, path }];
  });
}

/** Lines of a name and a value. It must be of this session and its close entry, with all leaves (their root: step 3). */
function readTombstone() {
  if (!files.includes('tombstone.txt')) return null;
  const [kind, ...lines] = readLines('tombstone.txt');
  const value = (name) => lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  if (kind !== 'lucid-tombstone/v1') problem('tombstone.txt', `begins with ${kind}`);
  if (!close) problem('tombstone.txt', 'only a closed session is deleted');
  else if (value('session') !== close.value('session') || value('close') !== sha256(close.text).toString('hex'))
    problem('tombstone.txt', 'is of another close.note');
  if (value('leaves') !== close?.value('leaves') || value('root') !== close?.value('root'))
    problem('tombstone.txt', 'speaks of other leaves than close.note');
  missing.push(
    `the chunks, deleted ${value('time')}, by ${value('by')}, reason ${value('reason')} (tombstone.txt, which is not signed)`,
  );
  return value;
}

/**
 * Step 3: the leaves give the root in the close entry; each partial root is that of the leaves until then. RFC 6962:
 * leaves and nodes are hashed with different prefixes; the roots of complete subtrees are kept, the largest first.
 */
function checkRoots() {
  const node = (left, right) => sha256(Uint8Array.of(1), left, right);
  const complete = [];
  let count = 0;
  const entries = [...partials, close].filter((entry) => entry !== null);
  for (const entry of entries.sort((a, b) => Number(a.value('leaves')) - Number(b.value('leaves')))) {
    const size = Number(entry.value('leaves'));
    for (; count < Math.min(size, leaves.length); count++) {
      let hash = sha256(Uint8Array.of(0), leaves[count].line);
      for (let bits = count; bits % 2 === 1; bits = (bits - 1) / 2) hash = node(complete.pop(), hash);
      complete.push(hash);
    }
    const root = count === 0 ? sha256('') : complete.reduceRight((right, left) => node(left, right));
    if (size > leaves.length) problem('leaves.txt', `has ${leaves.length} leaves, ${entry.path} signs ${size}`);
    else if (root.toString('hex') !== entry.value('root')) {
      problem('leaves.txt', `the first ${size} leaves are not those that ${entry.path} signs`);
    }
  }
  if (close && leaves.length > Number(close.value('leaves')))
    problem('leaves.txt', 'has more leaves than close.note signs');
}

/** Each leaf's chunk is there with its size and hash, and none without a leaf; indices have no gap. */
function checkChunks() {
  const known = new Set();
  for (const { path, bytes, sum } of leaves) {
    if (known.has(path)) problem(path, 'has two leaves');
    known.add(path);
    if (!sums.has(path)) {
      if (!tombstone) problem(path, 'is missing; it has a leaf');
      continue;
    }
    if (statSync(join(folder, path)).size !== bytes || sums.get(path) !== sum) {
      problem(path, `is not the chunk that its leaf stands for (SHA-256 ${sum})`);
    }
  }
  for (const path of sums.keys()) {
    if (STREAMS.includes(path.split('/')[0]) && !known.has(path)) problem(path, 'has no leaf');
  }
  for (const stream of STREAMS) {
    const indices = leaves.filter((leaf) => leaf.stream === stream).map((leaf) => leaf.index);
    indices.sort((a, b) => a - b);
    const gap = indices.findIndex((index, i) => index !== i);
    if (gap >= 0) problem(stream, `chunk ${gap} is missing or there twice`);
  }
}

function finish() {
  if (nodeKeys.length === 0) missing.push('--node-key: the signatures were not checked');
  for (const line of problems) console.log(`WRONG    ${line}`);
  for (const line of missing) console.log(`MISSING  ${line}`);
  const what = `session ${(open ?? close)?.value('session')}, ${leaves.length} chunks, ${partials.length} partial entries`;
  const verdict = problems.length > 0 ? 'FAILED' : missing.length > 0 ? 'INCOMPLETE' : 'VERIFIED';
  console.log(`${verdict}: ${what}; not ledgered, not anchored; contents not looked at`);
  process.exitCode = problems.length > 0 ? 1 : missing.length > 0 ? 2 : 0;
}
