/** The machine's clock is set back and ahead while people work (docs/sessions.md, The clock). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import type { HeadlessClient } from '#demo/headless-client.ts';
import type { Background } from '../support/child.ts';
import { enter } from '../support/enter.ts';
import { eventually } from '../support/eventually.ts';
import { startLucidProgram } from '../support/lucid-program.ts';
import { needs } from '../support/needs.ts';
import { SettableClock } from '../support/set-clock.ts';
import { untilOver, verifiedRecording } from '../support/verified-recording.ts';

const HOUR = 3600;

const root = mkdtempSync(join(tmpdir(), 'lucid-clock-'));
const open: { close(): unknown }[] = [];
after(async () => {
  for (const each of open.reverse()) await each.close();
  rmSync(root, { recursive: true, force: true });
});

test('a clock that is set back and ahead disturbs no session, and lengthens none', {
  skip: needs('faketime'),
}, async () => {
  const began = performance.now();
  const desktop = await DemoDesktop.start({ tickMs: 0 });
  const clock = new SettableClock(root);
  const { api, url } = await startLucidProgram(root, {
    settings: clock.environment,
    onStart: (program: Background) => open.push(desktop, program),
  });
  const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port };
  await api.createServer({ body: { name: 'demo', spec } });
  const create = (policy = {}) => api.createSession({ body: { server: 'demo', policy: { input: true, ...policy } } });

  /** Sets the clock, and waits until Lucid goes by it. @param seconds from the machine's clock */
  async function setClock(seconds: number): Promise<void> {
    clock.set(seconds);
    await eventually('the other time', async () => {
      const response = await fetch(`${url}/api/v1/nothing`, { headers: { connection: 'close' } });
      const { error } = (await response.json()) as { error: { timestamp: string } };
      return Math.abs(Date.parse(error.timestamp) - Date.now() - seconds * 1000) < 600_000;
    });
  }

  async function type(client: HeadlessClient, words: string): Promise<void> {
    desktop.model.state.text = '';
    await client.type(words);
    await client.waitForPad((text) => text.includes(words), words);
  }

  const [ticket, dropping, early, short] = [
    await create(),
    await create(),
    await create(),
    await create({ max_minutes: 60 }),
  ];
  const client = await enter(ticket);
  await type(client, 'before');

  // Back: people go on, their line may drop, who has a ticket comes in, and nobody is refused for an hour.
  await setClock(-HOUR);
  await type(client, 'an hour ago');
  client.abort();
  const again = await client.reconnect();
  await type(again, 'by its cookie');
  const late = await enter(early);
  await late.disconnect();
  for (let i = 0; i < 5; i++) await api.listSessions({ query: {} });
  const limited = await enter(short);
  const gone = await enter(dropping);
  gone.abort();
  await eventually('the session waits for its person', async () => {
    return (await api.getSession({ params: { id: dropping.session.id } })).resumable_until;
  });
  const unused = await create();

  // Ahead: who is connected stays; what ends at a time of day is over.
  await setClock(2 * HOUR);
  await type(again, 'two hours later');
  const refused = await enter(unused);
  assert.equal((await api.getSession({ params: { id: unused.session.id } })).started_at, null);
  refused.abort();
  assert.match((await untilOver(api, dropping.session.id)).reason!, /nobody came/);
  assert.match((await untilOver(api, short.session.id)).reason!, /time limit/);
  limited.abort();
  await again.disconnect();

  const elapsedUs = (performance.now() - began) * 1000;
  for (const { session } of [ticket, dropping, early, short]) {
    const { times, close } = await verifiedRecording(api, session.id, root, join(root, 'auditor.txt'));
    assert.equal(close.gaps, 0);
    assert.ok(times.length > 2);
    for (const [i, time] of times.entries()) {
      assert.ok(time >= (times[i - 1] ?? 0) && time < elapsedUs, `record ${i} of ${session.id} at ${time} µs`);
    }
  }
  const { sessions } = await api.getStatistics({ query: {} });
  assert.doesNotMatch(JSON.stringify(sessions), /:-/);
  const health = await (await fetch(`${url}/health`)).json();
  const uptime = (health as { uptime_seconds: number }).uptime_seconds;
  assert.ok(uptime >= 0 && uptime * 1e6 < elapsedUs + 1e6, `${uptime} s`);
});
