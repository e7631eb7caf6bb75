import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAG_REPEATED, RecordType, readRecords, type SessionRecord, writeRecord } from '#evidence/record.ts';
import { writeJsonBody } from '#evidence/record-body.ts';
import { BulkHistory } from '#rdp/bulk/bulk-history.ts';
import { MppcEncoder } from '#rdp/bulk/mppc-encoder.ts';
import { FastPathUpdateCode, Fragmentation, writeFastPathUpdates } from '#rdp/pdu/fast-path-output.ts';
import { plainRun } from './plain-run.ts';

let seq = 0;
const record = (type: SessionRecord['type'], body: Uint8Array, flags = 0) =>
  writeRecord({ type, flags, time: seq, seq: seq++, body });
const config = (connection: string, flags = 0) =>
  record(
    RecordType.config,
    writeJsonBody({
      ...{ version: 1, session: '019aa000-0000-7000-8000-000000000000', startedAt: '2026-01-31T09:30:00.000Z' },
      ...{ connection, width: 64, height: 48, depth: 32, codecs: {}, profile: 'bitmaps', versions: {} },
    }),
    flags,
  );
const marker = () => record(RecordType.marker, writeJsonBody({ kind: 'disconnected' }));
const frame = (compressionFlags: number, data: Uint8Array) =>
  writeFastPathUpdates([
    { code: FastPathUpdateCode.bitmap, fragmentation: Fragmentation.single, compressionFlags, data },
  ]);
const letters = (length: number) => Uint8Array.from({ length }, (_, i) => 0x41 + ((i * 7) % 26));

/** What a server would send: compressed, and the same without. */
class Server {
  readonly #encoder = new MppcEncoder();

  pdu(plain: Uint8Array): { sent: Uint8Array; plain: Uint8Array } {
    const { flags, data } = this.#encoder.encode(plain);
    return { sent: record(RecordType.serverPdu, frame(flags, data)), plain: frame(0, plain) };
  }
}

const bodies = (run: Uint8Array) => [...readRecords(run)].map(({ record }) => Buffer.from(record.body));

test('a run without bulk compression is given back as it is', () => {
  const run = Buffer.concat([config('a'), record(RecordType.serverPdu, frame(0, letters(100))), marker()]);
  assert.equal(plainRun(run, BulkHistory.empty()), run);
});

test('each PDU is freed of it; all else of the records stays, and the history goes on to the next run', () => {
  const server = new Server();
  const [first, second] = [server.pdu(letters(500)), server.pdu(letters(500))];
  const run = Buffer.concat([config('a'), marker(), first.sent, marker()]);
  const history = BulkHistory.empty();
  const plain = plainRun(run, history);
  const expected = [...readRecords(run)].map(({ record }) => ({ ...record, body: Buffer.from(record.body) }));
  expected[2].body = Buffer.from(first.plain);
  assert.deepEqual(
    [...readRecords(plain)].map(({ record }) => ({ ...record, body: Buffer.from(record.body) })),
    expected,
  );
  const next = Buffer.concat([config('a', FLAG_REPEATED), second.sent]);
  assert.deepEqual(bodies(plainRun(next, BulkHistory.restore(history.save())))[1], Buffer.from(second.plain));
});

test('another connection to a server begins with another history, another config of the same one does not', () => {
  const [first, second] = [new Server(), new Server()];
  const pdus = [first.pdu(letters(500)), first.pdu(letters(300)), second.pdu(letters(400))];
  const run = Buffer.concat([
    ...[config('a'), pdus[0].sent, config('a'), pdus[1].sent],
    ...[config('b'), pdus[2].sent],
  ]);
  const plain = bodies(plainRun(run, BulkHistory.empty()));
  assert.deepEqual(
    [1, 3, 5].map((i) => plain[i]),
    pdus.map((pdu) => Buffer.from(pdu.plain)),
  );
});

test('what would make a run too large stays as it came, and what follows is freed all the same', () => {
  const server = new Server();
  const pdus = [server.pdu(letters(10_000)), server.pdu(letters(10_000)), server.pdu(letters(100))];
  const run = Buffer.concat([config('a'), ...pdus.map(({ sent }) => sent)]);
  const plain = plainRun(run, BulkHistory.empty(), 12_000);
  assert.ok(plain.length <= 12_000);
  const sent = bodies(run);
  assert.deepEqual(bodies(plain), [sent[0], Buffer.from(pdus[0].plain), sent[2], Buffer.from(pdus[2].plain)]);
});
