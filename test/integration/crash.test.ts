/** All of Lucid is killed while people work: at the next start every session is finished, with what was stored. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FINAL_STATES } from '#contract/session-pipeline.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import type { Background } from '../support/child.ts';
import { enter } from '../support/enter.ts';
import { eventually } from '../support/eventually.ts';
import { startLucidProgram } from '../support/lucid-program.ts';

let folder: string;
let desktop: DemoDesktop;
const programs: Background[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lucid-crash-'));
  desktop = await DemoDesktop.start({ tickMs: 0 });
});
after(async () => {
  for (const program of programs) await program.close();
  await desktop.close();
  rmSync(folder, { recursive: true, force: true });
});

const up = () =>
  startLucidProgram(folder, {
    settings: { LUCID_CHUNK_SECONDS: '1' },
    onStart: (program) => programs.push(program),
  });

test('a kill leaves no session behind', async () => {
  const first = await up();
  const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port };
  await first.api.createServer({ body: { name: 'demo', spec } });
  const create = () => first.api.createSession({ body: { server: 'demo', policy: { input: true } } });
  const [live, dropped, unused] = [await create(), await create(), await create()];
  const client = await enter(live);
  await client.type('before the end');
  await client.waitForPad((text) => text.includes('before the end'), 'what was typed');
  const gone = await enter(dropped);
  await gone.waitForPad((text) => text.includes('before the end'), 'the desktop');
  gone.abort();
  // A run of a second has been sealed and stored by then.
  const id = live.session.id;
  await eventually(
    'a stored chunk',
    async () => (await first.api.listChunks({ params: { id }, query: {} })).items.length > 0,
  );
  await first.program.close('SIGKILL');

  const { api, program } = await up();
  for (const { session } of [live, dropped]) {
    const found = await eventually('the end of a session', async () => {
      const now = await api.getSession({ params: { id: session.id } });
      return FINAL_STATES.includes(now.state) && now;
    });
    assert.deepEqual([found.state, found.reason], ['completed', 'Lucid stopped while the session was live']);
    assert.equal(found.connected, false);
  }
  assert.ok((await api.listChunks({ params: { id }, query: {} })).items.length > 0);
  assert.equal((await api.getSession({ params: { id: unused.session.id } })).state, 'created');
  await client.waitForEnd();

  // The ticket that nobody used is still good: it is in the database, not in memory.
  const next = await enter({
    ...unused,
    gateway: (await api.createTicket({ params: { id: unused.session.id }, body: {} })).gateway,
  });
  await next.disconnect();
  await program.close();
});
