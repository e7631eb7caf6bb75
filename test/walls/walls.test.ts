import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** Type checks one line of code as if it stood in `folder`: with that folder's own settings and references. */
function checkIn(folder: string, code: string): string {
  const config = JSON.parse(readFileSync(join(ROOT, folder, 'tsconfig.json'), 'utf8'));
  const home = mkdtempSync(join(ROOT, 'test/walls/.wall-'));
  try {
    writeFileSync(join(home, 'probe.ts'), code);
    writeFileSync(
      join(home, 'tsconfig.json'),
      JSON.stringify({
        ...config,
        extends: relative(home, resolve(ROOT, folder, config.extends)),
        compilerOptions: { ...config.compilerOptions, outDir: join(home, '.types'), rootDir: ROOT },
        include: ['probe.ts', join(ROOT, 'src/portable.d.ts')],
        references: (config.references ?? []).map(({ path }: { path: string }) => ({
          path: resolve(ROOT, folder, path),
        })),
      }),
    );
    const { stdout, error } = spawnSync(process.execPath, [TSC, '-p', home], { cwd: ROOT, encoding: 'utf8' });
    if (error) throw error;
    return stdout;
  } finally {
    rmSync(home, { recursive: true });
  }
}

const FORBIDDEN = [
  { folder: 'src/rdp', code: "import '#platform/id.ts';", why: /TS6307/ },
  { folder: 'src/rdp', code: "import { Buffer } from 'node:buffer'; void Buffer;", why: /TS2591|TS2307/ },
  { folder: 'src/rdp', code: 'export const size = Buffer.alloc(1).length;', why: /TS2591|TS2580|TS2304/ },
  { folder: 'src/evidence', code: "import '#rdp/bytes.ts';", why: /TS6307/ },
  { folder: 'src/evidence', code: "import 'node:crypto';", why: /TS2591|TS2307|TS2882/ },
  { folder: 'src/contract', code: "import '#platform/id.ts';", why: /TS6307/ },
  { folder: 'src/render', code: "import '#platform/id.ts';", why: /TS6307/ },
  { folder: 'src/services/rdp-xrdp', code: "import '#render/settings.ts';", why: /TS6307/ },
  { folder: 'src/platform', code: "import '#rdp/bytes.ts';", why: /TS6307/ },
  { folder: 'src/services/rdp-xrdp', code: "import '#services/node-management/index.ts';", why: /TS6307/ },
  { folder: 'src/services/rdp-xrdp', code: "import '#run/index.ts';", why: /TS6307/ },
];

const ALLOWED = [
  { folder: 'src/rdp', code: "import '#rdp/bytes.ts';" },
  { folder: 'src/services/rdp-xrdp', code: "import '#platform/id.ts'; import '#rdp/bytes.ts';" },
];

for (const { folder, code, why } of FORBIDDEN) {
  test(`the wall around ${folder} refuses ${code}`, () => assert.match(checkIn(folder, code), why));
}

for (const { folder, code } of ALLOWED) {
  // Its own folder's files are not in the probe's list: everything else must be without fault.
  test(`the wall around ${folder} lets ${code} through`, () => {
    const faults = checkIn(folder, code)
      .split('\n')
      .filter((line) => line && !line.includes(`'${ROOT}/${folder}`));
    assert.deepEqual(
      faults.filter((line) => line.includes('error TS')),
      [],
    );
  });
}
