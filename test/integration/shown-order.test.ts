/**
 * Seen from the kernel, on all of Lucid: what comes from a server goes to the client only after the sync that covers it.
 *
 * TLS hides the bytes, so that a write to the client cannot be told by what it carries. Instead one PDU is under way at a
 * time: the server sends the next when the client has shown the one before. Between a read from the server's socket and
 * the next write to the client's there is then nothing but that PDU, and what is written to the journal meanwhile is it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FastPathUpdateCode, Fragmentation, writeFastPathOutput } from '#rdp/pdu/fast-path-output.ts';
import { enter } from '../support/enter.ts';
import { startLucidProgram } from '../support/lucid-program.ts';
import { needs } from '../support/needs.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { readTrace, Strace } from '../support/strace.ts';

const PDUS = 50;
const READS = ['read', 'readv', 'recvfrom', 'recvmsg'];
const WRITES = ['write', 'writev', 'sendto', 'sendmsg'];

const root = mkdtempSync(join(tmpdir(), 'lucid-shown-order-'));
const open: { close(): unknown }[] = [];
after(async () => {
  for (const each of open.reverse()) await each.close();
  rmSync(root, { recursive: true, force: true });
});

test('every write to the client comes after the sync of what the server sent last', {
  skip: needs('strace'),
}, async () => {
  const server = await ScriptedServer.start();
  open.push(server);
  const { api, program } = await startLucidProgram(root, { onStart: (started) => open.push(started) });
  const spec = { kind: 'external' as const, host: '127.0.0.1', port: server.port };
  await api.createServer({ body: { name: 'scripted', spec } });
  const ticket = await api.createSession({ body: { server: 'scripted', policy: { input: true } } });
  const client = await enter(ticket);

  const file = join(root, 'trace');
  const strace = await Strace.trace(program.child.pid!, ['pwrite64', 'fdatasync', ...READS, ...WRITES], file);
  open.push(strace);
  const { socket } = server.clients[0];
  for (let i = 0; i < PDUS; i++) {
    const { frames } = client;
    // Synchronize takes no data: what is in it draws nothing.
    const stamp = new Uint8Array(100).fill(i);
    socket.send([writeFastPathOutput(FastPathUpdateCode.synchronize, Fragmentation.single, stamp)]);
    await client.waitUntil(() => client.frames > frames, `PDU ${i}`);
  }
  await strace.close();

  const fromServer = new RegExp(`->[^>]*:${server.port}\\]>`);
  const toClient = new RegExp(`:${ticket.gateway.port}->`);
  const calls = readTrace(readFileSync(file, 'utf8'));
  const segmentOf = (text: string) => /<([^>]*\.segment)>/.exec(text)?.[1];
  // What makes a segment ready holds no records: zeros, and its head.
  const records = calls.filter(
    ({ name, text }) => name === 'pwrite64' && segmentOf(text) && !/, "(\\0|lucid-journal)/.test(text),
  );
  const syncs = calls.filter(({ name, text, result }) => name === 'fdatasync' && segmentOf(text) && result === 0);
  const reads = calls.filter(({ name, text, result }) => READS.includes(name) && result > 0 && fromServer.test(text));
  const shown = calls.filter(({ name, text, result }) => WRITES.includes(name) && result > 0 && toClient.test(text));
  assert.ok(reads.length >= PDUS, `${reads.length} reads from the server`);
  assert.ok(shown.length >= PDUS, `${shown.length} writes to the client`);
  for (const write of shown) {
    const read = reads.findLast(({ ended }) => ended < write.begun);
    assert.ok(read, 'nothing is shown before the server sends');
    const isDurable = records.some((record) => {
      if (record.begun <= read.ended) return false;
      return syncs.some(
        (sync) =>
          segmentOf(sync.text) === segmentOf(record.text) && sync.begun > record.ended && sync.ended < write.begun,
      );
    });
    assert.ok(isDurable, `line ${write.begun}: shown before it was durable`);
  }
});
