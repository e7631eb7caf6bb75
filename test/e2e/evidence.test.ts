/** What an auditor does with the bundle of a real session: verify, replay and dump it, with our tools and with stock ones. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { readRecords } from '#evidence/record.ts';
import { readPng } from '#rdp/graphics/png.ts';
import { FreeRdp } from '../support/freerdp.ts';
import { TestLucid } from '../support/lucid.ts';
import { needs } from '../support/needs.ts';
import { type Moment, PICTURES, quietMoment } from '../support/person.ts';
import { assertSamePixels } from '../support/pixels.ts';
import { Replay } from '../support/replay.ts';

const skip = needs('bwrap', 'xrdp', 'Xvnc', 'openbox', 'xterm', 'xfreerdp', 'Xvfb', 'xdotool', 'xwd', 'age', 'zstd');

describe('the bundle of a session of FreeRDP on xrdp', { skip, concurrency: false }, () => {
  let lucid: TestLucid;
  let bundle: string;
  let nodeKey: string;
  const moments: Moment[] = [];

  before(async () => {
    // Short chunks, so that there are several.
    lucid = await TestLucid.start({ LUCID_CHUNK_SECONDS: '2' });
    nodeKey = (await lucid.api.nodeKey({})).verifier_key;
    const { id } = await lucid.createDesktop('d');
    const { session, ticket_id, secret } = await lucid.createSession('d', { input: true });
    const place = { port: lucid.running.rdpPort, width: 800, height: 600 };
    const client = await FreeRdp.start({ ...place, user: ticket_id, password: secret });
    const desktop = lucid.displayOf(id);
    await client.connected();
    const { left, top } = await desktop.findWindow('xterm');
    await client.click(left + 50, top + 50);
    for (let i = 1; i <= 4; i++) {
      await client.type(`seq ${i}00 ${i}99`);
      await client.key('Return');
      moments.push(await quietMoment(`part-${i}`, client, desktop, 'vnc', 32));
    }
    await client.close();
    await desktop.close();
    bundle = await lucid.bundleOf(session.id);
  });
  after(() => lucid?.close());

  const verify = (folder: string) =>
    lucid.lucid('verify', folder, '--node-key', nodeKey, '--identity', lucid.identityFile, '--json');

  const chunks = (stream = 'screen') => readdirSync(join(bundle, stream)).sort();

  /** A copy of the bundle in which something was changed. */
  async function requireCaught(name: string, change: (folder: string) => void, named: string): Promise<void> {
    const copy = join(lucid.folder, name);
    cpSync(bundle, copy, { recursive: true });
    change(copy);
    await assert.rejects(verify(copy), (error: Error) => {
      assert.match(error.message, /ended with 1/);
      assert.ok(error.message.includes(named), error.message);
      return true;
    });
  }

  test('is verified, contents and replay included', async () => {
    assert.ok(chunks().length > 1, 'one chunk only');
    const report = JSON.parse(await verify(bundle));
    assert.equal(report.verdict, 'verified');
  });

  test('is replayed by the command line to what was seen, pixel for pixel', async () => {
    const replay = new Replay(bundle, lucid.identityFile);
    for (const { name, time, expected } of moments) {
      const png = join(lucid.folder, `${name}.png`);
      const at = replay.secondsAt(time).toFixed(3);
      await lucid.lucid('replay', bundle, '--identity', lucid.identityFile, '--at', at, '--png', png);
      const picture = readPng(readFileSync(png), (bytes, limit) => inflateSync(bytes, { maxOutputLength: limit }));
      assertSamePixels(picture, expected, join(PICTURES, `${name}-command-line`));
    }
  });

  test('is dumped as JSON lines, with the keys that were typed', async () => {
    const dump = await lucid.lucid('dump', bundle, '--identity', lucid.identityFile, '--stream', 'input');
    const lines = dump
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.ok(lines.length > 40, `${lines.length} records`);
  });

  test('opens with sha256sum, age and zstd alone', () => {
    execFileSync('sha256sum', ['--quiet', '-c', 'SHA256SUMS'], { cwd: bundle });
    for (const stream of ['screen', 'input']) {
      const key = join(lucid.folder, `${stream}.txt`);
      writeFileSync(key, execFileSync('age', ['-d', '-i', lucid.identityFile, join(bundle, 'keys', `${stream}.age`)]));
      let records = 0;
      for (const chunk of chunks(stream)) {
        const path = join(bundle, stream, chunk);
        let bytes = execFileSync('age', ['-d', '-i', key, path], { maxBuffer: 1 << 28 });
        if (chunk.endsWith('.zst.age')) bytes = execFileSync('zstd', ['-dc'], { input: bytes, maxBuffer: 1 << 28 });
        records += [...readRecords(bytes)].length;
      }
      assert.ok(records > 10, `${records} records in ${stream}`);
    }
  });

  test('with a bit flipped, a chunk missing or two swapped is not verified, and the chunk is named', async () => {
    const [first, second] = chunks();
    await requireCaught(
      'flipped',
      (folder) => {
        const path = join(folder, 'screen', second);
        const bytes = readFileSync(path);
        bytes[bytes.length >> 1] ^= 0x10;
        writeFileSync(path, bytes);
      },
      `screen/${second}`,
    );
    await requireCaught('missing', (folder) => rmSync(join(folder, 'screen', first)), `screen/${first}`);
    await requireCaught(
      'swapped',
      (folder) => {
        const [a, b] = [join(folder, 'screen', first), join(folder, 'screen', second)];
        renameSync(a, `${a}.x`);
        renameSync(b, a);
        renameSync(`${a}.x`, b);
        assert.ok(existsSync(a));
      },
      `screen/${first}`,
    );
  });
});
