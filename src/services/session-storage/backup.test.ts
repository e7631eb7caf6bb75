import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { CLOSE_PATH } from '#evidence/bundle-layout.ts';
import { FormatError } from '#evidence/format-error.ts';
import { recordSession } from '../../../test/support/recorded-session.ts';
import { openStore, recordStore, silent, verifyFully } from '../../../test/support/store.ts';
import { Archive } from './archive.ts';
import { backUpStore } from './backup.ts';
import { Bundle } from './bundle/bundle.ts';
import { checkSession } from './check-session.ts';
import { FinishedSessions } from './finished-sessions.ts';
import { Mover } from './mover.ts';
import { restoreBackup } from './restore-backup.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-backup-'));
after(() => rmSync(root, { recursive: true }));
const grounds = { by: null, reason: 'test' };

async function* pieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const emptyFolder = () => mkdtempSync(join(root, 'restored-'));

/** Restores into a new folder, and opens it. */
async function restore(backup: Uint8Array) {
  const folder = emptyFolder();
  const report = await restoreBackup(pieces(backup), folder);
  return { report, ...(await openStore(folder)) };
}

/** The backup is refused, and nothing of it is left. */
async function assertRefused(backup: Uint8Array, words: RegExp): Promise<void> {
  const folder = emptyFolder();
  await assert.rejects(restoreBackup(pieces(backup), folder), (error: Error) => {
    assert.ok(error instanceof FormatError, error.stack);
    assert.match(error.message, words);
    return true;
  });
  assert.deepEqual(readdirSync(folder), []);
}

test('all kinds of sessions come back as they were, each a bundle that can be verified by itself', async () => {
  const { folder, recorded } = recordStore(root, 4);
  const live = recordSession(join(folder, 'sessions'), { closed: false, signer: recorded[0].signer });
  const archive = new Archive(`${folder}-archive`);
  await archive.prepare(false);
  const { store, index, database, close } = await openStore(folder, archive);
  const finished = new FinishedSessions(store);
  const [plain, held, deleted, archived] = recorded;
  await finished.hold(held.id, grounds);
  await finished.delete(deleted.id, grounds);
  const mover = new Mover({ database, store, log: silent, archiveDays: 0, onDamage: () => {} });
  await mover.request(archived.id, 'archive', grounds);
  await mover.work();
  const before = (await index.list({})).items;
  const backup = await buffer(backUpStore(store));

  const { report, ...again } = await restore(backup);
  assert.deepEqual([report.sessions, report.damaged], [5, []]);
  const inStore = (await again.index.list({})).items;
  assert.deepEqual(
    inStore,
    before.map((session) => ({ ...session, place: 'store' })),
  );
  assert.equal(inStore.find(({ session_id }) => session_id === held.id)?.held, true);
  for (const { id } of recorded) {
    const [was, is] = await Promise.all(
      [store, again.store].map((one) => Bundle.open(one.place(id), 'tar', new Set())),
    );
    assert.equal(is.etag, was.etag);
    assert.ok((await buffer(is.read())).equals(await buffer(was.read())));
  }
  await Promise.all([close(), again.close()]);

  const unpacked = emptyFolder();
  writeFileSync(join(root, 'backup.tar'), backup);
  execFileSync('tar', ['-xf', join(root, 'backup.tar'), '-C', unpacked]);
  for (const session of [plain, held, archived]) {
    assert.equal(verifyFully(join(unpacked, 'sessions', session.id), session).verdict, 'verified');
  }
  assert.equal(verifyFully(join(unpacked, 'sessions', live.id), live).verdict, 'incomplete');
});

test('what is not as it was backed up is refused, by name, and nothing is left of it', async () => {
  const { folder, recorded } = recordStore(root, 2);
  const { store, close } = await openStore(folder);
  const backup = await buffer(backUpStore(store));
  await close();
  for (const length of [0, 512, 5000, Math.floor(backup.length / 2), backup.length - 2048]) {
    await assertRefused(backup.subarray(0, length), /breaks off|broke off|no end|no SHA256SUMS/);
  }
  const [{ id }] = recorded;
  const changes: [path: string, at: number, words: RegExp][] = [
    [`sessions/${id}/screen/000000.zst.age`, 300, new RegExp(`${id}/screen/000000.zst.age: its SHA-256 is`)],
    [`sessions/${id}/open.note`, 40, /open.note: is not what was backed up/],
    [`sessions/${id}/leaves.txt`, 70, /leaves.txt: is not what was backed up/],
    [`sessions/${id}/keys/input.age`, 90, /keys\/input.age: is not what was backed up/],
    [`sessions/${id}/SHA256SUMS`, 3, /manifest|not what was backed up/],
    ['MANIFEST.txt', 100, /MANIFEST|manifest/],
  ];
  for (const [path, at, words] of changes) {
    const changed = Buffer.from(backup);
    changed[changed.indexOf(`${path}\0`) + 512 + at] ^= 1;
    await assertRefused(changed, words);
  }
  const forged = (name: string, other: string) => {
    const changed = Buffer.from(backup);
    const start = changed.indexOf(`${name}\0`);
    const header = changed.subarray(start, start + 512);
    header.fill(0, 0, 100).write(other, 0);
    header.write('        ', 148);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return changed;
  };
  for (const other of [
    '../../evil',
    `sessions/${id}/../evil`,
    'sessions/x/open.note',
    `sessions/${id}/evil`,
    '/etc/x',
  ]) {
    await assertRefused(forged(`sessions/${id}/open.note`, other), /is no file of a backup/);
  }
});

