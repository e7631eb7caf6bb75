/** Starts that fail: each says why, and leaves nothing behind that somebody could take for good. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startLucidProgram } from '../support/lucid-program.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-start-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('a first start that fails takes back the identity that it made; the next one makes another', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const identity = join(root, 'auditor.txt');
  const deployment = join(root, 'data', 'deployment.json');
  const settings = { LUCID_SESSION_API_PORT: String(port) };
  await assert.rejects(startLucidProgram(root, { settings }), /LUCID_SESSION_API_PORT/);
  assert.deepEqual([existsSync(identity), existsSync(deployment)], [false, false]);
  taken.close();
  const { program } = await startLucidProgram(root, { settings });
  assert.deepEqual([existsSync(identity), existsSync(deployment)], [true, true]);
  await program.close();

  // What has come to its end once is never taken back.
  const again = createServer().listen(port, '127.0.0.1');
  await once(again, 'listening');
  await assert.rejects(startLucidProgram(root, { settings }), /LUCID_SESSION_API_PORT/);
  again.close();
  assert.deepEqual([existsSync(identity), existsSync(deployment)], [true, true]);
});

test('a data folder that cannot be made is told', { skip: process.platform !== 'linux' }, async () => {
  const settings = { LUCID_JOURNAL_FOLDER: '/proc/lucid/journal' };
  const folder = join(root, 'other');
  mkdirSync(folder);
  await assert.rejects(startLucidProgram(folder, { settings }), /\/proc\/lucid/);
  await assert.rejects(
    startLucidProgram('/proc/lucid', { settings: { HOME: folder } }),
    /\/proc\/lucid\/data cannot be the data folder: ENOENT.*--data/,
  );
});
