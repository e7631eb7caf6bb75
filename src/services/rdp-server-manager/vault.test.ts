import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Vault } from './vault.ts';

const folder = mkdtempSync(join(tmpdir(), 'lucid-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'vault.key');

test('what is sealed opens for its owner, also after the vault was closed', () => {
  const sealed = Vault.open(file).seal('a', 'päss wörd');
  assert.equal(Vault.open(file).open('a', sealed), 'päss wörd');
  assert.ok(!Buffer.from(sealed, 'base64').includes('wörd'));
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('the same secret is sealed differently each time', () => {
  const vault = Vault.open(file);
  assert.notEqual(vault.seal('a', 'x'), vault.seal('a', 'x'));
});

test('it opens for nobody else, with no other key, and not when a byte was changed', () => {
  const vault = Vault.open(file);
  const sealed = vault.seal('a', 'secret');
  assert.throws(() => vault.open('b', sealed));
  assert.throws(() => Vault.open(join(folder, 'other.key')).open('a', sealed));
  const bytes = Buffer.from(sealed, 'base64');
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i] ^= 1;
    assert.throws(() => vault.open('a', changed.toString('base64')), `byte ${i}`);
  }
  assert.throws(() => vault.open('a', ''), /damaged/);
});

test('a file that is no key is refused', () => {
  writeFileSync(join(folder, 'bad.key'), 'short');
  assert.throws(() => Vault.open(join(folder, 'bad.key')), /has 5 bytes, a vault key has 32/);
});
