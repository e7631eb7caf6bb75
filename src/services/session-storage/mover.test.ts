import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { STREAMS } from '#evidence/record.ts';
import type { RecordedSession } from '../../../test/support/recorded-session.ts';
import { openStore, recordStore, silent, verifyFully } from '../../../test/support/store.ts';
import { Archive, archiveSession } from './archive.ts';
import { Bundle } from './bundle/bundle.ts';
import { FinishedSessions } from './finished-sessions.ts';
import { Mover } from './mover.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-mover-'));
after(() => rmSync(root, { recursive: true }));
const grounds = { by: '019aa000-0000-7000-8000-000000000001', reason: 'old' };

async function open(folder: string, archiveDays = 0) {
  const archive = new Archive(`${folder}-archive`);
  const opened = await openStore(folder, archive);
  const { items } = await opened.index.list({ place: 'archive' });
  await archive.prepare(items.length > 0);
  const damaged: string[] = [];
  const { database, store } = opened;
  const mover = new Mover({ database, store, log: silent, archiveDays, onDamage: (id) => damaged.push(id) });
  return { ...opened, archive, mover, damaged, finished: new FinishedSessions(opened.store) };
}
type Opened = Awaited<ReturnType<typeof open>>;

const streamsIn = (folder: string) => readdirSync(folder).filter((name) => STREAMS.includes(name as 'screen'));

async function bundleVerdict({ store }: Opened, session: RecordedSession): Promise<string> {
  const file = join(root, `${session.id}.tar`);
  writeFileSync(file, await buffer((await Bundle.open(store.place(session.id), 'tar', new Set())).read()));
  return verifyFully(file, session).verdict;
}

async function move(opened: Opened, id: string, kind: 'archive' | 'restore') {
  assert.equal((await opened.mover.request(id, kind, grounds)).moving, kind);
  await opened.mover.work();
  return (await opened.index.get(id))!;
}

test('archived chunks leave the store, bundles come from the archive, and all comes back', async () => {
  const { folder, recorded } = recordStore(root, 2);
  const [session] = recorded;
  const opened = await open(folder);
  const etag = (await Bundle.open(opened.store.place(session.id), 'tar', new Set())).etag;
  const archived = await move(opened, session.id, 'archive');
  assert.deepEqual([archived.place, archived.moving], ['archive', null]);
  assert.deepEqual(streamsIn(session.folder), []);
  assert.equal(await bundleVerdict(opened, session), 'verified');
  assert.equal((await Bundle.open(opened.store.place(session.id), 'tar', new Set())).etag, etag, 'the same bundle');
  assert.equal((await opened.mover.request(session.id, 'archive', grounds)).moving, null, 'it is there already');
  await opened.close();

  const again = await open(folder);
  assert.equal((await again.index.get(session.id))!.place, 'archive');
  const back = await move(again, session.id, 'restore');
  assert.deepEqual([back.place, back.moving], ['store', null]);
  assert.equal(existsSync(join(`${folder}-archive`, session.id)), false);
  assert.equal(await bundleVerdict(again, session), 'verified');
  const acts = readFileSync(join(session.folder, 'acts.txt'), 'utf8').split('\n');
  assert.match(acts[0], / archive 019aa000-0000-7000-8000-000000000001 old$/);
  assert.match(acts[1], / restore /);
  await again.close();
});

test('the archive can be understood by itself', async () => {
  const { folder, recorded } = recordStore(root, 1);
  const opened = await open(folder);
  await move(opened, recorded[0].id, 'archive');
  const archived = await openStore(mkStore(`${folder}-archive`));
  assert.equal(await bundleVerdict({ ...opened, store: archived.store }, recorded[0]), 'verified');
  await archived.close();
  await opened.close();
});

/** A store whose sessions are those of the archive. */
function mkStore(archive: string): string {
  const folder = mkdtempSync(join(root, 'from-archive-'));
  cpSync(archive, join(folder, 'sessions'), { recursive: true });
  return folder;
}

