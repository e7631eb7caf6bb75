import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { killRepeatedly } from '../support/killed-lucid.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-killed-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('Lucid is killed a hundred times: every byte that was shown is in a recording that verifies', async () => {
  await killRepeatedly(root, 100);
});
