import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICE_NAMES, type ServiceName } from '#contract/services.ts';
import type { SessionTicket } from '#contract/session-api.ts';
import { FINAL_STATES } from '#contract/session-pipeline.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import type { HeadlessClient } from '#demo/headless-client.ts';
import { replayBeside } from '#demo/replay-check.ts';
import { enter } from './enter.ts';
import { eventually } from './eventually.ts';
import { isOfGateway } from './notice.ts';
import { Processes } from './processes.ts';
import { verifiedRecording } from './verified-recording.ts';

const CLIENTS = 2;

type Api = Awaited<ReturnType<Processes['logIn']>>;

/**
 * Kills one service after another at random moments while people work, each service a process of its own. After each
 * kill: sessions go on, may be resumed, or are over, as ARCHITECTURE.md says of that service; what was shown is recorded.
 *
 * @param times how many kills; each service has its turn before one has its second
 * @returns how many PDUs were shown in all
 */
export async function killServices(times: number): Promise<number> {
  const desktop = await DemoDesktop.start({ tickMs: 30 });
  let processes: Processes | null = null;
  let pdus = 0;
  try {
    processes = await Processes.start({
      LUCID_CHUNK_SECONDS: '1',
      LUCID_JOURNAL_SEGMENT_BYTES: String(4 * 1024 * 1024),
    });
    const api = await processes.logIn();
    const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port };
    await api.createServer({ body: { name: 'demo', spec } });
    let turns: ServiceName[] = [];
    for (let i = 0; i < times; i++) {
      if (turns.length === 0) turns = shuffled(SERVICE_NAMES);
      pdus += await killOne(turns.pop()!, processes, api);
    }
  } finally {
    await processes?.close();
    await desktop.close();
  }
  return pdus;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** @returns how many PDUs were shown meanwhile, all of which are recorded */
async function killOne(name: ServiceName, processes: Processes, api: Api): Promise<number> {
  const people = await Promise.all(Array.from({ length: CLIENTS }, () => work(api)));
  let pdus = 0;
  try {
    await sleep(100 + Math.random() * 2000);
    await processes.stop(name, 'SIGKILL');
    if (name === 'rdp-xrdp') for (const { client } of people) await client.waitForEnd();
    if (name === 'session-recorder') {
      // They read why, and go.
      for (const { client } of people) {
        await client.waitUntil(() => client.isClosed || client.shown.some(isOfGateway), 'words');
        await client.disconnect();
      }
    }
    processes.run(name);
    await processes.until(name, ({ status }) => status !== 'unhealthy');
    for (const { ticket, client } of people) pdus += await settle(name, processes, api, ticket, client);
  } catch (error) {
    throw new Error(`${name} was killed: ${(error as Error).message}`, { cause: error });
  } finally {
    for (const { client } of people) client.abort();
  }
  return pdus;
}

interface Person {
  readonly ticket: SessionTicket;
  readonly client: HeadlessClient;
}

/** Somebody goes in, and types. Who comes while Lucid still recovers from the last kill is refused, and asks again. */
async function work(api: Api): Promise<Person> {
  const { ticket, client } = await eventually('somebody comes in', async () => {
    const ticket = await api.createSession({ body: { server: 'demo', policy: { input: true } } });
    const client = await enter(ticket);
    const { state } = await api.getSession({ params: { id: ticket.session.id } });
    if (state === 'recording') return { ticket, client };
    client.abort();
    return null;
  });
  const type = async () => {
    for (let i = 0; !client.isClosed; i++) {
      await client.type(`line ${i} `).catch(() => {});
      await sleep(20);
    }
  };
  type();
  return { ticket, client };
}

async function settle(
  name: ServiceName,
  processes: Processes,
  api: Api,
  ticket: SessionTicket,
  client: HeadlessClient,
): Promise<number> {
  const { id } = ticket.session;
  const get = () => api.getSession({ params: { id } });
  if (name === 'rdp-xrdp') {
    await eventually('the session waits for its person', async () => {
      const { connected, resumable_until } = await get();
      return !connected && resumable_until;
    });
    assert.equal((await get()).state, 'recording');
    await api.stopSession({ params: { id }, body: {} });
  } else if (name !== 'session-recorder') {
    const { frames } = client;
    await client.waitUntil(() => client.frames > frames + 5, 'the desktop to go on');
    assert.ok(!FINAL_STATES.includes((await get()).state));
    await client.disconnect();
  }
  const over = await verifiedRecording(api, id, processes.folder, processes.identityFile);
  const { session, markers, close, source, identities } = over;
  const kinds = markers.map(({ kind }) => kind);
  assert.deepEqual([session.state, close.gaps], ['completed', 0], session.reason ?? '');
  if (name === 'session-recorder') assert.ok(kinds.includes('recorder-restarted'), kinds.join());
  else assert.ok(kinds.includes(name === 'rdp-xrdp' ? 'disconnected' : 'end'), kinds.join());
  const shown = client.shown.filter((frame) => !isOfGateway(frame));
  return replayBeside(source, identities, shown).pdus;
}