test('wherever a crash interrupts a move, each chunk is in one of the places, and the move is finished', async () => {
  const { folder, recorded } = recordStore(root, 1);
  const [{ id, folder: home }] = recorded;
  const away = join(`${folder}-archive`, id);
  let opened = await open(folder);
  const whole = mkdtempSync(join(root, 'whole-'));
  cpSync(home, whole, { recursive: true });

  // Asked for, and half of the chunks copied.
  mkdirSync(join(away, 'screen'), { recursive: true });
  cpSync(join(home, 'screen', '000000.zst.age'), join(away, 'screen', '000000.zst.age'));
  writeFileSync(join(away, 'screen', '000001.zst.age.tmp'), 'torn');
  await opened.mover.stop();
  await opened.mover.request(id, 'archive', grounds);
  await opened.mover.work();
  assert.equal((await opened.index.get(id))!.moving, 'archive', 'a mover that has been stopped moves nothing');
  await opened.close();
  opened = await open(folder);
  assert.equal(await bundleVerdict(opened, recorded[0]), 'verified');
  await opened.mover.work();
  assert.equal((await opened.index.get(id))!.place, 'archive');

  // Recorded as archived, and none removed from the store yet.
  cpSync(whole, home, { recursive: true });
  assert.equal(await bundleVerdict(opened, recorded[0]), 'verified');
  const record = () => assert.fail('it is recorded already');
  await archiveSession(opened.store.place(id), { record, signal: new AbortController().signal });
  assert.deepEqual(streamsIn(home), []);
  assert.equal(await bundleVerdict(opened, recorded[0]), 'verified');
  await opened.close();
});

test('a damaged chunk is never archived: the move is given up, and the session is looked at', async () => {
  const { folder, recorded } = recordStore(root, 1);
  const [{ id, folder: home }] = recorded;
  const path = join(home, 'screen', '000000.zst.age');
  const bytes = readFileSync(path);
  bytes[100] ^= 1;
  writeFileSync(path, bytes);
  const opened = await open(folder);
  const after = await move(opened, id, 'archive');
  assert.deepEqual([after.place, after.moving], ['store', null]);
  assert.deepEqual(opened.damaged, [id]);
  assert.deepEqual((await opened.mover.check()).status, 'degraded');
  assert.match((await opened.mover.check()).detail!, /could not be archived: the bytes of 000000.zst.age hash to/);
  assert.ok(existsSync(path));
  await opened.close();
});

test('an archive that is not mounted is told apart from one that has lost its chunks', async () => {
  const { folder, recorded } = recordStore(root, 1);
  const [{ id }] = recorded;
  const opened = await open(folder);
  await move(opened, id, 'archive');
  renameSync(`${folder}-archive`, `${folder}-unmounted`);
  mkdirSync(`${folder}-archive`);
  await opened.archive.prepare(true);
  await assert.rejects(opened.mover.check(), /is not there .*mount its disk/);
  await assert.rejects(opened.finished.delete(id, grounds), { code: 'unavailable', message: /mount its disk/ });
  assert.equal((await opened.index.get(id))!.state, 'closed');
  assert.equal((await opened.archive.space()).is_there, false);
  rmSync(`${folder}-archive`, { recursive: true });
  renameSync(`${folder}-unmounted`, `${folder}-archive`);
  await opened.finished.delete(id, grounds);
  assert.equal(existsSync(join(`${folder}-archive`, id)), false, 'its chunks are gone there too');
  await opened.close();
});

test('sessions are archived by age; live ones are refused', async () => {
  const { folder, recorded } = recordStore(root, 2);
  const opened = await open(folder, 30);
  const old = new Date(Date.now() - 31 * 86_400_000).toISOString();
  await opened.database.updateTable('sessions').set({ closed_at: old }).where('id', '=', recorded[0].id).execute();
  const recent = new Date().toISOString();
  await opened.database.updateTable('sessions').set({ closed_at: recent }).where('id', '=', recorded[1].id).execute();
  await opened.mover.work();
  const places = await Promise.all(recorded.map(async ({ id }) => (await opened.index.get(id))!.place));
  assert.deepEqual(places, ['archive', 'store']);
  await opened.database.updateTable('sessions').set({ state: 'live' }).where('id', '=', recorded[1].id).execute();
  await assert.rejects(opened.mover.request(recorded[1].id, 'archive', grounds), { code: 'wrong_state' });
  await opened.close();
});