test('a store that is not empty is left alone', async () => {
  const { folder } = recordStore(root, 1);
  const { store, close } = await openStore(folder);
  const backup = await buffer(backUpStore(store));
  await assert.rejects(restoreBackup(pieces(backup), folder), /is not empty: a backup is restored into an empty/);
  assert.equal((await store.index.list({})).items.length, 1);
  await close();
});

test('damage in the store does not stand in the way of its backup: it is named, and restored as it was', async () => {
  const { folder, recorded } = recordStore(root, 2);
  const [{ folder: home, id }, whole] = recorded;
  const { store, close } = await openStore(folder);
  rmSync(join(home, 'input', '000000.zst.age'));
  const flipped = join(home, 'screen', '000000.zst.age');
  const bytes = readFileSync(flipped);
  bytes[9] ^= 1;
  writeFileSync(flipped, bytes);
  rmSync(join(home, CLOSE_PATH));
  writeFileSync(join(home, CLOSE_PATH), 'nonsense');
  const backup = await buffer(backUpStore(store));
  await close();
  const { report, ...again } = await restore(backup);
  for (const name of ['input/000000.zst.age', 'screen/000000.zst.age', CLOSE_PATH]) {
    assert.ok(
      report.damaged.some((told) => told.startsWith(`sessions/${id}/${name}: `)),
      `${name}: ${report.damaged}`,
    );
  }
  assert.ok(report.damaged.every((told) => told.includes(id)));
  assert.equal(existsSync(join(again.folder, 'sessions', whole.id, 'close.note')), true);
  await again.close();
});

test('what is written, held or deleted while a backup runs does not tear it', async () => {
  const { folder, recorded } = recordStore(root, 3, { runs: 3 });
  const source = recordSession(emptyFolder(), { runs: 6, closed: false, signer: recorded[0].signer });
  const home = join(folder, 'sessions', source.id);
  mkdirSync(home);
  const { store, close } = await openStore(folder);
  const finished = new FinishedSessions(store);
  await store.create(source.id);
  cpSync(join(source.folder, 'open.note'), join(home, 'open.note'));
  cpSync(join(source.folder, 'keys'), join(home, 'keys'), { recursive: true });
  await store.refresh(source.id);

  const files = await store.session(source.id);
  let stored = 0;
  const parts: Uint8Array[] = [];
  const done = new Set<string>();
  for await (const piece of backUpStore(store)) {
    parts.push(piece);
    const leaf = source.leaves[stored];
    if (leaf !== undefined) {
      const { stream, index, encoding, firstTime, lastTime, records } = leaf;
      const path = join(
        source.folder,
        stream,
        `${String(index).padStart(6, '0')}${encoding === 'zst' ? '.zst' : ''}.age`,
      );
      const chunk = { stream, index, compression: encoding, first_us: firstTime, last_us: lastTime, records };
      await files.putChunk({ ...chunk, sha256: Buffer.from(leaf.sha256).toString('hex') }, readFileSync(path));
      stored++;
    }
    for (const { id } of recorded) {
      if (done.has(id)) continue;
      const result = await finished.delete(id, grounds).catch((error) => error.code);
      if (result !== 'conflict') done.add(id);
    }
  }
  assert.ok(stored > 10);
  assert.equal(done.size, 3);
  const { report, ...again } = await restore(Buffer.concat(parts));
  assert.equal(report.sessions, 4);
  for (const { session_id } of (await again.index.list({})).items) {
    for await (const { path, problem } of checkSession(again.store.place(session_id)))
      assert.equal(problem, null, path);
  }
  await Promise.all([close(), again.close()]);
});
