import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { parseActs } from '#evidence/act.ts';
import { STREAMS } from '#evidence/record.ts';
import { recordSession } from '../../../test/support/recorded-session.ts';
import { openStore, recordStore, silent, verifyFully } from '../../../test/support/store.ts';
import { Bundle } from './bundle/bundle.ts';
import { FinishedSessions } from './finished-sessions.ts';
import { Retention, type RetentionSettings } from './retention.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-finished-'));
after(() => rmSync(root, { recursive: true }));
const BY = '019aa000-0000-7000-8000-000000000001';
const grounds = { by: BY, reason: 'litigation' };

async function open(folder: string) {
  const opened = await openStore(folder);
  return { ...opened, finished: new FinishedSessions(opened.store) };
}

test('a held session is not deleted until it is released; holding twice is holding once', async () => {
  const { folder, recorded } = recordStore(root, 1);
  const [{ id, folder: home }] = recorded;
  const { finished, close } = await open(folder);
  await finished.hold(id, grounds);
  assert.equal((await finished.hold(id, grounds)).held, true);
  await assert.rejects(finished.delete(id, grounds), { code: 'wrong_state', message: /under legal hold/ });
  await close();

  const again = await open(folder);
  assert.equal((await again.index.get(id))!.held, true, 'the index keeps it');
  await assert.rejects(again.finished.delete(id, grounds), { code: 'wrong_state' });
  assert.equal((await again.finished.release(id, grounds)).held, false);
  assert.deepEqual(
    parseActs(readFileSync(join(home, 'acts.txt'))).map(({ kind, by }) => [kind, by]),
    [
      ['hold', BY],
      ['release', BY],
    ],
  );
  assert.equal((await again.finished.delete(id, grounds)).state, 'deleted');
  await assert.rejects(again.finished.hold(id, grounds), { code: 'wrong_state', message: /was deleted/ });
  await again.close();
});

test('what is held is known without the index: files are the truth', async () => {
  const { folder, recorded } = recordStore(root, 1);
  const first = await open(folder);
  await first.finished.hold(recorded[0].id, grounds);
  await first.database.updateTable('sessions').set({ held: 0 }).execute();
  await assert.rejects(first.finished.delete(recorded[0].id, grounds), { code: 'wrong_state' });
  await first.close();
});

test('a deleted session leaves tombstone, leaves and entries, which still verify', async () => {
  const { folder, recorded } = recordStore(root, 1);
  const [session] = recorded;
  const { finished, store, index, close } = await open(folder);
  const deleted = await finished.delete(session.id, { by: BY, reason: 'privacy-request' });
  assert.deepEqual([deleted.state, deleted.chunks, deleted.stored_bytes], ['deleted', 0, 0]);
  const left = readdirSync(session.folder).sort();
  assert.deepEqual(left, ['close.note', 'leaves.txt', 'open.note', 'partial', 'tombstone.txt']);
  const before = readFileSync(join(session.folder, 'tombstone.txt'), 'utf8');
  await finished.delete(session.id, grounds);
  assert.equal(readFileSync(join(session.folder, 'tombstone.txt'), 'utf8'), before, 'the first tombstone stays');
  assert.deepEqual(await index.totals(), { sessions: 0, chunks: 0, stored_bytes: 0 });

  const file = join(root, 'deleted.tar');
  writeFileSync(file, await buffer((await Bundle.open(store.place(session.id), 'tar', new Set())).read()));
  const report = verifyFully(file, session);
  assert.equal(report.verdict, 'incomplete', JSON.stringify(report));
  assert.match(report.missing.join(), /deleted .* reason privacy-request/);
  assert.equal(report.checks.find(({ name }) => name === 'tree')?.status, 'passed');
  await assert.rejects(store.create(session.id), { code: 'wrong_state', message: /was deleted/ });
  await close();
});

test('a deletion that a crash interrupted after the tombstone is finished at the next start', async () => {
  const { folder, recorded } = recordStore(root, 1);
  const [session] = recorded;
  const whole = mkdtempSync(join(root, 'whole-'));
  cpSync(session.folder, whole, { recursive: true });
  const first = await open(folder);
  await first.finished.delete(session.id, grounds);
  // What a crash right after the tombstone would leave: all files still there, the row of the index in doubt.
  cpSync(whole, session.folder, { recursive: true });
  await first.index.doubt(session.id);
  await first.close();

  const again = await open(folder);
  for (const name of ['keys', ...STREAMS]) assert.equal(existsSync(join(session.folder, name)), false, name);
  assert.equal((await again.index.get(session.id))!.state, 'deleted');
  await again.close();
});

