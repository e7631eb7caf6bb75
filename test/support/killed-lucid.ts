import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import type { HeadlessClient } from '#demo/headless-client.ts';
import { replayBeside } from '#demo/replay-check.ts';
import type { Background } from './child.ts';
import { enter } from './enter.ts';
import { type LucidProgram, startLucidProgram } from './lucid-program.ts';
import { verifiedRecording } from './verified-recording.ts';

const CLIENTS = 3;

type Api = LucidProgram['api'];

/** What a killed program owes: a session, and every frame that its client was shown. */
interface Debt {
  readonly id: string;
  readonly client: HeadlessClient;
}

/**
 * Kills all of Lucid again and again at random moments while people work, and checks after each restart that every session
 * is completed, that its bundle verifies, and that every byte that its client was shown is in the recording.
 *
 * @param folder empty
 * @returns how many PDUs were shown in all
 */
export async function killRepeatedly(folder: string, times: number): Promise<number> {
  const desktop = await DemoDesktop.start({ tickMs: 30 });
  let program: Background | null = null;
  let pdus = 0;
  let debts: Debt[] = [];
  try {
    for (let i = 0; i <= times; i++) {
      const running = await start(folder);
      program = running.program;
      const { api } = running;
      const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port };
      if (i === 0) await api.createServer({ body: { name: 'demo', spec } });
      for (const debt of debts) pdus += await settle(api, folder, debt);
      if (i === times) break;
      debts = await Promise.all(Array.from({ length: CLIENTS }, () => work(api)));
      await sleep(100 + Math.random() * 2500);
      await program.close('SIGKILL');
      for (const { client } of debts) await client.waitForEnd();
    }
  } finally {
    await program?.close();
    for (const { client } of debts) client.abort();
    await desktop.close();
  }
  return pdus;
}

/** Starts `lucid up` on the data folder, so set that much happens in a short time. */
function start(folder: string): Promise<LucidProgram> {
  return startLucidProgram(folder, {
    settings: {
      LUCID_CHUNK_SECONDS: '1',
      // Connections of a killed gateway count until the controller has asked the new one.
      LUCID_MAX_CONNECTIONS_PER_USER: '1000',
      LUCID_MAX_CONNECTIONS_PER_SERVER: '1000',
      LUCID_MAX_CONNECTIONS_PER_ADDRESS: '1000',
      LUCID_JOURNAL_SEGMENT_BYTES: String(4 * 1024 * 1024),
    },
  });
}

async function work(api: Api): Promise<Debt> {
  const ticket = await api.createSession({ body: { server: 'demo', policy: { input: true } } });
  const client = await enter(ticket);
  type(client);
  return { id: ticket.session.id, client };
}

/** Types until the connection ends. */
async function type(client: HeadlessClient): Promise<void> {
  for (let i = 0; !client.isClosed; i++) {
    await client.type(`line ${i} `).catch(() => {});
    await sleep(20);
  }
}

/** @returns how many PDUs the session's client was shown, all of which are recorded */
async function settle(api: Api, folder: string, { id, client }: Debt): Promise<number> {
  const { session, source, identities, close, markers } = await verifiedRecording(
    api,
    id,
    folder,
    join(folder, 'auditor.txt'),
  );
  assert.deepEqual([session.state, session.reason], ['completed', 'Lucid stopped while the session was live']);
  assert.deepEqual([close.reason, close.gaps], ['recorder-restarted', 0]);
  assert.ok(markers.some(({ kind }) => kind === 'recorder-restarted'));
  return replayBeside(source, identities, client.shown).pdus;
}
