/** Seen from the kernel: what is shown was made durable before. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { needs } from '../support/needs.ts';
import { readTrace } from '../support/strace.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-journal-order-'));
after(() => rmSync(root, { recursive: true }));
const PROGRAM = join(import.meta.dirname, '../support/journal-shower.ts');

test('for each record that is shown, the sync after its write has returned before', { skip: needs('strace') }, () => {
  const trace = join(root, 'trace');
  const shown = execFileSync(
    'strace',
    ['-f', '-y', '-o', trace, '-e', 'trace=pwrite64,fdatasync,write', process.execPath, PROGRAM, join(root, 'journal')],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  assert.equal(shown.trim().split('\n').length, 50);
  const calls = readTrace(readFileSync(trace, 'utf8'));
  let written: string | null = null;
  let [isDurable, count] = [false, 0];
  for (const { name, text, result } of calls) {
    const segment = /<([^>]*\.segment)>/.exec(text)?.[1] ?? null;
    // What makes a segment ready holds no records: zeros, and its head.
    if (name === 'pwrite64' && segment && !/, "(\\0|lucid-journal)/.test(text)) [written, isDurable] = [segment, false];
    if (name === 'fdatasync' && segment !== null && segment === written) isDurable = result === 0;
    if (name !== 'write' || !text.includes('"shown ')) continue;
    assert.ok(isDurable, `shown before it was durable: ${text}`);
    [written, isDurable] = [null, false];
    count++;
  }
  assert.equal(count, 50);
});
