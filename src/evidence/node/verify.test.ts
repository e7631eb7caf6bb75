import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs } from '../../../test/support/needs.ts';
import { player, type RecordedSession, recordSession } from '../../../test/support/recorded-session.ts';
import { formatIdentity, generateIdentity } from './age-keys.ts';
import { openBundleSource } from './bundle-source.ts';
import { exportBundle } from './bundle-writer.ts';
import { verifyBundle } from './verify.ts';
import type { VerifyReport } from './verify-report.ts';

const SUMS = 'SHA256SUMS';
const folder = mkdtempSync(join(tmpdir(), 'lucid-verify-'));
after(() => rmSync(folder, { recursive: true }));

let session: RecordedSession;
let other: RecordedSession;
let bundle: string;
let otherBundle: string;
/** A bundle of one run, and another session's, to try every tampering on every file. */
let small: string;
let otherSmall: string;
let copies = 0;

before(() => {
  session = recordSession(folder);
  other = recordSession(folder, { signer: session.signer, auditor: session.auditor });
  bundle = join(folder, 'bundle');
  otherBundle = join(folder, 'other-bundle');
  small = join(folder, 'small');
  otherSmall = join(folder, 'other-small');
  exportBundle(session.folder, bundle);
  exportBundle(other.folder, otherBundle);
  const one = { runs: 1, signer: session.signer, auditor: session.auditor };
  for (const path of [small, otherSmall]) exportBundle(recordSession(folder, one).folder, path);
});

interface Given {
  readonly keys?: boolean;
  readonly identity?: boolean;
  readonly session?: string;
}

/** Verifies to the end. */
function verify(path: string, { keys = true, identity = false, session: wanted }: Given = {}): VerifyReport {
  const source = openBundleSource(path);
  try {
    const steps = verifyBundle(source, {
      nodeKeys: keys ? [session.signer.key] : [],
      ...(wanted !== undefined && { session: wanted }),
      identities: identity ? [session.auditor] : [],
      player,
    });
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  } finally {
    source.close();
  }
}

/** What the small verifier says of a bundle. */
function smallVerifier(path: string): { status: number | null; text: string } {
  const script = fileURLToPath(new URL('./verify.mjs', import.meta.url));
  const run = spawnSync(process.execPath, [script, path, '--node-key', session.signer.verifier], { encoding: 'utf8' });
  return { status: run.status, text: run.stdout + run.stderr };
}

function problems(report: VerifyReport): string {
  const found = report.checks.flatMap((check) =>
    check.problems.map(({ where, what }) => `${check.name}: ${where}: ${what}`),
  );
  return [...found, ...report.missing].join('\n');
}

/** A copy of a bundle that `tamper` changes. */
function tampered(tamper: (path: string) => void, original = bundle): string {
  const copy = join(folder, `copy-${copies++}`);
  cpSync(original, copy, { recursive: true });
  tamper(copy);
  return copy;
}

