import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { openNote, parseVerifierKey } from '#evidence/note.ts';
import { utf8 } from '#evidence/text.ts';
import { writeDurably } from './durable-file.ts';
import { sha256, verifyEd25519 } from './hash.ts';
import { createSigner, loadSigner, signEntry, verifierFile } from './signing.ts';

const folder = mkdtempSync(join(tmpdir(), 'lucid-signing-'));
after(() => rmSync(folder, { recursive: true }));

suite('signing keys', () => {
  const path = join(folder, 'keys', 'node.pem');
  const signer = createSigner(path, 'lucid.example/node');

  test('are for the owner alone, and are loaded again', () => {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const loaded = loadSigner(path);
    assert.equal(loaded.verifier, signer.verifier);
    const key = parseVerifierKey(sha256, readFileSync(verifierFile(path), 'utf8').trim());
    assert.equal(openNote(utf8(loaded.sign('text\n')), [key], { verify: verifyEd25519 }).text, 'text\n');
  });

  test('are never overwritten', () => {
    assert.throws(() => createSigner(path, 'lucid.example/node'), /never overwritten/);
  });

  test('that others can read are refused', () => {
    const open = join(folder, 'open.pem');
    createSigner(open, 'n');
    chmodSync(open, 0o644);
    assert.throws(() => loadSigner(open), /chmod 600/);
  });

  test('must be those of the verifier key beside them', () => {
    const other = join(folder, 'other.pem');
    createSigner(other, 'n');
    writeFileSync(verifierFile(other), `${signer.verifier}\n`);
    assert.throws(() => loadSigner(other), /is not the verifier key/);
  });

  test('sign entries of their own node only', () => {
    const head = { session: '0190f3c8-0000-7000-8000-000000000001', node: 'other', time: '2026-01-31T09:30:00.000Z' };
    const entry = { kind: 'lucid/partial/v1', ...head, number: 0, leaves: 0, root: sha256() } as const;
    assert.throws(() => signEntry(signer, entry), /entry of other, key of lucid\.example\/node/);
  });
});

test('a durable file appears whole, in folders that are made, and replaces what was there', () => {
  const path = join(folder, 'a', 'b', 'file');
  writeDurably(path, utf8('one'));
  writeDurably(path, Buffer.alloc(100_000, 2));
  assert.deepEqual(readFileSync(path), Buffer.alloc(100_000, 2));
  assert.deepEqual(readdirSync(join(folder, 'a', 'b')), ['file']);
});
