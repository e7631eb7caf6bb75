import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs } from '../../test/support/needs.ts';
import { player } from '../../test/support/recorded-session.ts';
import { type Entry, formatEntry, parseEntry } from './entry.ts';
import { hashLeaf, parseLeaves } from './leaf.ts';
import { MerkleTree } from './merkle.ts';
import { parseIdentityFile } from './node/age-keys.ts';
import { openBundleSource } from './node/bundle-source.ts';
import { sha256, verifyEd25519 } from './node/hash.ts';
import { verifyBundle } from './node/verify.ts';
import { openNote, parseVerifierKey } from './note.ts';
import { RecordType, readRecords } from './record.ts';
import { MARKER_KINDS } from './record-body.ts';
import { toHex, utf8 } from './text.ts';
import { formatTombstone, parseTombstone } from './tombstone.ts';

const root = new URL('../../', import.meta.url);
const document = readFileSync(new URL('docs/recording-format.md', root), 'utf8');
const bundle = fileURLToPath(new URL('vectors/recording/bundle', root));
const verifier = readFileSync(new URL('vectors/recording/node.verifier', root), 'utf8').trim();
const auditor = fileURLToPath(new URL('vectors/recording/auditor.txt', root));

/** The fenced blocks of the document that are marked `name`. */
function blocks(name: string): string[] {
  return [...document.matchAll(new RegExp(`^\`\`\`${name}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, text]) => text);
}

const block = (name: string) => {
  const [text, ...more] = blocks(name);
  assert.ok(text !== undefined && more.length === 0, `one block ${name}`);
  return text;
};
const lines = (name: string) => block(name).trimEnd().split('\n');

suite('the examples of docs/recording-format.md', () => {
  test('the record', () => {
    const [{ record }] = [...readRecords(Buffer.from(block('record').replaceAll(/\s/g, ''), 'hex'))];
    assert.deepEqual({ ...record, body: record.body.length }, { type: 2, flags: 0, time: 1_234_567, seq: 42, body: 8 });
  });

  test('leaves, their hashes and roots', () => {
    const leaves = parseLeaves(utf8(block('leaves')));
    const tree = new MerkleTree(sha256);
    for (const [i, leaf] of leaves.entries()) {
      assert.equal(toHex(hashLeaf(sha256, leaf)), lines('leaf-hashes')[i]);
      tree.append(hashLeaf(sha256, leaf));
      assert.equal(toHex(tree.root()), lines('roots')[i]);
    }
  });

  test('entries, which belong together', () => {
    const key = parseVerifierKey(sha256, block('verifier-key').trim());
    const entries = new Map<string, Entry>();
    const texts = new Map<string, string>();
    for (const name of ['open', 'partial', 'close']) {
      const { text } = openNote(utf8(block(name)), [key], { verify: verifyEd25519 });
      assert.equal(formatEntry(parseEntry(text)), text);
      entries.set(name, parseEntry(text));
      texts.set(name, text);
    }
    const [partial, close] = [entries.get('partial')!, entries.get('close')!];
    assert.ok(partial.kind === 'lucid/partial/v1' && close.kind === 'lucid/close/v1');
    assert.equal(toHex(partial.root), lines('roots')[partial.leaves - 1]);
    assert.equal(toHex(close.root), lines('roots')[close.leaves - 1]);
    assert.equal(toHex(close.open), toHex(sha256(utf8(texts.get('open')!))));
    const tombstone = parseTombstone(utf8(block('tombstone')));
    assert.equal(formatTombstone(tombstone), block('tombstone'));
    assert.equal(toHex(tombstone.close), toHex(sha256(utf8(texts.get('close')!))));
    assert.deepEqual([tombstone.session, tombstone.leaves, tombstone.root], [close.session, close.leaves, close.root]);
    const bytes = close.streams.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    assert.equal(tombstone.storedBytes, bytes);
  });

  test('every type of record and kind of marker is described', () => {
    for (const type of Object.values(RecordType)) assert.match(document, new RegExp(`\\| 0x0?${type.toString(16)} `));
    for (const kind of MARKER_KINDS) assert.ok(document.includes(`\`${kind}\``), kind);
  });
});

suite('vectors/recording', () => {
  test('is verified, and replays', () => {
    const source = openBundleSource(bundle);
    const steps = verifyBundle(source, {
      nodeKeys: [parseVerifierKey(sha256, verifier)],
      identities: parseIdentityFile(readFileSync(auditor, 'utf8')),
      player,
    });
    let step = steps.next();
    while (!step.done) step = steps.next();
    source.close();
    assert.equal(step.value.verdict, 'verified', JSON.stringify(step.value, null, 1));
    assert.equal(step.value.checks.at(-1)?.detail, '2 keyframes equal the replay in every pixel');
  });

  test('passes the commands of the document', { skip: needs('age', 'zstd') }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'lucid-document-'));
    const script = `set -eu\n${blocks('sh').join('\n')}`;
    const env = { ...process.env, KEY: verifier, IDENTITY: auditor, TMP: folder };
    const run = spawnSync('sh', ['-c', script], { cwd: bundle, env, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /Signature Verified Successfully/);
    const [leaf] = parseLeaves(readFileSync(join(bundle, 'leaves.txt')));
    assert.ok(run.stdout.includes(toHex(hashLeaf(sha256, leaf))));
    assert.match(run.stdout, /^0000000 .. 00 00 00 01 00 00 00/m);
  });
});
