/** All of Lucid on a disk that fails, and on one that is slow: what people see is what docs/journal.md says. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { SessionTicket } from '#contract/session-api.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import type { HeadlessClient } from '#demo/headless-client.ts';
import { replayBeside } from '#demo/replay-check.ts';
import type { HealthReport } from '#platform/health.ts';
import { freePort } from '../../bench/support/free-port.ts';
import { enter } from '../support/enter.ts';
import { type LucidProgram, startLucidProgram } from '../support/lucid-program.ts';
import { needs } from '../support/needs.ts';
import { isOfGateway } from '../support/notice.ts';
import { Strace } from '../support/strace.ts';
import { type VerifiedRecording, verifiedRecording } from '../support/verified-recording.ts';

const SEGMENT_BYTES = 4 * 1024 * 1024;
const root = mkdtempSync(join(tmpdir(), 'lucid-failing-disk-'));
const open: { close(): unknown }[] = [];
let desktop: DemoDesktop;

before(async () => {
  desktop = await DemoDesktop.start({ tickMs: 0 });
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});
after(async () => {
  await desktop.close();
  rmSync(root, { recursive: true, force: true });
});

interface Started extends LucidProgram {
  readonly folder: string;
  readonly journal: string;
  create(): Promise<SessionTicket>;
  /** What the recorder says of itself. */
  health(): Promise<HealthReport>;
  /** The recording of a session that is over: everything that a client was shown is in it. */
  settle(ticket: SessionTicket, client: HeadlessClient): Promise<VerifiedRecording>;
}

async function start(folder: string): Promise<Started> {
  const port = await freePort();
  const lucid = await startLucidProgram(folder, {
    settings: {
      LUCID_SESSION_RECORDER_PORT: String(port),
      LUCID_JOURNAL_SEGMENT_BYTES: String(SEGMENT_BYTES),
      LUCID_JOURNAL_FLOOR_BYTES: '0',
      LUCID_STORAGE_FLOOR_BYTES: '0',
    },
    onStart: (program) => open.push(program),
  });
  const { api } = lucid;
  const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port };
  await api.createServer({ body: { name: 'demo', spec } });
  return {
    ...lucid,
    folder,
    journal: join(folder, 'data', 'session-recorder', 'journal', 'segments'),
    create: () => api.createSession({ body: { server: 'demo', policy: { input: true } } }),
    async health() {
      const response = await fetch(`http://127.0.0.1:${port}/health`, { headers: { connection: 'close' } });
      return (await response.json()) as HealthReport;
    },
    async settle({ session }, client) {
      const recording = await verifiedRecording(api, session.id, root, join(folder, 'auditor.txt'));
      const shown = client.shown.filter((frame) => !isOfGateway(frame));
      assert.ok(replayBeside(recording.source, recording.identities, shown).pdus > 5);
      assert.equal(recording.close.gaps, 0);
      return recording;
    },
  };
}

async function type(client: HeadlessClient, words: string): Promise<void> {
  desktop.model.state.text = '';
  await client.type(words);
  await client.waitForPad((text) => text.includes(words), words);
}

test('a sync that fails ends its sessions with words; nothing that was shown is lost, and others go on', {
  skip: needs('strace'),
}, async () => {
  const folder = join(root, 'eio');
  mkdirSync(folder);
  const lucid = await start(folder);
  const tickets = [await lucid.create(), await lucid.create()];
  const clients = [await enter(tickets[0]), await enter(tickets[1])];
  await type(clients[0], 'kept');
  const segments = readdirSync(lucid.journal).map((name) => join(lucid.journal, name));
  const fault = await Strace.inject(lucid.program.child.pid!, 'fdatasync:error=EIO', segments);
  open.push(fault);
  await clients[0].type('lost');
  for (const client of clients) {
    await client.waitUntil(() => client.shown.some(isOfGateway), 'words');
    await client.type('x');
    await client.waitForEnd();
  }
  await fault.close();
  for (const [i, ticket] of tickets.entries()) {
    const { session, close } = await lucid.settle(ticket, clients[i]);
    assert.match(session.reason!, /recording failed: .*the journal's disk failed: EIO/);
    assert.equal(close.reason, 'recording-failed');
  }
  const ticket = await lucid.create();
  const client = await enter(ticket);
  await type(client, 'in another segment');
  await client.disconnect();
  assert.equal((await lucid.settle(ticket, client)).close.reason, 'ended');
});

test('syncs of 100 ms make screens slow, and health names the disk', { skip: needs('strace') }, async () => {
  const folder = join(root, 'slow');
  mkdirSync(folder);
  const lucid = await start(folder);
  const ticket = await lucid.create();
  const client = await enter(ticket);
  await type(client, 'quick');
  const fault = await Strace.inject(lucid.program.child.pid!, 'fdatasync:delay_exit=100000');
  open.push(fault);
  const began = performance.now();
  for (const words of ['one', 'two', 'three']) await type(client, words);
  const seconds = (performance.now() - began) / 1000;
  assert.ok(seconds > 0.3, `${seconds} s for three that wait 0.1 s each at least`);
  // Half of the syncs have to be slow, and there were quick ones before.
  let { checks } = await lucid.health();
  for (let i = 0; checks.journal.status !== 'degraded'; i++) {
    await type(client, `more ${i}`);
    ({ checks } = await lucid.health());
  }
  assert.match(checks.journal.detail!, /the journal's disk is slow: .* screens are shown that much later/);
  await fault.close();
  await client.disconnect();
  assert.equal((await lucid.settle(ticket, client)).session.state, 'completed');
});
