import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeFolders } from './files.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-files-'));
after(() => rmSync(root, { recursive: true }));

test('folders are made with those above them, and said to be there when they are', () => {
  const path = join(root, 'a', 'b', 'c');
  assert.equal(makeFolders(path), join(root, 'a'));
  assert.equal(makeFolders(path), undefined);
  assert.equal(statSync(path).mode & 0o777, 0o700);
});

test('where nothing can be made, the system says why', { skip: process.platform !== 'linux' }, () => {
  assert.throws(() => makeFolders('/proc/lucid/data'), { code: 'ENOENT' });
  writeFileSync(join(root, 'file'), '');
  assert.throws(() => makeFolders(join(root, 'file', 'data')), { code: 'ENOTDIR' });
});
