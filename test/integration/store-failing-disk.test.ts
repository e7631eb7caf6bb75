/** The store on disks that are full, slow or failing. What fails is the machine's own system call, in a process apart. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { newId } from '#platform/id.ts';
import { needs } from '../support/needs.ts';

const run = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), 'lucid-store-disk-'));
after(() => rmSync(root, { recursive: true }));
const child = new URL('../support/store-child.ts', import.meta.url).pathname;

interface Put {
  stored: number;
  error: { code: string; message: string } | null;
  times: number[];
}

/** Runs the child, under `prefix`. */
async function store(prefix: readonly string[], folder: string, session: string, ...work: string[]) {
  const [command, ...args] = [...prefix, process.execPath, ...process.execArgv, child, folder, session, ...work];
  const { stdout } = await run(command, args, { env: { ...process.env, NODE_OPTIONS: '' } });
  return JSON.parse(stdout);
}

/** Has system calls fail, or take their time, that touch these paths; all of them, if none is given. */
function strace(inject: string, ...paths: string[]): string[] {
  const calls = inject.slice(0, inject.indexOf(':'));
  return [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    `-etrace=${calls}`,
    `-einject=${inject}`,
    ...paths.flatMap((path) => ['-P', path]),
  ];
}

function newStore() {
  const folder = mkdtempSync(join(root, 'store-'));
  const session = newId();
  return { folder, session, home: join(folder, 'sessions', session) };
}

test('a full disk refuses chunks in words, loses none that it took, and goes on once there is room', {
  skip: needs('bwrap'),
}, async () => {
  const { folder, session } = newStore();
  const small = ['bwrap', '--dev-bind', '/', '/', '--size', String(6 * 1024 * 1024), '--tmpfs', folder];
  const { full, health, refusals, after, healthAfter, leaves, problems } = await store(small, folder, session, 'fill');
  assert.ok(full.stored > 5, `${full.stored} chunks fit`);
  assert.deepEqual(full.error, {
    code: 'storage_full',
    message: 'the disk of the store is full: free space, or move the store',
  });
  assert.deepEqual([health.status, refusals.length], ['unhealthy', 1]);
  assert.equal((after as Put).error, null, 'the same chunk is taken once there is room');
  assert.equal(healthAfter.status, 'healthy');
  assert.equal(leaves, full.stored + 1);
  assert.deepEqual(problems, [], 'every chunk that has a leaf is whole');
});

for (const [what, inject, pathOf] of [
  ['the sync of a chunk', 'fsync:error=EIO', (home: string) => join(home, 'screen', '000003.age.tmp')],
  ['the write of a chunk', 'write:error=EIO', (home: string) => join(home, 'screen', '000003.age.tmp')],
  ['the rename of a chunk', 'rename:error=EIO', (home: string) => join(home, 'screen', '000003.age.tmp')],
] as const) {
  test(`EIO in ${what} is told, and the next start takes the chunk`, { skip: needs('strace') }, async () => {
    const { folder, session, home } = newStore();
    mkdirSync(join(home, 'screen'), { recursive: true });
    const failed = await store(strace(inject, pathOf(home)), folder, session, 'put', '6');
    assert.equal(failed.stored, 3);
    assert.equal(failed.error.code, 'unavailable');
    assert.match(failed.error.message, /the store's disk fails: EIO/);
    assert.deepEqual([failed.health.status, failed.leaves, failed.problems], ['unhealthy', 3, []]);
    const again = await store([], folder, session, 'put', '6');
    assert.deepEqual([again.stored, again.error, again.problems], [6, null, []]);
  });
}

test('EIO in the sync of a leaf is told; nothing that was acknowledged is lost', {
  skip: needs('strace'),
}, async () => {
  const { folder, session, home } = newStore();
  await store([], folder, session, 'put', '2');
  const failed = await store(strace('fdatasync:error=EIO', join(home, 'leaves.txt')), folder, session, 'put', '6');
  assert.deepEqual([failed.stored, failed.error.code], [2, 'unavailable']);
  const again = await store([], folder, session, 'put', '6');
  assert.deepEqual([again.leaves, again.error, again.problems], [6, null, []]);
});

test('a chunk that cannot be read is named by the check', { skip: needs('strace') }, async () => {
  const { folder, session, home } = newStore();
  await store([], folder, session, 'put', '4');
  const path = join(home, 'screen', '000002.age');
  const { problems } = await store(strace('pread64:error=EIO', path), folder, session, 'check');
  assert.deepEqual(problems, ["screen/000002.age: unreadable: the store's disk fails: EIO: i/o error, read"]);
  assert.deepEqual((await store([], folder, session, 'check')).problems, []);
});

test('a disk whose every sync takes 100 ms is slow, and holds up nothing but the chunk', {
  skip: needs('strace'),
}, async () => {
  const { folder, session } = newStore();
  const slow = await store(strace('fsync,fdatasync:delay_exit=100000'), folder, session, 'put', '4');
  assert.deepEqual([slow.stored, slow.error, slow.problems, slow.health.status], [4, null, [], 'healthy']);
  for (const ms of slow.times) assert.ok(ms > 250, `${ms} ms for three syncs`);
  assert.ok(slow.blockedMs < 75, `everything else waited ${slow.blockedMs} ms`);
});
