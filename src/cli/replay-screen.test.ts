import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatIdentity } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { exportBundle } from '#evidence/node/bundle-writer.ts';
import { type RecordedSession, recordSession } from '../../test/support/recorded-session.ts';
import { player } from './player.ts';
import { replayTo } from './replay-screen.ts';

const folder = mkdtempSync(join(tmpdir(), 'lucid-replay-'));
const bundle = join(folder, 'bundle');
const identity = join(folder, 'auditor.txt');
after(() => rmSync(folder, { recursive: true }));

let session: RecordedSession;

before(() => {
  session = recordSession(folder);
  exportBundle(session.folder, bundle);
  writeFileSync(identity, `${formatIdentity(session.auditor)}\n`);
});

function lucid(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  return spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { encoding: 'utf8' });
}

const pixelsOf = (file: string) => Buffer.from(player.readPng(readFileSync(file)).pixels);

suite('replay', () => {
  test('seeking gives at any time what playing from the start gives', () => {
    const reader = new BundleReader(openBundleSource(bundle), [session.auditor]);
    for (const { time, pixels } of session.frames) {
      for (const at of [time, time + 1000]) {
        const moment = replayTo(reader, at);
        assert.equal(moment.time, time);
        assert.deepEqual(Buffer.from(moment.screen.pixels), Buffer.from(pixels), `at ${at} µs`);
      }
    }
  });

  test('before the first record the screen is black, after the last it stays', () => {
    const reader = new BundleReader(openBundleSource(bundle), [session.auditor]);
    assert.ok(replayTo(reader, 1).screen.pixels.every((value, i) => value === (i % 4 === 3 ? 255 : 0)));
    const last = session.frames.at(-1)!;
    assert.deepEqual(Buffer.from(replayTo(reader, 1e12).screen.pixels), Buffer.from(last.pixels));
  });

  test('the keyframe to begin with is the last before the time, by whichever index it is told', () => {
    const reader = new BundleReader(openBundleSource(bundle), [session.auditor]);
    const all = [...reader.index()].flatMap(({ keyframes }) => keyframes);
    assert.ok(all.length > 1);
    const times = all.flatMap(({ time }) => [time - 1, time, time + 1]);
    for (const time of [0, ...times, 1e12]) {
      assert.deepEqual(reader.findKeyframe(time), all.findLast((keyframe) => keyframe.time <= time) ?? null);
    }
  });

  test('keyframes are used: what lies before one is not read', () => {
    const reader = new BundleReader(openBundleSource(bundle), [session.auditor]);
    const read: string[] = [];
    const { source } = reader;
    const original = source.read.bind(source);
    source.read = (path, limit) => {
      read.push(path);
      return original(path, limit);
    };
    replayTo(reader, session.frames.at(-1)!.time - 1);
    assert.ok(!read.includes('screen/000000.zst.age'));
    assert.ok(read.includes('screen/000002.zst.age'));
    assert.deepEqual(
      read.filter((path) => path.startsWith('index/')),
      ['index/000002.zst.age', 'index/000001.zst.age'],
    );
  });
});

suite('commands', () => {
  test('verify tells all that was checked, and what was not', () => {
    const run = lucid('verify', bundle, '--node-key', session.signer.verifier, '--identity', identity);
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /ok +replay +3 keyframes equal the replay in every pixel/);
    assert.match(run.stdout, /VERIFIED \(not ledgered, not anchored\)\n$/);
  });

  test('verify --json', () => {
    const report = JSON.parse(lucid('verify', bundle, '--node-key', session.signer.verifier, '--json').stdout);
    assert.equal(report.verified, true);
    assert.equal(report.session, session.id);
  });

  test('verify has an exit code for what is wrong and one for what is missing', () => {
    assert.equal(lucid('verify', bundle).status, 2);
    const broken = join(folder, 'broken.tar');
    assert.equal(spawnSync('tar', ['-cf', broken, '-C', folder, '--exclude=000001.zst.age', 'bundle']).status, 0);
    const run = lucid('verify', broken, '--node-key', session.signer.verifier);
    assert.equal(run.status, 1);
    assert.match(run.stdout, /screen\/000001\.zst\.age: is missing; it has a leaf/);
    assert.equal(lucid('verify', join(folder, 'nothing')).status, 1);
  });

  test('replay draws one moment, or each second', () => {
    const png = join(folder, 'at.png');
    const { time, pixels } = session.frames[13];
    const run = lucid('replay', bundle, '--identity', identity, '--at', String(time / 1e6), '--png', png);
    assert.equal(run.status, 0, run.stderr);
    assert.deepEqual(pixelsOf(png), Buffer.from(pixels));
    const frames = join(folder, 'frames');
    assert.equal(lucid('replay', bundle, '--identity', identity, '--frames', frames).status, 0);
    // The config at 0 s, then 30 frames in steps of a quarter second.
    assert.deepEqual(
      readdirSync(frames).sort(),
      Array.from({ length: 9 }, (_, i) => `${String(i).padStart(6, '0')}.png`),
    );
    const atThree = session.frames.find((frame) => frame.time === 3_000_000)!;
    assert.deepEqual(pixelsOf(join(frames, '000003.png')), Buffer.from(atThree.pixels));
    assert.equal(lucid('replay', bundle, '--identity', identity).status, 1);
  });

  test('dump prints every record in order', () => {
    const run = lucid('dump', bundle, '--identity', identity);
    assert.equal(run.status, 0, run.stderr);
    const records = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const captured = records.filter(({ stream }) => !['keyframes', 'index'].includes(stream));
    assert.deepEqual(
      captured.map(({ seq }) => seq),
      captured.map((_, i) => i),
    );
    assert.deepEqual(records.find(({ type }) => type === 'serverPdu').updates[0].update, 'bitmap');
    assert.equal(records.find(({ type }) => type === 'clientPdu').events[0].kind, 'scancode');
    assert.equal(records.find(({ type }) => type === 'channelData').channel, 'cliprdr');
    assert.ok(records.every((record) => record.error === undefined));
    const only = lucid('dump', bundle, '--identity', identity, '--stream', 'keyframes');
    assert.equal(only.stdout.trimEnd().split('\n').length, 3);
  });
});