/** Makes SHA256SUMS anew, as somebody would who tampers with care. */
function resum(path: string): void {
  const sums = files(path)
    .filter((name) => name !== SUMS)
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(path, name)))
          .digest('hex')}  ${name}\n`,
    );
  writeFileSync(join(path, SUMS), sums.join(''));
}

function files(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(path, name)).isFile())
    .sort();
}

function edit(path: string, change: (bytes: Buffer) => Buffer): void {
  writeFileSync(path, change(readFileSync(path)));
}

/** Each way to tamper with one file; null where it would change nothing. */
const TAMPERINGS: Record<string, (path: string, name: string) => void> = {
  'flip a bit': (path, name) =>
    edit(join(path, name), (bytes) => {
      bytes[bytes.length >> 1] ^= 1;
      return bytes;
    }),
  drop: (path, name) => rmSync(join(path, name)),
  truncate: (path, name) => edit(join(path, name), (bytes) => bytes.subarray(0, bytes.length - 1)),
  empty: (path, name) => writeFileSync(join(path, name), ''),
  extend: (path, name) => edit(join(path, name), (bytes) => Buffer.concat([bytes, Buffer.from('\n')])),
  'swap between sessions': (path, name) => cpSync(join(otherSmall, name), join(path, name)),
  'reorder lines': (path, name) =>
    edit(join(path, name), (bytes) => {
      const lines = bytes.toString('latin1').split('\n');
      [lines[0], lines[1]] = [lines[1] ?? '', lines[0]];
      return Buffer.from(lines.join('\n'), 'latin1');
    }),
};

/** These are made for convenience: nobody signs them, so new sums hide a change. The README says where to take them from. */
const UNSIGNED = ['README.txt', 'verify.mjs', SUMS];

suite('a bundle that nobody touched', () => {
  test('is verified, and replays to the receipts in every pixel', () => {
    const report = verify(bundle, { identity: true });
    assert.equal(problems(report), '');
    assert.equal(report.verdict, 'verified');
    assert.equal(report.session, session.id);
    assert.deepEqual(
      report.checks.map(({ name, status }) => `${name} ${status}`),
      [
        'files passed',
        'entries passed',
        'tree passed',
        'chunks passed',
        'ledger skipped',
        'anchors skipped',
        'records passed',
        'replay passed',
      ],
    );
  });

  test('says truthfully that it is neither ledgered nor anchored', () => {
    const report = verify(bundle);
    assert.equal(report.ledgered, false);
    assert.equal(report.anchored, false);
    assert.match(report.checks.find(({ name }) => name === 'ledger')!.detail, /not ledgered/);
    assert.match(report.checks.find(({ name }) => name === 'anchors')!.detail, /not anchored/);
  });

  test('is the same as a tar archive', () => {
    const theirs = join(folder, 'theirs.tar');
    assert.equal(spawnSync('tar', ['-cf', theirs, '-C', folder, 'bundle']).status, 0);
    assert.equal(problems(verify(theirs, { identity: true })), '');
  });

  test('passes sha256sum -c', () => {
    const run = spawnSync('sha256sum', ['-c', '--strict', '--quiet', SUMS], { cwd: bundle, encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
  });

  test('passes the small verifier', () => {
    const { status, text } = smallVerifier(bundle);
    assert.equal(status, 0, text);
    assert.match(text, /not ledgered, not anchored/);
  });

  test("opens with Debian's age and zstd alone", {
    skip: needs('age', 'zstd'),
  }, () => {
    writeFileSync(join(folder, 'auditor.txt'), `${formatIdentity(session.auditor)}\n`);
    const script = `set -e
      age -d -i ../auditor.txt keys/screen.age > ../k.txt
      for chunk in screen/*.zst.age; do age -d -i ../k.txt "$chunk" | zstd -d; done | wc -c`;
    const run = spawnSync('bash', ['-o', 'pipefail', '-c', script], { cwd: bundle, encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    assert.ok(Number(run.stdout) > 0);
  });
});

suite('what is missing makes it incomplete', () => {
  test('no verifier key', () => {
    const report = verify(bundle, { keys: false });
    assert.equal(report.verdict, 'incomplete');
    assert.match(problems(report), /verifier key/);
  });

  test('no close entry', () => {
    const open = tampered((path) => {
      rmSync(join(path, 'close.note'));
      resum(path);
    });
    assert.equal(verify(open).verdict, 'incomplete');
    assert.match(problems(verify(open)), /close\.note/);
    assert.equal(smallVerifier(open).status, 2);
  });

  test('a guest reads what is not input, and is told what could not be checked', () => {
    const source = openBundleSource(bundle);
    const steps = verifyBundle(source, {
      nodeKeys: [session.signer.key],
      identities: [session.guest],
      player,
    });
    let step = steps.next();
    while (!step.done) step = steps.next();
    assert.equal(step.value.verdict, 'verified');
    assert.match(step.value.checks.find(({ name }) => name === 'records')!.detail, /could not be checked/);
  });

  test('a stranger is told that no key opens for him', () => {
    const source = openBundleSource(bundle);
    const steps = verifyBundle(source, {
      nodeKeys: [session.signer.key],
      identities: [generateIdentity()],
      player: null,
    });
    let step = steps.next();
    while (!step.done) step = steps.next();
    assert.equal(step.value.verdict, 'incomplete');
    assert.match(problems(step.value), /identity: the one given opens nothing/);
  });
});

suite('tampering is caught and named', () => {
  for (const careful of [false, true]) {
    for (const [how, tamper] of Object.entries(TAMPERINGS)) {
      test(`${how}${careful ? ', sums made anew' : ''}`, () => {
        for (const name of files(small)) {
          if (careful && UNSIGNED.includes(name)) continue;
          const path = tampered((copy) => {
            tamper(copy, name);
            if (careful) resum(copy);
          }, small);
          if (readOrNull(path, name)?.equals(readFileSync(join(small, name)))) continue;
          const base = name.replace(/\.zst\.age$/, '');
          const report = verify(path);
          assert.notEqual(report.verdict, 'verified', name);
          assert.ok(problems(report).includes(base), `${name}: lucid verify says\n${problems(report)}`);
          // The sums alone catch the careless: what is left to the small verifier is the rest.
          if (careful || UNSIGNED.includes(name)) {
            const script = smallVerifier(path);
            assert.notEqual(script.status, 0, `${name}: ${script.text}`);
            assert.ok(script.text.includes(base), `${name}: verify.mjs says\n${script.text}`);
          }
          rmSync(path, { recursive: true });
        }
      });
    }
  }

  test('two chunks of one stream swapped', () => {
    const path = tampered((copy) => {
      const [a, b] = ['screen/000000.zst.age', 'screen/000001.zst.age'].map((name) => join(copy, name));
      const bytes = readFileSync(a);
      cpSync(b, a);
      writeFileSync(b, bytes);
      resum(copy);
    });
    assert.match(problems(verify(path)), /screen\/000000\.zst\.age/);
    assert.match(problems(verify(path)), /screen\/000001\.zst\.age/);
  });

  test('a chunk dropped together with its leaf', () => {
    const path = tampered((copy) => {
      rmSync(join(copy, 'screen/000001.zst.age'));
      edit(join(copy, 'leaves.txt'), (bytes) =>
        Buffer.from(
          bytes
            .toString()
            .split('\n')
            .filter((line) => !line.includes(' screen 1 '))
            .join('\n'),
        ),
      );
      resum(copy);
    });
    assert.match(problems(verify(path)), /one of the leaves 6 to 10 is not the one that partial\/1\.note signs/);
  });

  test('an old partial entry put in the place of a new one', () => {
    const path = tampered((copy) => {
      cpSync(join(copy, 'partial/0.note'), join(copy, 'partial/2.note'));
      resum(copy);
    });
    assert.match(problems(verify(path)), /partial\/2\.note: holds the partial entry 0/);
  });

  test('another session under the same key is no replacement for an entry', () => {
    const path = tampered((copy) => {
      cpSync(join(otherBundle, 'open.note'), join(copy, 'open.note'));
      resum(copy);
    });
    assert.match(problems(verify(path)), /close\.note: closes another open entry/);
    assert.match(problems(verify(path)), /keys\/screen\.age: its SHA-256 is not the one in open\.note/);
  });

  test('a session signed by a key that is not the pinned one', () => {
    const forged = recordSession(folder);
    const path = join(folder, 'forged');
    exportBundle(forged.folder, path);
    assert.equal(verify(path).verdict, 'failed');
    assert.match(problems(verify(path)), /open\.note: note\.signature: signed by lucid-test\/node\+/);
  });

  test('a whole bundle of another session in the place of this one', () => {
    const report = verify(otherBundle, { session: session.id });
    assert.equal(report.verdict, 'failed');
    assert.match(problems(report), /open\.note: opens the session .*, wanted /);
  });

  test('an extra file', () => {
    const path = tampered((copy) => {
      writeFileSync(join(copy, 'screen/000009.zst.age'), 'x');
      writeFileSync(join(copy, 'notes.txt'), 'x');
      resum(copy);
    });
    assert.match(problems(verify(path)), /screen\/000009\.zst\.age: has no leaf/);
    assert.match(problems(verify(path)), /notes\.txt: no file of a bundle is called so/);
    assert.equal(smallVerifier(path).status, 1);
  });

  test('a flipped bit is named with an identity too, and the rest is still read', () => {
    const path = tampered((copy) => TAMPERINGS['flip a bit'](copy, 'screen/000001.zst.age'));
    const report = verify(path, { identity: true });
    assert.equal(report.verdict, 'failed');
    assert.match(
      report.checks.find(({ name }) => name === 'replay')!.detail,
      /cannot be replayed beyond screen\/000001/,
    );
  });
});

function readOrNull(path: string, name: string): Buffer | null {
  return existsSync(join(path, name)) ? readFileSync(join(path, name)) : null;
}
