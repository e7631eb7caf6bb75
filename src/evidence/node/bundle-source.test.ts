import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '#evidence/format-error.ts';
import { type BundleSource, openBundleSource } from './bundle-source.ts';
import { formatTarHeader, parseTarHeader, tarPadding } from './tar.ts';

const folder = mkdtempSync(join(tmpdir(), 'lucid-source-'));
after(() => rmSync(folder, { recursive: true }));
const archive = join(folder, 'archive.tar');

/** An archive of these files, or of raw header blocks. */
function tar(...files: [path: string, content: string][]): Buffer {
  const parts = files.flatMap(([path, content]) => {
    const bytes = Buffer.from(content);
    return [formatTarHeader(path, bytes.length), bytes, Buffer.alloc(tarPadding(bytes.length))];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function open(bytes: Uint8Array): BundleSource {
  writeFileSync(archive, bytes);
  return openBundleSource(archive);
}

const contents = (source: BundleSource) =>
  Object.fromEntries(source.paths.map((path) => [path, source.read(path, 1e6).toString()]));

/** A header with one byte changed and its checksum made anew. */
function changedHeader(path: string, at: number, text: string): Buffer {
  const header = formatTarHeader(path, 0);
  header.write(text, at, 'latin1');
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

suite('folders', () => {
  test('are read, sorted', () => {
    const bundle = join(folder, 'bundle');
    mkdirSync(join(bundle, 'screen'), { recursive: true });
    writeFileSync(join(bundle, 'screen', 'b'), 'two');
    writeFileSync(join(bundle, 'open.note'), 'one');
    assert.deepEqual(contents(openBundleSource(bundle)), { 'open.note': 'one', 'screen/b': 'two' });
    assert.throws(() => openBundleSource(bundle).read('open.note', 2), /3 bytes, at most 2/);
    assert.throws(() => openBundleSource(bundle).read('close.note', 2), /close\.note: is missing/);
  });

  test('with links are refused: nothing outside is ever read', () => {
    const bundle = join(folder, 'linked');
    mkdirSync(bundle);
    symlinkSync('/etc/passwd', join(bundle, 'open.note'));
    assert.throws(() => openBundleSource(bundle), /open\.note: is neither a regular file/);
  });
});

suite('archives', () => {
  test('are read; a folder around all files is left out', () => {
    const files: [string, string][] = [
      ['screen/x', 'a'.repeat(2000)],
      ['open.note', ''],
    ];
    assert.deepEqual(contents(open(tar(...files))), { 'open.note': '', 'screen/x': 'a'.repeat(2000) });
    const within = files.map(([path, content]): [string, string] => [`session/${path}`, content]);
    assert.deepEqual(Object.keys(contents(open(tar(...within)))), ['open.note', 'screen/x']);
    const dotted = files.map(([path, content]): [string, string] => [`./${path}`, content]);
    assert.deepEqual(Object.keys(contents(open(tar(...dotted)))), ['open.note', 'screen/x']);
  });

  test('that hold a file twice are refused', () => {
    assert.throws(() => open(tar(['open.note', '1'], ['open.note', '2'])), /"open\.note" twice/);
  });

  test('that hold links, devices or other names for files are refused', () => {
    assert.throws(() => open(changedHeader('open.note', 156, '2')), /tar\.type/);
    assert.throws(() => open(changedHeader('open.note', 156, '3')), /tar\.type/);
    const pax = '17 path=leaves.txt\n';
    const header = formatTarHeader('extension', pax.length);
    const extension = changedHeader('extension', 124, header.toString('latin1', 124, 136).slice(0, 11));
    extension.write('x', 156);
    extension.fill(0x20, 148, 156);
    extension.write(
      `${extension
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    const block = Buffer.alloc(512);
    block.write(pax);
    assert.throws(() => open(Buffer.concat([extension, block, tar(['open.note', ''])])), /renames or resizes/);
  });

  test('that are cut short or damaged are refused', () => {
    const whole = tar(['open.note', 'x'.repeat(600)], ['leaves.txt', 'y']);
    for (const length of [0, 100, 511, 512, 800, 1536, 2000, 2560]) {
      assert.throws(() => open(whole.subarray(0, length)), FormatError, `${length} bytes`);
    }
    assert.throws(() => open(Buffer.from('no archive at all'.repeat(100))), FormatError);
    const changed = Buffer.from(whole);
    changed[3] ^= 1;
    assert.throws(() => open(changed), /tar\.checksum/);
  });

  test('of tar itself are read, in each of its formats', () => {
    const bundle = join(folder, 'formats');
    mkdirSync(join(bundle, 'screen'), { recursive: true });
    writeFileSync(join(bundle, 'open.note'), 'one');
    writeFileSync(join(bundle, 'screen', '000000.zst.age'), 'two');
    for (const format of ['ustar', 'gnu', 'pax', 'v7']) {
      const run = spawnSync('tar', [`--format=${format}`, '-cf', archive, '-C', folder, 'formats']);
      assert.equal(run.status, 0, String(run.stderr));
      assert.deepEqual(contents(openBundleSource(archive)), { 'open.note': 'one', 'screen/000000.zst.age': 'two' });
    }
  });

  test('noise is no archive', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (block) => {
        if (block.some((byte) => byte !== 0)) assert.throws(() => parseTarHeader(block), FormatError);
      }),
    );
    fc.assert(
      fc.property(fc.nat(511), fc.nat(255), (at, value) => {
        const header = formatTarHeader('screen/000000.zst.age', 1234);
        header[at] = value;
        try {
          parseTarHeader(header);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
    );
  });
});
