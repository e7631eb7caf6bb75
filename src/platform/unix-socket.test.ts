import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connectUnixSocket } from './unix-socket.ts';

let folder: string;
const server = createServer((socket) => socket.end('hello'));

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lucid-'));
  server.listen(join(folder, 's'));
  await once(server, 'listening');
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function read(path: string): Promise<string> {
  const socket = connectUnixSocket(path).setEncoding('utf8');
  let text = '';
  for await (const part of socket) text += part;
  return text;
}

test('connects by a short path', async () => {
  assert.equal(await read(join(folder, 's')), 'hello');
});

test('connects by a path longer than 107 bytes', async () => {
  const deep = join(folder, 'd'.repeat(120));
  mkdirSync(deep);
  // A path that long cannot be bound either, so the same socket is reached by a detour.
  assert.equal(await read(`${deep}/../s`), 'hello');
});

test('refuses a symbolic link, a file and nothing', () => {
  symlinkSync(join(folder, 's'), join(folder, 'link'));
  writeFileSync(join(folder, 'file'), '');
  assert.throws(() => connectUnixSocket(join(folder, 'link')), /is not a UNIX socket/);
  assert.throws(() => connectUnixSocket(join(folder, 'file')), /is not a UNIX socket/);
  assert.throws(() => connectUnixSocket(join(folder, 'none')), /ENOENT/);
});