test('of holds and a deletion at the same time, none loses an act, and what is held is not deleted', async () => {
  const { folder, recorded } = recordStore(root, 3);
  const { finished, store, close } = await open(folder);
  for (const { id, folder: home } of recorded) {
    const results = await Promise.allSettled([
      finished.hold(id, grounds),
      finished.delete(id, grounds),
      finished.release(id, grounds),
      finished.hold(id, grounds),
    ]);
    const acts = parseActs(readFileSync(join(home, 'acts.txt')));
    const isDeleted = existsSync(join(home, 'tombstone.txt'));
    assert.equal(isDeleted, results[1].status === 'fulfilled');
    if (!isDeleted)
      assert.deepEqual(
        acts.map(({ kind }) => kind),
        ['hold', 'release', 'hold'],
      );
    assert.equal((await store.index.get(id))!.state, isDeleted ? 'deleted' : 'closed');
  }
  await close();
});

test('live sessions, unknown ones and busy ones are not deleted', async () => {
  const { folder, recorded } = recordStore(root, 1);
  const live = recordSession(join(folder, 'sessions'), { runs: 1, closed: false });
  const { finished, store, close } = await open(folder);
  await assert.rejects(finished.delete(live.id, grounds), { code: 'wrong_state', message: /not closed: end it/ });
  assert.equal((await finished.hold(live.id, grounds)).held, true, 'a live one may be held');
  await assert.rejects(finished.delete(BY, grounds), { code: 'not_found' });
  await assert.rejects(finished.delete('../x', grounds), { code: 'invalid_request' });
  await store.exclusively(recorded[0].id, 'backed up', async () => {
    await assert.rejects(finished.delete(recorded[0].id, grounds), { code: 'conflict', message: /being backed up/ });
    assert.equal((await finished.hold(recorded[0].id, grounds)).held, true, 'a hold waits for nobody');
    await finished.release(recorded[0].id, grounds);
  });
  await finished.delete(recorded[0].id, grounds);
  await close();
});

/** Retention over sessions closed on these days, the first of them held, and a live one. */
async function retain(settings: RetentionSettings, daysAgo: readonly number[], now = Date.now()) {
  const { folder, recorded } = recordStore(root, daysAgo.length);
  recordSession(join(folder, 'sessions'), { runs: 1, closed: false });
  const { finished, index, database, close } = await open(folder);
  await finished.hold(recorded[0].id, grounds);
  for (const [i, days] of daysAgo.entries()) {
    const closed_at = new Date(now - days * 86_400_000).toISOString();
    await database.updateTable('sessions').set({ closed_at }).where('id', '=', recorded[i].id).execute();
  }
  const retention = new Retention(settings, index, finished, silent);
  const count = await retention.apply(now);
  const state = async (id: string) => (await index.get(id))!.state;
  const states = await Promise.all(recorded.map(({ id }) => state(id)));
  assert.equal((await index.list({ state: 'live' })).items.length, 1, 'the live one stays');
  assert.equal(await retention.apply(now), 0, 'once more deletes nothing');
  const bytes = (await index.totals()).stored_bytes;
  await close();
  return { states, count, bytes };
}

test('retention by days deletes what was closed before, never held ones', async () => {
  const { states, count } = await retain({ days: 30, bytes: 0 }, [90, 31, 29, 60]);
  assert.deepEqual(states, ['closed', 'deleted', 'closed', 'deleted']);
  assert.equal(count, 2);
});

test('retention by size deletes the oldest first, until the rest fits', async () => {
  const all = await retain({ days: 0, bytes: 0 }, [5, 1, 3, 2]);
  assert.deepEqual(all.states, ['closed', 'closed', 'closed', 'closed']);
  const { states, bytes } = await retain({ days: 0, bytes: Math.ceil(all.bytes * 0.81) }, [5, 1, 3, 2]);
  assert.deepEqual(states, ['closed', 'closed', 'deleted', 'closed']);
  assert.ok(bytes <= all.bytes * 0.82, `${bytes} of ${all.bytes}`);
  const none = await retain({ days: 0, bytes: 1 }, [5, 1, 3, 2]);
  assert.deepEqual(none.states, ['closed', 'deleted', 'deleted', 'deleted'], 'held and live ones stay all the same');
});
