/** A deleted recording: entries and leaves are still verified, and nothing but its own tombstone excuses what is gone. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { player, recordSession } from '../../../test/support/recorded-session.ts';
import { CLOSE_PATH, SUMS_PATH, TOMBSTONE_PATH } from '../bundle-layout.ts';
import { parseEntry } from '../entry.ts';
import { parseNote } from '../note.ts';
import { STREAMS } from '../record.ts';
import { utf8 } from '../text.ts';
import { formatTombstone, type Tombstone } from '../tombstone.ts';
import { byBytes, openBundleSource } from './bundle-source.ts';
import { exportBundle } from './bundle-writer.ts';
import { sha256 } from './hash.ts';
import { verifyBundle } from './verify.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-tombstone-'));
after(() => rmSync(root, { recursive: true }));
const session = recordSession(root, { runs: 2 });
const whole = join(root, 'bundle');
exportBundle(session.folder, whole);
const verifier = fileURLToPath(new URL('verify.mjs', import.meta.url));

/** What the session's own tombstone says, but for `changes`. */
function tombstone(changes: Partial<Tombstone> = {}): string {
  const { text } = parseNote(readFileSync(join(whole, CLOSE_PATH)));
  const close = parseEntry(text);
  assert.ok(close.kind === 'lucid/close/v1');
  const time = '2027-01-31T09:30:00.000Z';
  const own = { session: session.id, time, by: null, reason: 'retention-days', close: sha256(utf8(text)) };
  return formatTombstone({ ...own, leaves: close.leaves, root: close.root, storedBytes: 1, ...changes });
}

/** A copy of the bundle without `gone`, with a tombstone, and sums that fit. */
function deleted(text: string | null, gone: readonly string[] = ['keys', ...STREAMS]): string {
  const folder = mkdtempSync(join(root, 'deleted-'));
  cpSync(whole, folder, { recursive: true });
  for (const path of gone) rmSync(join(folder, path), { recursive: true, force: true });
  if (text !== null) writeFileSync(join(folder, TOMBSTONE_PATH), text);
  rmSync(join(folder, SUMS_PATH));
  const paths = [...openBundleSource(folder).paths].sort(byBytes);
  const sum = (path: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, path)))
      .digest('hex');
  writeFileSync(join(folder, SUMS_PATH), paths.map((path) => `${sum(path)}  ${path}\n`).join(''));
  return folder;
}

/** Both verifiers' verdict, and what the larger found wrong. */
function verdict(folder: string): [string, string] {
  const options = { nodeKeys: [session.signer.key], identities: [session.auditor], player };
  const steps = verifyBundle(openBundleSource(folder), options);
  let step = steps.next();
  while (!step.done) step = steps.next();
  const { verdict, checks } = step.value;
  const small = spawnSync(process.execPath, [verifier, folder, '--node-key', session.signer.verifier]);
  assert.equal(['verified', 'failed', 'incomplete'][small.status!], verdict, String(small.stdout));
  return [verdict, checks.flatMap(({ problems }) => problems.map(({ where, what }) => `${where}: ${what}`)).join('\n')];
}

test('entries and leaves of a deleted recording still verify', () => {
  assert.deepEqual(verdict(deleted(tombstone())), ['incomplete', '']);
});

test('what is missing without a tombstone is wrong, and so is a tombstone of something else', () => {
  const zeros = new Uint8Array(32);
  const other = '019aa000-0000-7000-8000-000000000000';
  for (const text of [
    null,
    tombstone({ close: zeros }),
    tombstone({ root: zeros }),
    tombstone({ session: other }),
    '',
  ]) {
    assert.equal(verdict(deleted(text))[0], 'failed', String(text));
  }
});

test('a chunk that was left behind must be the right one', () => {
  const folder = deleted(tombstone(), ['input', 'keys']);
  assert.deepEqual(verdict(folder), ['incomplete', '']);
  const forged = join(whole, 'screen/000000.zst.age');
  const bytes = readFileSync(forged);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(forged, bytes);
  const [word, problems] = verdict(deleted(tombstone(), ['input', 'keys']));
  assert.equal(word, 'failed');
  assert.match(problems, /screen\/000000.zst.age/);
});
