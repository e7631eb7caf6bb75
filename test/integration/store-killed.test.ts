/** `kill -9` while recordings are moved and deleted: nothing is lost that was not to go, and what was begun is finished. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSigner } from '#evidence/node/signing.ts';
import { STREAMS } from '#evidence/record.ts';
import { Archive } from '#services/session-storage/archive.ts';
import { checkSession } from '#services/session-storage/check-session.ts';
import { SessionPlace } from '#services/session-storage/session-place.ts';
import { makeLargeSession } from '../support/large-store.ts';
import { openStore } from '../support/store.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-store-killed-'));
after(() => rmSync(root, { recursive: true }));
const child = new URL('../support/store-mover-child.ts', import.meta.url).pathname;
const KILLS = 5;

function newStore() {
  const folder = mkdtempSync(join(root, 'store-'));
  mkdirSync(join(folder, 'sessions'));
  const signer = createSigner(join(folder, 'node.pem'), 'test/node');
  const id = makeLargeSession(join(folder, 'sessions'), signer, { chunks: 60, bytes: 20_000 });
  return { folder, id, home: join(folder, 'sessions', id), away: join(`${folder}-archive`, id) };
}

/** Runs the child until it is at work, and kills it a little later. */
async function killed(folder: string, id: string, work: string, afterMs: number): Promise<string> {
  const process_ = spawn(process.execPath, [...process.execArgv, child, folder, id, work]);
  let output = '';
  process_.stdout.on('data', (part) => {
    output += part;
  });
  const ended = once(process_, 'exit');
  await once(process_.stdout, 'data');
  await Promise.race([sleep(afterMs), ended]);
  process_.kill('SIGKILL');
  await ended;
  return output;
}

test('killed while it moves chunks to the archive and back, each is whole in one of the places', async () => {
  const { folder, id, home, away } = newStore();
  let moves = 0;
  for (let i = 0; i < KILLS; i++) {
    const output = await killed(folder, id, 'move', 20 + Math.random() * 700);
    moves += output.split('moved').length - 1;
    for await (const { path, problem } of checkSession(new SessionPlace(id, home, away))) {
      assert.equal(problem, null, `${path} after ${i + 1} kills`);
    }
  }
  const { index, close } = await openStore(folder, new Archive(`${folder}-archive`));
  const { state, chunks, place } = (await index.get(id))!;
  assert.deepEqual([state, chunks], ['closed', 60]);
  await close();
  assert.ok(['store', 'archive'].includes(place), `${moves} moves came to their end`);
});

test('killed while it deletes, a session is whole or has a tombstone, and the next start removes the rest', async () => {
  for (let i = 0; i < KILLS; i++) {
    const { folder, id, home } = newStore();
    await killed(folder, id, 'delete', Math.random() * 40);
    const { index, store, close } = await openStore(folder, new Archive(`${folder}-archive`));
    const { state } = (await index.get(id))!;
    assert.equal(existsSync(join(home, 'tombstone.txt')), state === 'deleted');
    if (state === 'deleted') {
      const left = readdirSync(home).filter((name) => name === 'keys' || STREAMS.includes(name as 'screen'));
      assert.deepEqual(left, []);
    }
    for await (const { path, problem } of checkSession(store.place(id))) assert.equal(problem, null, path);
    await close();
  }
});
