/** Lucid is killed while desktops run: they go on, and are taken over when it comes back. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICE_NAMES } from '#contract/services.ts';
import { Desktop } from '#services/rdp-server-manager/desktop/desktop.ts';
import { Background } from '../support/child.ts';
import { apiAt } from '../support/lucid.ts';
import { needs } from '../support/needs.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

describe('a killed Lucid', { skip: needs('bwrap', 'xrdp', 'Xvnc', 'openbox', 'xterm') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'lucid-crash-'));
  const programs: Background[] = [];
  after(async () => {
    for (const program of programs) await program.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const password = 'correct horse battery';

  /** `lucid up` as a program of its own, and its API as the admin. */
  async function up() {
    const ports = SERVICE_NAMES.map((name) => {
      const setting = name === 'rdp-xrdp' ? 'RDP_XRDP_API' : name.toUpperCase().replaceAll('-', '_');
      return [`LUCID_${setting}_PORT`, '0'];
    });
    const env = {
      ...process.env,
      ...Object.fromEntries(ports),
      LUCID_RDP_XRDP_PORT: '0',
      LUCID_ADMIN_PASSWORD: password,
      LUCID_IDENTITY_FILE: join(folder, 'auditor.txt'),
      LOG_LEVEL: 'fatal',
    };
    const program = new Background(join(ROOT, 'lucid'), ['up', '--data', join(folder, 'data')], env);
    programs.push(program);
    for (let i = 0; ; i++) {
      const url = program.output.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
      if (url) {
        const { token } = await apiAt(url).logIn({ body: { name: 'admin', password } });
        return { program, api: apiAt(url, token) };
      }
      program.requireRunning();
      assert.ok(i < 300, `lucid does not come up: ${program.output}`);
      await sleep(50);
    }
  }

  test('leaves its desktops running, takes them over at its return, and ends them when it is stopped', async () => {
    const first = await up();
    const { id } = await first.api.createServer({ body: { name: 'a', spec: { kind: 'hosted' } } });
    await first.api.startServer({ params: { id } });
    await first.program.close('SIGKILL');

    const desktops = join(folder, 'data', 'rdp-server-manager', 'desktops');
    const desktop = Desktop.adopt(join(desktops, id));
    assert.ok(desktop, 'the desktop ended with Lucid');
    await desktop.check();

    const second = await up();
    for (let i = 0; (await second.api.getServer({ params: { id } })).state !== 'running'; i++) {
      assert.ok(i < 100, 'the server is not running again');
      await sleep(50);
    }
    assert.equal(Desktop.adopt(join(desktops, id))?.pid, desktop.pid, 'another desktop was started');

    await second.program.close('SIGTERM');
    await desktop.ended;
    assert.ok(!existsSync(`/proc/${desktop.pid}`));
  });
});
