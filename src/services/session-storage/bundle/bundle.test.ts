import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { needs } from '../../../../test/support/needs.ts';
import { recordSession } from '../../../../test/support/recorded-session.ts';
import { verifyFully } from '../../../../test/support/store.ts';
import { SessionPlace } from '../session-place.ts';
import { Bundle } from './bundle.ts';
import { type Member, memoryMember } from './member.ts';
import type { Segment } from './segment.ts';
import { zipSegments } from './zip-segments.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-archive-'));
after(() => rmSync(root, { recursive: true }));
const session = recordSession(root, { runs: 3 });
const place = new SessionPlace(session.id, session.folder, null);
const whole = new Set<string>();

for (const format of ['tar', 'zip'] as const) {
  test(`a ${format} archive has the length that was told, and any range of it is the same bytes`, async () => {
    const bundle = await Bundle.open(place, format, whole);
    const bytes = await buffer(bundle.read());
    assert.equal(bytes.length, await bundle.length());
    assert.equal((await Bundle.open(place, format, whole)).etag, bundle.etag);
    assert.equal(bundle.isStable, true);
    const edge = fc.nat(bytes.length);
    await fc.assert(
      fc.asyncProperty(edge, edge, async (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        assert.ok((await buffer(bundle.read(from, to))).equals(bytes.subarray(from, to)), `${from} to ${to}`);
      }),
      {
        numRuns: 60,
        examples: [
          [0, 0],
          [0, 1],
          [bytes.length - 1, bytes.length],
          [512, 1024],
        ],
      },
    );
  });
}

test('a tar archive is verified, and so is what tar makes of it', async () => {
  const file = join(root, 'bundle.tar');
  writeFileSync(file, await buffer((await Bundle.open(place, 'tar', whole)).read()));
  assert.equal(verifyFully(file, session).verdict, 'verified');
  const folder = join(root, 'untarred');
  mkdirSync(folder);
  execFileSync('tar', ['-xf', file, '-C', folder]);
  assert.equal(verifyFully(folder, session).verdict, 'verified');
});

test('a zip archive unpacks to a bundle that is verified', { skip: needs('python3') }, async () => {
  const file = join(root, 'bundle.zip');
  writeFileSync(file, await buffer((await Bundle.open(place, 'zip', whole)).read()));
  execFileSync('python3', ['-m', 'zipfile', '-t', file]);
  const folder = join(root, 'unzipped');
  execFileSync('python3', ['-m', 'zipfile', '-e', file, folder]);
  assert.equal(verifyFully(folder, session).verdict, 'verified');
});

test('a live session has a bundle too, of what is stored and signed so far', async () => {
  const live = recordSession(root, { runs: 2, closed: false, signer: session.signer, auditor: session.auditor });
  const bundle = await Bundle.open(new SessionPlace(live.id, live.folder, null), 'tar', whole);
  assert.equal(bundle.isStable, false);
  const file = join(root, 'live.tar');
  writeFileSync(file, await buffer(bundle.read()));
  const report = verifyFully(file, live);
  assert.equal(report.verdict, 'incomplete');
  assert.match(report.missing.join(), /close.note/);
});

test('a chunk that is missing breaks the download off by name; known as damaged it is left out, and missed by name', async () => {
  const hurt = recordSession(root, { signer: session.signer, auditor: session.auditor });
  const hurtPlace = new SessionPlace(hurt.id, hurt.folder, null);
  const [path] = ['screen/000001.zst.age'];
  rmSync(join(hurt.folder, path));
  const before = await Bundle.open(hurtPlace, 'tar', whole);
  await assert.rejects(buffer(before.read()), { code: 'not_found', message: new RegExp(`${path} .* is missing`) });
  const known = await Bundle.open(hurtPlace, 'tar', new Set([path]));
  assert.notEqual(known.etag, before.etag);
  const file = join(root, 'hurt.tar');
  writeFileSync(file, await buffer(known.read()));
  assert.equal((await buffer(known.read())).length, await known.length());
  const report = verifyFully(file, hurt);
  assert.equal(report.verdict, 'failed');
  assert.ok(report.checks.some(({ problems }) => problems.some(({ where }) => where === path)));
});

/** Writes an archive whose large members are holes. */
async function writeSparse(path: string, segments: AsyncIterable<Segment>): Promise<void> {
  const file = openSync(path, 'w');
  let at = 0;
  for await (const { length, read } of segments) {
    if (length < 1_000_000) {
      let offset = at;
      for await (const piece of read(0)) offset += writeSync(file, piece, 0, piece.length, offset);
    }
    at += length;
  }
  ftruncateSync(file, at);
  closeSync(file);
}

const hole = (path: string, size: number): Member => ({
  path,
  size,
  leafSum: null,
  sha256: async () => '',
  async *read() {},
});

test('zip archives beyond 4 GiB and beyond 65,535 members are read by others', { skip: needs('python3') }, async () => {
  const large = join(root, 'large.zip');
  const size = 2.5 * 1024 ** 3;
  await writeSparse(
    large,
    zipSegments(async function* () {
      yield hole('screen/000000.age', size);
      yield hole('screen/000001.age', size);
      yield memoryMember('leaves.txt', Buffer.from('after five gigabytes'));
    }),
  );
  const read = `import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
print(len(archive.namelist()), archive.read(archive.namelist()[-1]).decode())`;
  assert.equal(String(execFileSync('python3', ['-c', read, large])), '3 after five gigabytes\n');

  const many = join(root, 'many.zip');
  await writeSparse(
    many,
    zipSegments(async function* () {
      for (let i = 0; i < 70_000; i++) yield memoryMember(`partial/${i}.note`, Buffer.from(String(i)));
    }),
  );
  assert.equal(String(execFileSync('python3', ['-c', read, many])), '70000 69999\n');
});
