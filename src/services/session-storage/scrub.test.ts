import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { recordSession } from '../../../test/support/recorded-session.ts';
import { openStore, recordStore, silent } from '../../../test/support/store.ts';
import { type CheckedFile, checkSession } from './check-session.ts';
import { ProblemList } from './problem-list.ts';
import { Scrub } from './scrub.ts';
import { SessionPlace } from './session-place.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-scrub-'));
after(() => rmSync(root, { recursive: true }));

function flip(path: string, at = -1): void {
  const bytes = readFileSync(path);
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  writeFileSync(path, bytes);
}

async function check(place: SessionPlace): Promise<CheckedFile[]> {
  const files: CheckedFile[] = [];
  for await (const file of checkSession(place)) files.push(file);
  return files;
}

const problemsOf = (files: readonly CheckedFile[]) =>
  files.flatMap(({ path, problem }) => (problem ? [`${path} ${problem.kind}`] : []));

async function open(folder: string, bytesPerSecond = 0, days = 7) {
  const opened = await openStore(folder);
  const problems = new ProblemList(opened.database);
  const { database, store } = opened;
  const scrub = new Scrub({ database, store, problems, log: silent, bytesPerSecond, days });
  return { ...opened, problems, scrub };
}

test('every file of a session is looked at, and whatever happens to one is told by its name', async () => {
  const signer = recordSession(root).signer;
  const damages: [path: string, kind: string, damage: (path: string) => void][] = [
    ['screen/000001.zst.age', 'content', (path) => flip(path)],
    ['input/000000.zst.age', 'missing', (path) => rmSync(path)],
    ['keyframes/000000.zst.age', 'size', (path) => truncateSync(path, 100)],
    ['index/000002.zst.age', 'size', (path) => appendFileSync(path, 'x')],
    ['keys/screen.age', 'content', (path) => flip(path)],
    ['keys/input.age', 'missing', (path) => rmSync(path)],
    ['open.note', 'missing', (path) => rmSync(path)],
    ['open.note', 'content', (path) => flip(path, 0)],
    ['close.note', 'content', (path) => truncateSync(path, 50)],
    ['partial/1.note', 'missing', (path) => rmSync(path)],
    ['partial/0.note', 'content', (path) => flip(path, 5)],
    ['leaves.txt', 'missing', (path) => rmSync(path)],
    ['leaves.txt', 'content', (path) => truncateSync(path, 400)],
    ['leaves.txt', 'content', (path) => flip(path, 100)],
  ];
  for (const [path, kind, damage] of damages) {
    const { id, folder } = recordSession(root, { signer, runs: 3 });
    const place = new SessionPlace(id, folder, null);
    assert.deepEqual(problemsOf(await check(place)), []);
    damage(join(folder, path));
    const found = problemsOf(await check(place));
    assert.ok(found.includes(`${path} ${kind}`), `${path} ${kind}: found ${found}`);
  }
});

test('a live session is whole as far as it goes, and so is a deleted one', async () => {
  const { id, folder } = recordSession(root, { closed: false });
  assert.deepEqual(problemsOf(await check(new SessionPlace(id, folder, null))), []);
  appendFileSync(join(folder, 'leaves.txt'), 'lucid-leaf/v1 torn');
  assert.deepEqual(problemsOf(await check(new SessionPlace(id, folder, null))), []);
});

test('a pass finds what was damaged, health is degraded until it is acknowledged or mended', async () => {
  const { folder, recorded } = recordStore(root, 3);
  const { scrub, problems, close } = await open(folder);
  const [, { id, folder: home }] = recorded;
  const [flipped, missing] = ['screen/000000.zst.age', 'input/000000.zst.age'];
  flip(join(home, flipped));
  renameSync(join(home, missing), join(root, 'taken'));
  scrub.beginPass();
  await scrub.work();
  const { items } = await problems.list({});
  assert.deepEqual(items.map(({ session_id, path, kind }) => [session_id, path, kind]).sort(), [
    [id, missing, 'missing'],
    [id, flipped, 'content'],
  ]);
  assert.deepEqual(await problems.unreadable(id), new Set([missing]));
  const health = await problems.check();
  assert.equal(health.status, 'degraded');
  assert.match(health.detail!, new RegExp(`${id}/${flipped}: its SHA-256 is [0-9a-f]{64}, wanted`));

  for (const { id } of items) await problems.acknowledge(id, null);
  assert.deepEqual(await problems.check(), { status: 'healthy', detail: '2 damaged files, all acknowledged' });
  await assert.rejects(problems.acknowledge('999', null), { code: 'not_found' });

  renameSync(join(root, 'taken'), join(home, missing));
  flip(join(home, flipped));
  scrub.checkSoon(id);
  await scrub.work();
  assert.deepEqual((await problems.list({})).items, []);
  assert.equal((await scrub.position())!.session_id, null, 'the pass is over');
  assert.ok((await scrub.position())!.finished_at);
  await close();
});

test('a pass that was stopped goes on where it was, across restarts', async () => {
  const { folder, recorded } = recordStore(root, 4);
  const all: string[] = [];
  for (const { id, folder: home } of recorded) {
    for (const { path } of await check(new SessionPlace(id, home, null))) all.push(`${id}/${path}`);
  }
  const seen: string[] = [];
  let starts = 0;
  let chunksRead = 0;
  for (let isOver = false; !isOver; starts++) {
    const { scrub, problems, close } = await open(folder, 1_000_000_000);
    const note = problems.note.bind(problems);
    problems.note = async (session, file) => {
      seen.push(`${session}/${file.path}`);
      if (/0000/.test(file.path) && ++chunksRead % 3 === 0) void scrub.stop();
      return note(session, file);
    };
    await scrub.work();
    isOver = (await scrub.position())!.session_id === null;
    await close();
  }
  assert.ok(starts > 4, `${starts} starts`);
  assert.deepEqual(new Set(seen), new Set(all), 'every file is looked at');
  const chunks = seen.filter((path) => /\/\d{6}\./.test(path));
  assert.equal(new Set(chunks).size, chunks.length, 'no chunk is read twice');
  const { scrub, close } = await open(folder, 1_000_000_000);
  await scrub.work();
  assert.ok((await scrub.position())!.finished_at, 'nothing is due');
  await close();
});

test('reading keeps to its rate', async () => {
  const { folder } = recordStore(root, 1, { runs: 4 });
  const { scrub, index, close } = await open(folder, 0);
  scrub.beginPass();
  await scrub.work();
  const { bytes } = (await scrub.position())!;
  assert.ok(bytes >= (await index.totals()).stored_bytes);
  await close();

  const slow = await open(folder, bytes * 2, 0);
  const before = performance.now();
  await slow.scrub.work();
  const seconds = (performance.now() - before) / 1000;
  assert.ok(seconds > 0.45, `${seconds} s for half a second's bytes`);
  await slow.close();
});

test('what is being deleted is no damage', async () => {
  const { folder, recorded } = recordStore(root, 1);
  const { scrub, store, problems, close } = await open(folder);
  const [{ id, folder: home }] = recorded;
  await store.exclusively(id, 'deleted', async () => {
    renameSync(join(home, 'screen'), join(root, 'screen'));
    scrub.checkSoon(id);
    await scrub.work();
    renameSync(join(root, 'screen'), join(home, 'screen'));
  });
  assert.deepEqual((await problems.list({})).items, []);
  await close();
});
