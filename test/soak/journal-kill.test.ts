import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { killRepeatedly } from '../support/journal-kill.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-journal-kill-'));
after(() => rmSync(root, { recursive: true }));

test('a recorder that is killed a hundred times has every record that it acknowledged', async () => {
  await killRepeatedly(root, 100);
});
