/** What dies, and what follows: services are killed one by one while somebody works. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ServiceName } from '#contract/services.ts';
import { FINAL_STATES, type Session } from '#contract/session-pipeline.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import type { HeadlessClient } from '#demo/headless-client.ts';
import { paintNotice } from '#services/rdp-xrdp/notice-picture.ts';
import { pausedNotice } from '#services/rdp-xrdp/session.ts';
import { enter } from '../support/enter.ts';
import { eventually } from '../support/eventually.ts';
import { Processes } from '../support/processes.ts';
import { Replay } from '../support/replay.ts';

describe('deaths', { concurrency: false, timeout: 400_000 }, () => {
  let processes: Processes;
  let desktop: DemoDesktop;
  let api: Awaited<ReturnType<Processes['logIn']>>;

  before(async () => {
    desktop = await DemoDesktop.start({ tickMs: 0 });
    processes = await Processes.start();
    api = await processes.logIn();
    const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port };
    await api.createServer({ body: { name: 'demo', spec } });
  });
  after(async () => {
    await processes?.close();
    await desktop?.close();
  });

  async function kill(...names: ServiceName[]): Promise<void> {
    for (const name of names) await processes.stop(name, 'SIGKILL');
  }

  async function revive(...names: ServiceName[]): Promise<void> {
    for (const name of names) processes.run(name);
    for (const name of names) await processes.until(name, ({ status }) => status === 'healthy');
  }

  async function type(client: HeadlessClient, words: string): Promise<void> {
    desktop.model.state.text = '';
    await client.type(words);
    await client.waitForPad((text) => text.includes(words), words);
  }

  async function until(id: string, wanted: (session: Session) => boolean): Promise<Session> {
    return eventually(`session ${id}`, async () => {
      const session = await api.getSession({ params: { id } });
      return wanted(session) && session;
    });
  }

  /** What the recording of a session that is over says of itself, in order. */
  async function markersOf(id: string): Promise<string[]> {
    const bundle = join(processes.folder, `${id}.tar`);
    await writeFile(bundle, await api.getBundle({ params: { id }, query: {} }));
    return new Replay(bundle, processes.identityFile).markers().map(({ kind }) => kind);
  }

  const create = () => api.createSession({ body: { server: 'demo', policy: { input: true } } });
  const isOver = ({ state }: Session) => FINAL_STATES.includes(state);

  test('session-pipeline, rdp-controller and session-api: sessions go on, and are taken up again', async () => {
    const ticket = await create();
    const { id } = ticket.session;
    const client = await enter(ticket);
    await type(client, 'before');
    await kill('session-pipeline', 'rdp-controller', 'session-api');
    await type(client, 'meanwhile');
    await revive('session-pipeline', 'rdp-controller', 'session-api');
    const taken = await api.getSession({ params: { id } });
    assert.deepEqual([taken.state, taken.connected], ['recording', true]);
    await client.disconnect();
    const { state, reason } = await until(id, isOver);
    assert.deepEqual([state, reason], ['completed', 'the client left']);
    assert.deepEqual(await markersOf(id), ['disconnected', 'end']);
  });

  test('a session that ended while nobody could be told is completed all the same', async () => {
    const ticket = await create();
    const client = await enter(ticket);
    await type(client, 'unheard');
    await kill('session-pipeline');
    await client.disconnect();
    await revive('session-pipeline');
    assert.equal((await until(ticket.session.id, isOver)).state, 'completed');
  });

  test('rdp-xrdp: its sessions may be resumed', async () => {
    const ticket = await create();
    const { id } = ticket.session;
    const client = await enter(ticket);
    await type(client, 'first');
    await kill('rdp-xrdp');
    await client.waitForEnd();
    await revive('rdp-xrdp');
    const left = await until(id, ({ connected }) => !connected);
    assert.deepEqual([left.state, left.connected], ['recording', false]);
    const again = await enter(await api.createTicket({ params: { id }, body: {} }));
    await type(again, 'second');
    await again.disconnect();
    assert.equal((await until(id, isOver)).state, 'completed');
    assert.deepEqual(await markersOf(id), ['disconnected', 'reconnected', 'disconnected', 'end']);
  });

  test('a paused session stays paused through both, and goes on when it is resumed', async () => {
    const ticket = await create();
    const { id } = ticket.session;
    const params = { id };
    const client = await enter(ticket);
    await type(client, 'before');
    await api.pauseSession({ params, body: { reason: 'a fire drill' } });
    const { pixels } = paintNotice(1024, 640, pausedNotice('paused by its owner: a fire drill'));
    const frozen = createHash('sha256').update(pixels).digest('hex');
    await client.waitForHash(frozen);
    await kill('session-pipeline', 'rdp-controller');
    await revive('session-pipeline', 'rdp-controller');
    assert.equal((await api.getSession({ params })).state, 'paused');
    assert.equal((await api.getRecording({ params })).paused, true);
    desktop.model.type(' hidden');
    await client.askToLeave();
    assert.equal(client.pixelHash(), frozen);
    await kill('rdp-xrdp');
    await client.waitForEnd();
    await revive('rdp-xrdp');
    assert.equal((await until(id, ({ connected }) => !connected)).state, 'paused');
    assert.equal((await api.resumeSession({ params, body: {} })).state, 'recording');
    const again = await enter(await api.createTicket({ params, body: {} }));
    await again.waitForPad((text) => text === 'before hidden', 'what came meanwhile');
    await again.disconnect();
    assert.equal((await until(id, isOver)).state, 'completed');
    assert.deepEqual(await markersOf(id), ['pause', 'disconnected', 'resume', 'reconnected', 'disconnected', 'end']);
  });

  test('session-recorder: its sessions end, with the reason', async () => {
    const ticket = await create();
    const client = await enter(ticket);
    await type(client, 'kept');
    await kill('session-recorder');
    await until(ticket.session.id, ({ state }) => state !== 'recording');
    client.abort();
    await revive('session-recorder');
    const over = await until(ticket.session.id, isOver);
    assert.ok(isOver(over), `the session is ${over.state}`);
    assert.match(over.reason!, /record/);
    assert.equal((await markersOf(ticket.session.id)).at(-1), 'recorder-restarted');
  });
});
