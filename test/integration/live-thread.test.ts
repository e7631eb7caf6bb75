/** The thread of gateway and recorder dies under `lucid up`: sessions end, all else goes on, and it is started again. */
import assert from 'node:assert/strict';
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { SessionTicket } from '#contract/session-api.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { HeadlessClient } from '#demo/headless-client.ts';
import { replayBeside } from '#demo/replay-check.ts';
import { parseIdentityFile } from '#evidence/node/age-keys.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import type { HealthReport } from '#platform/health.ts';
import { TestLucid } from '../support/lucid.ts';

const LIVE = 'session-recorder and rdp-xrdp';

/** Threads that run services, as they are made. */
const threads: Worker[] = [];
subscribe('worker_threads', (message) => {
  const { worker } = message as { worker: Worker };
  if (worker.threadName === LIVE) threads.push(worker);
});

async function connect({ gateway, ticket_id, secret }: SessionTicket): Promise<HeadlessClient> {
  const to = { host: gateway.host, port: gateway.port };
  return HeadlessClient.connect({ to, pin: gateway.certificate_sha256, userName: ticket_id, password: secret });
}

describe('the live thread', { concurrency: false, timeout: 120_000 }, () => {
  let lucid: TestLucid;
  let desktop: DemoDesktop;

  before(async () => {
    desktop = await DemoDesktop.start({ tickMs: 0 });
    lucid = await TestLucid.start();
    const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port };
    await lucid.api.createServer({ body: { name: 'demo', spec } });
  });
  after(async () => {
    await lucid?.close();
    await desktop?.close();
  });

  const create = () => lucid.createSession('demo', { input: true });

  async function work(ticket: SessionTicket): Promise<HeadlessClient> {
    const client = await connect(ticket);
    desktop.model.state.text = '';
    await client.type('shown');
    await client.waitForPad((text) => text.includes('shown'), 'shown');
    return client;
  }

  async function health(name: 'rdp-xrdp' | 'session-recorder' | 'session-api'): Promise<HealthReport | null> {
    const url = `http://127.0.0.1:${lucid.running.ports[name]}/health`;
    return fetch(url, { headers: { connection: 'close' } }).then(
      async (response) => (await response.json()) as HealthReport,
      () => null,
    );
  }

  async function untilHealthy(name: 'rdp-xrdp' | 'session-recorder'): Promise<void> {
    while ((await health(name))?.status !== 'healthy') await sleep(50);
  }

  test('it runs the gateway and the recorder, whose figures are those of that thread', async () => {
    assert.equal(threads.length, 1);
    const metrics = async (name: 'rdp-xrdp' | 'session-api') => {
      const url = `http://127.0.0.1:${lucid.running.ports[name]}/metrics`;
      const text = await (await fetch(url, { headers: { connection: 'close' } })).text();
      return (figure: string) => Number(new RegExp(`^${figure}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1]);
    };
    const [gateway, api] = await Promise.all([metrics('rdp-xrdp'), metrics('session-api')]);
    assert.equal(gateway('lucid_rdp_connections'), 0);
    // One process, two event loops.
    assert.equal(gateway('process_start_time_seconds'), api('process_start_time_seconds'));
    assert.notEqual(gateway('nodejs_heap_size_used_bytes'), api('nodejs_heap_size_used_bytes'));
  });

  test('when it dies its sessions end with all that was shown, and it is started again', async () => {
    const ticket = await create();
    const client = await work(ticket);
    const { id } = ticket.session;
    await threads[0].terminate();
    await client.waitForEnd();
    assert.notEqual(await health('session-api'), null);

    await untilHealthy('rdp-xrdp');
    await untilHealthy('session-recorder');
    assert.equal(threads.length, 2);
    const { reason } = await lucid.until(id, 'completed');
    assert.equal(reason, 'the recorder died with the connection');
    const identities = parseIdentityFile(readFileSync(lucid.identityFile, 'utf8'));
    const { pdus } = replayBeside(openBundleSource(await lucid.bundleOf(id)), identities, client.shown);
    assert.ok(pdus > 0);

    const again = await create();
    const next = await work(again);
    await next.disconnect();
    await lucid.until(again.session.id, 'completed');
  });

  test('when it dies again at once, the program says that it cannot go on', async () => {
    await threads[1].terminate();
    assert.match((await lucid.running.failed).message, /the thread of session-recorder and rdp-xrdp has died/);
    assert.equal(threads.length, 2);
    assert.notEqual(await health('session-api'), null);
  });
});
