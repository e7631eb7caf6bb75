import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { untar } from './untar.ts';

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'lucid-untar-'));
}

/** The archive in parts of `size` bytes. */
async function* parts(archive: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < archive.length; at += size) yield archive.subarray(at, at + size);
}

function pack(): Buffer {
  const source = folder();
  mkdirSync(join(source, 'screen'));
  writeFileSync(join(source, 'open.note'), 'note\n');
  writeFileSync(join(source, 'empty'), '');
  writeFileSync(join(source, 'screen', '000000.zst.age'), Buffer.alloc(1000, 7));
  return execFileSync('tar', ['--format=ustar', '-C', source, '-cf', '-', 'open.note', 'empty', 'screen']);
}

/** Gives the first header other fields, and the checksum that fits them. */
function forge(archive: Buffer, change: (header: Buffer) => void): Buffer {
  const forged = Buffer.from(archive);
  const header = forged.subarray(0, 512);
  change(header);
  header.write('        ', 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return forged;
}

test('what tar packs is unpacked, in parts of any size', async () => {
  const archive = pack();
  for (const size of [1, 511, 512, 4096, archive.length]) {
    const target = folder();
    assert.equal(await untar(parts(archive, size), target), 3);
    assert.equal(readFileSync(join(target, 'open.note'), 'utf8'), 'note\n');
    assert.equal(readFileSync(join(target, 'empty')).length, 0);
    assert.deepEqual(readFileSync(join(target, 'screen', '000000.zst.age')), Buffer.alloc(1000, 7));
  }
});

test('names that lead elsewhere, links and damage are refused', async () => {
  const archive = pack();
  const name = (value: string) => forge(archive, (header) => header.fill(0, 0, 100).write(value, 0));
  for (const bad of ['../x', '/etc/x', 'a/../../x', '.hidden', 'a//b', 'a\\b', '']) {
    const target = folder();
    await assert.rejects(untar(parts(name(bad), 512), target), /refused/);
    assert.ok(!existsSync(join(target, '..', 'x')));
  }
  const link = forge(archive, (header) => header.write('2', 156));
  await assert.rejects(untar(parts(link, 512), folder()), /wanted a regular file/);
  const damaged = Buffer.from(archive);
  damaged[0] ^= 1;
  await assert.rejects(untar(parts(damaged, 512), folder()), /damaged one/);
});

test('an archive that breaks off is refused, wherever it does', async () => {
  const archive = pack();
  for (const length of [0, 100, 512, 514, 1024]) {
    await assert.rejects(untar(parts(archive.subarray(0, length), 300), folder()), /breaks off/);
  }
});
