import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openStore, recordStore, silent } from '../../../test/support/store.ts';
import { FinishedSessions } from './finished-sessions.ts';
import { checkStore } from './fsck.ts';
import { ProblemList } from './problem-list.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-fsck-'));
after(() => rmSync(root, { recursive: true }));
const grounds = { by: null, reason: 'test' };

/** A store of so many sessions, without the signing keys that recording leaves beside them. */
function cleanStore(count: number) {
  const { folder, recorded } = recordStore(root, count);
  for (const { id } of recorded) {
    for (const end of ['pem', 'pem.verifier']) rmSync(join(folder, 'sessions', `${id}.${end}`), { force: true });
  }
  return { folder, recorded };
}

const fsck = (folder: string, rebuild = false) => checkStore({ folder, archiveFolder: null, rebuild, log: silent });
const problemsOf = async (folder: string) =>
  (await fsck(folder)).problems.map(({ where, what }) => `${where}: ${what}`);

test('a whole store has no problem, and its index is made again from the files', async () => {
  const { folder, recorded } = cleanStore(3);
  const { store, index, close } = await openStore(folder);
  const finished = new FinishedSessions(store);
  await finished.hold(recorded[0].id, grounds);
  await finished.delete(recorded[1].id, grounds);
  const before = await index.list({});
  await close();
  const report = await fsck(folder);
  assert.deepEqual([report.sessions, report.problems, report.rebuilt], [3, [], false]);
  assert.ok(report.bytes > 0 && report.files > 30);

  for (const damage of ['gone', 'nonsense']) {
    if (damage === 'gone') rmSync(join(folder, 'index.sqlite'));
    else writeFileSync(join(folder, 'index.sqlite'), 'nonsense');
    assert.deepEqual((await fsck(folder, true)).problems, []);
    const again = await openStore(folder);
    assert.deepEqual(await again.index.list({}), before, damage);
    await again.close();
  }
});

test('what is wrong is named, in files and in the index', async () => {
  const { folder, recorded } = cleanStore(4);
  const { database, close } = await openStore(folder);
  const [damaged, unindexed, changed] = recorded;
  await database.deleteFrom('sessions').where('id', '=', unindexed.id).execute();
  await database.updateTable('sessions').set({ chunks: 1 }).where('id', '=', changed.id).execute();
  await close();
  const path = join(damaged.folder, 'screen', '000000.zst.age');
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] ^= 0x10;
  writeFileSync(path, bytes);
  writeFileSync(join(damaged.folder, 'screen', '000007.zst.age'), 'no leaf');
  writeFileSync(join(damaged.folder, 'screen', '000008.zst.age.tmp'), 'torn');
  mkdirSync(join(folder, 'sessions', 'lost+found'));

  const found = await problemsOf(folder);
  for (const words of [
    new RegExp(`^${damaged.id}/screen/000000.zst.age: its SHA-256 is`),
    new RegExp(`^${damaged.id}/screen/000007.zst.age: has no leaf`),
    new RegExp(`^${damaged.id}/screen/000008.zst.age.tmp: no file of a session`),
    new RegExp(`^${unindexed.id}: is not in the index`),
    new RegExp(`^${changed.id}: the index says something else`),
    /^sessions\/lost\+found: is no session/,
  ]) {
    assert.ok(
      found.some((line) => words.test(line)),
      `${words}: ${found.join('\n')}`,
    );
  }
  assert.equal(found.length, 6, found.join('\n'));

  await fsck(folder, true);
  assert.ok(!(await problemsOf(folder)).some((line) => line.includes('index')), 'the index is right again');
  const again = await openStore(folder);
  const { items } = await new ProblemList(again.database).list({});
  assert.deepEqual(
    items.map(({ session_id, path }) => [session_id, path]),
    [[damaged.id, 'screen/000000.zst.age']],
  );
  await again.close();
});

test('a session whose evidence cannot be read is listed, named, and not deleted', async () => {
  const { folder, recorded } = cleanStore(2);
  const [{ id, folder: home }] = recorded;
  writeFileSync(join(home, 'close.note'), 'nonsense');
  const { index, store, close } = await openStore(folder);
  assert.equal((await index.get(id))!.state, 'live');
  await assert.rejects(new FinishedSessions(store).delete(id, grounds), /close.note/);
  await close();
  assert.ok((await problemsOf(folder)).some((line) => line.startsWith(`${id}/close.note: `)));
});

test('a folder without a store is told', async () => {
  await assert.rejects(fsck(mkdtempSync(join(root, 'empty-'))), /holds no store/);
});
