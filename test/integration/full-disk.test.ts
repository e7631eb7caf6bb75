/** All of Lucid on a disk that becomes full while somebody works (docs/journal.md, When something fails). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { replayBeside } from '#demo/replay-check.ts';
import { FastPathUpdateCode, Fragmentation, writeFastPathOutput } from '#rdp/pdu/fast-path-output.ts';
import { enter } from '../support/enter.ts';
import { eventually } from '../support/eventually.ts';
import { startLucidProgram } from '../support/lucid-program.ts';
import { isOfGateway } from '../support/notice.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { verifiedRecording } from '../support/verified-recording.ts';

const DISK = '96m';
const open: { close(): unknown }[] = [];
after(async () => {
  for (const each of open.reverse()) await each.close();
});

test('who is connected reads why it ends, new sessions are refused, and all is stored once there is room', {
  skip: process.getuid?.() === 0 ? false : 'only root may mount a small file system',
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lucid-full-disk-'));
  open.push({ close: () => rmSync(folder, { recursive: true, force: true }) });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', folder]);
  open.push({ close: () => execFileSync('umount', ['-l', folder]) });
  const server = await ScriptedServer.start();
  open.push(server);
  const { api } = await startLucidProgram(folder, {
    settings: {
      LUCID_JOURNAL_SEGMENT_BYTES: String(4 * 1024 * 1024),
      LUCID_JOURNAL_FLOOR_BYTES: '0',
      LUCID_STORAGE_FLOOR_BYTES: '0',
    },
    onStart: (program) => open.push(program),
  });
  const spec = { kind: 'external' as const, host: '127.0.0.1', port: server.port };
  await api.createServer({ body: { name: 'scripted', spec } });
  const create = () => api.createSession({ body: { server: 'scripted', policy: { input: true } } });
  const [ticket, next] = [await create(), await create()];
  const client = await enter(ticket);

  const ballast = join(folder, 'ballast');
  assert.throws(() => writeFileSync(ballast, Buffer.alloc(128 << 20)), { code: 'ENOSPC' });
  // Synchronize takes no data: what is in it draws nothing. It comes until the segments at hand are full.
  const filler = writeFastPathOutput(FastPathUpdateCode.synchronize, Fragmentation.single, new Uint8Array(16_000));
  while (!client.isClosed && !client.shown.some(isOfGateway)) {
    const { frames } = client;
    server.clients[0].socket.send(Array.from({ length: 16 }, () => filler));
    await client.waitUntil(() => client.frames > frames || client.isClosed, 'more of it');
  }
  const refused = await enter(next);
  await refused.waitUntil(() => refused.shown.some(isOfGateway), 'a refusal');
  refused.abort();
  rmSync(ballast);
  await client.type('x');
  await client.waitForEnd();

  const { session, close, source, identities } = await verifiedRecording(
    api,
    ticket.session.id,
    folder,
    join(folder, 'auditor.txt'),
  );
  assert.match(session.reason!, /recording failed: .*the journal cannot grow/);
  assert.deepEqual([session.state, close.reason, close.gaps], ['completed', 'recording-failed', 0]);
  const shown = client.shown.filter((frame) => !isOfGateway(frame));
  assert.ok(replayBeside(source, identities, shown).pdus > 200);

  // There is room: people come in again.
  const again = await eventually('somebody comes in', async () => {
    const fresh = await create();
    const entered = await enter(fresh);
    if (entered.shown.some(isOfGateway)) return null;
    await entered.disconnect();
    return fresh;
  });
  await verifiedRecording(api, again.session.id, folder, join(folder, 'auditor.txt'));
});
