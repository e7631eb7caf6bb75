import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ErrorCode } from '#contract/errors.ts';
import { ServiceError } from '#contract/errors.ts';
import { formatEntry } from '#evidence/entry.ts';
import { createSigner } from '#evidence/node/signing.ts';
import { fromHex } from '#evidence/text.ts';
import { SessionFiles } from './session-files.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-session-files-'));
after(() => rmSync(root, { recursive: true }));

const SESSION = '019aa000-0000-7000-8000-000000000000';
const signer = createSigner(join(root, 'node.pem'), 'node');

const chunk = (index: number, bytes: Uint8Array, changes = {}) => ({
  stream: 'screen' as const,
  index,
  compression: 'zst' as const,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  first_us: index,
  last_us: index + 1,
  records: 3,
  ...changes,
});

const create = (name: string) => SessionFiles.create(SESSION, join(root, name));

const refused = (code: ErrorCode, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ServiceError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};

const partial = (head: { leaves: number; root: string }, number: number) =>
  signer.sign(
    formatEntry({
      kind: 'lucid/partial/v1',
      session: SESSION,
      node: 'node',
      time: '2026-01-31T09:30:00.000Z',
      number,
      leaves: head.leaves,
      root: fromHex(head.root, 32, 'root'),
    }),
  );

test('chunks, leaves and root are the same after they are read back', async () => {
  const files = await create('again');
  const bytes = Buffer.from('sealed');
  await files.putChunk(chunk(0, bytes), bytes);
  const head = await files.putChunk(chunk(1, bytes), bytes);
  assert.equal(head.leaves, 2);

  const again = await SessionFiles.open(SESSION, files.folder);
  assert.deepEqual([again.leaves, again.storedBytes, again.leavesBytes], [2, 2 * bytes.length, files.leavesBytes]);
  assert.deepEqual(await again.putChunk(chunk(1, bytes), bytes), head, 'the same chunk again changes nothing');
  assert.equal(readFileSync(join(files.folder, 'leaves.txt'), 'utf8').split('\n').length, 3);
});

test('a chunk that does not fit is refused and leaves nothing behind', async () => {
  const files = await create('refused');
  const bytes = Buffer.from('sealed');
  await assert.rejects(
    files.putChunk(chunk(0, Buffer.from('other')), bytes),
    refused('invalid_request', /hash to .*, wanted/),
  );
  await assert.rejects(files.putChunk(chunk(1, bytes), bytes), refused('conflict', /chunk 0 was expected/));
  await files.putChunk(chunk(0, bytes), bytes);
  await assert.rejects(
    files.putChunk(chunk(0, bytes, { records: 4 }), bytes),
    refused('conflict', /another description/),
  );
  assert.equal(files.leaves, 1);
});

test('a torn last line counts for nothing and is overwritten', async () => {
  const files = await create('torn');
  const bytes = Buffer.from('sealed');
  await files.putChunk(chunk(0, bytes), bytes);
  appendFileSync(join(files.folder, 'leaves.txt'), 'lucid-leaf/v1 019a');

  const again = await SessionFiles.open(SESSION, files.folder);
  assert.equal(again.leaves, 1);
  await again.putChunk(chunk(1, bytes), bytes);
  assert.equal((await SessionFiles.open(SESSION, files.folder)).leaves, 2);
});

test('an entry must agree with what is stored', async () => {
  const files = await create('entries');
  const bytes = Buffer.from('sealed');
  const head = await files.putChunk(chunk(0, bytes), bytes);
  await assert.rejects(files.append('lucid/partial/v1\n'), refused('invalid_request', /not an entry/));
  await assert.rejects(files.append(partial({ ...head, leaves: 2 }, 0)), refused('conflict', /2 leaves.*stored are 1/));
  const note = partial(head, 0);
  assert.deepEqual(await files.append(note), { path: 'partial/0.note', index: null });
  await files.append(note);
  assert.equal(readFileSync(join(files.folder, 'partial/0.note'), 'utf8'), note);
  const other = await files.putChunk(chunk(1, bytes), bytes);
  await assert.rejects(files.append(partial(other, 0)), refused('conflict', /other content/));
});

test('a key has a name of the format, and its bytes do not change once the open entry names it', async () => {
  const files = await create('keys');
  await files.putKey('screen', Buffer.from('of an opening that broke off'));
  writeFileSync(join(files.folder, 'keys', 'screen.age'), 'a');
  writeFileSync(join(files.folder, 'open.note'), 'opened');
  await files.putKey('screen', Buffer.from('a'));
  await files.putKey('screen', Buffer.from('a'));
  await files.putKey('screen.1', Buffer.from('b'));
  await assert.rejects(files.putKey('screen', Buffer.from('b')), refused('conflict', /keys\/screen.age/));
  for (const name of ['other', '../screen', 'screen.0', 'screen.01']) {
    await assert.rejects(files.putKey(name, Buffer.from('a')), refused('invalid_request', /no session key/));
  }
});

test('a chunk that lies there without its leaf is entered as it is, another is not', async () => {
  const files = await create('adopted');
  const bytes = Buffer.from('sealed');
  mkdirSync(join(files.folder, 'screen'));
  await assert.rejects(files.adoptChunk(chunk(0, bytes)), refused('not_found', /no chunk 0 of screen/));
  writeFileSync(join(files.folder, 'screen', '000000.zst.age'), 'sealed at another time');
  await assert.rejects(files.adoptChunk(chunk(0, bytes)), refused('not_found', /with this hash/));
  writeFileSync(join(files.folder, 'screen', '000000.zst.age'), bytes);
  const head = await files.adoptChunk(chunk(0, bytes));
  assert.equal(head.leaves, 1);
  assert.deepEqual(await files.putChunk(chunk(0, bytes), bytes), head);
  assert.deepEqual(await files.adoptChunk(chunk(0, bytes)), head);
});

test('a disk that refuses is told, and the next try works', async () => {
  const files = await create('disk');
  const bytes = Buffer.from('sealed');
  writeFileSync(join(files.folder, 'screen'), 'a file where a folder must be');
  await assert.rejects(files.putChunk(chunk(0, bytes), bytes), refused('unavailable', /disk fails: E/));
  rmSync(join(files.folder, 'screen'));
  assert.equal((await files.putChunk(chunk(0, bytes), bytes)).leaves, 1);
});
