/** Lucid is killed while desktops run: they go on, and are taken over when it comes back. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Desktop } from '#services/rdp-server-manager/desktop/desktop.ts';
import type { Background } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { startLucidProgram } from '../support/lucid-program.ts';
import { needs } from '../support/needs.ts';

describe('a killed Lucid', { skip: needs('bwrap', 'xrdp', 'Xvnc', 'openbox', 'xterm') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'lucid-crash-'));
  const programs: Background[] = [];
  after(async () => {
    for (const program of programs) await program.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const up = () => startLucidProgram(folder, { onStart: (program) => programs.push(program) });

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
    const isRunning = async () => (await second.api.getServer({ params: { id } })).state === 'running';
    await eventually('the server runs again', isRunning);
    assert.equal(Desktop.adopt(join(desktops, id))?.pid, desktop.pid, 'another desktop was started');

    await second.program.close('SIGTERM');
    await desktop.ended;
    assert.ok(!existsSync(`/proc/${desktop.pid}`));
  });
});
