import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { formatLeaf, type Leaf } from '#evidence/leaf.ts';
import { STREAMS } from '#evidence/record.ts';
import { listChunks, readChunk } from './chunks.ts';
import { readLeaves } from './leaf-file.ts';
import { SessionPlace } from './session-place.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-chunks-'));
after(() => rmSync(root, { recursive: true }));
const SESSION = '019aa000-0000-7000-8000-000000000000';

const leafOf = (i: number): Leaf => ({
  session: SESSION,
  stream: STREAMS[i % STREAMS.length],
  index: Math.floor(i / STREAMS.length),
  encoding: i % 3 === 0 ? 'raw' : 'zst',
  storedBytes: 1000 + i,
  sha256: new Uint8Array(32).fill(i),
  firstTime: i,
  lastTime: i + 1,
  records: 1,
});

function placeWith(leaves: number): SessionPlace {
  const home = mkdtempSync(join(root, 'session-'));
  writeFileSync(
    join(home, 'leaves.txt'),
    Array.from({ length: leaves }, (_, i) => `${formatLeaf(leafOf(i))}\n`).join(''),
  );
  return new SessionPlace(SESSION, home, null);
}

test('pages hold every chunk once, in order, whatever their size', async () => {
  const place = placeWith(5003);
  for (const limit of [1000, 499, 5003]) {
    const found: string[] = [];
    for (let cursor: string | undefined = '0'; cursor !== undefined; ) {
      const page = await listChunks(place, { limit, cursor });
      assert.ok(page.items.length <= limit);
      found.push(...page.items.map(({ stream, index }) => `${stream}/${index}`));
      cursor = page.next_cursor ?? undefined;
    }
    assert.deepEqual(
      found,
      Array.from({ length: 5003 }, (_, i) => `${leafOf(i).stream}/${leafOf(i).index}`),
    );
  }
});

test('a page stays what it was while chunks are added behind it', async () => {
  const place = placeWith(10);
  const { next_cursor } = await listChunks(place, { limit: 10 });
  assert.equal(next_cursor, null);
  const first = await listChunks(place, { limit: 4 });
  appendFileSync(join(place.home, 'leaves.txt'), `${formatLeaf(leafOf(10))}\nlucid-leaf/v1 torn`);
  assert.deepEqual(await listChunks(place, { limit: 4 }), first);
  const rest = await listChunks(place, { cursor: first.next_cursor! });
  assert.equal(rest.items.length, 7, 'the torn line is no chunk');
});

test('a cursor that no page gave is refused, a session that is not there is told', async () => {
  const place = placeWith(10);
  await assert.rejects(listChunks(place, { cursor: '17' }), { code: 'invalid_request' });
  assert.deepEqual(await listChunks(place, { cursor: '999999' }), { items: [], next_cursor: null });
  await assert.rejects(listChunks(new SessionPlace(SESSION, join(root, 'none'), null), {}), { code: 'not_found' });
});

test('a damaged line is named by its byte, an endless one is no trap', async () => {
  const place = placeWith(3);
  const read = async () => {
    for await (const _ of readLeaves(join(place.home, 'leaves.txt')));
  };
  appendFileSync(join(place.home, 'leaves.txt'), 'x\n');
  await assert.rejects(read(), /leaves.txt byte \d+: leaf: does not begin/);
  await assert.rejects(listChunks(place, {}), { code: 'unavailable', message: /damaged: leaves.txt byte/ });
  writeFileSync(join(place.home, 'leaves.txt'), Buffer.alloc(1024 * 1024, 'a'));
  await assert.rejects(read(), /a line without an end/);
});

test('a chunk is read where it lies, in the store or in the archive', async () => {
  const { home } = placeWith(2);
  const place = new SessionPlace(SESSION, home, `${home}-archive`);
  await assert.rejects(readChunk(place, 'screen', 0), {
    code: 'unavailable',
    message: /screen\/000000.age .* missing/,
  });
  await assert.rejects(readChunk(place, 'screen', 7), { code: 'not_found', message: /no chunk 7/ });
  mkdirSync(join(place.away!, 'screen'), { recursive: true });
  writeFileSync(join(place.away!, 'screen', '000000.age'), 'away');
  assert.equal(String(await buffer(await readChunk(place, 'screen', 0))), 'away');
  mkdirSync(join(home, 'screen'));
  writeFileSync(join(home, 'screen', '000000.age'), 'home');
  assert.equal(String(await buffer(await readChunk(place, 'screen', 0))), 'home');
});
