import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSealAnswer, type SealRequest } from '#contract/seal-message.ts';
import { generateIdentity } from '#evidence/node/age-keys.ts';
import { openChunk } from '#evidence/node/chunk.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { RecordType, type SessionRecord, writeRecord } from '#evidence/record.ts';
import { writeJsonBody } from '#evidence/record-body.ts';
import { toHex } from '#evidence/text.ts';
import { MppcEncoder } from '#rdp/bulk/mppc-encoder.ts';
import { FastPathUpdateCode, writeFastPathUpdates } from '#rdp/pdu/fast-path-output.ts';
import { type SealOptions, serveSeal } from './serve-seal.ts';

const identity = generateIdentity();
const head = {
  session_id: '019aa000-0000-7000-8000-000000000000',
  stream: 'screen' as const,
  recipient: identity.recipient,
  next_index: { screen: 0, keyframes: 0 },
  stored_bytes: { all: 0, keyframes: 0 },
  activity: [],
};
const config = {
  version: 1,
  session: head.session_id,
  startedAt: '2026-01-31T09:30:00.000Z',
  width: 64,
  height: 48,
} as const;
const body = writeJsonBody({ ...config, depth: 32, codecs: {}, profile: 'bitmap-only', versions: {} });
const record = (type: SessionRecord['type'], seq: number, body: Uint8Array) =>
  writeRecord({ type, flags: 0, time: seq, seq, body });
/** A fast-path synchronize update: read, and paints nothing. */
const pdu = Uint8Array.of(0x00, 0x05, 0x03, 0x00, 0x00);
const records = Buffer.concat([record(RecordType.config, 0, body), record(RecordType.serverPdu, 1, pdu)]);
const request = { head, state: new Uint8Array(0), records };
const seal = (request: SealRequest, options: Partial<SealOptions> = {}) =>
  decodeSealAnswer(serveSeal(request, { decode: true, level: 3, ...options }).answer);

test('a screen run yields its own chunk, keyframes and an index', () => {
  const { head: answer, state, chunks } = seal(request);
  assert.deepEqual(
    answer.chunks.map(({ stream }) => stream),
    ['screen', 'keyframes', 'index'],
  );
  const [own] = answer.chunks;
  assert.deepEqual(openChunk(chunks[0], own.compression, identity), records);
  assert.equal(own.sha256, toHex(sha256(chunks[0])));
  assert.deepEqual([answer.decoded_bytes, answer.undecodable_bytes], [pdu.length, 0]);
  assert.ok(state.length > 1);
});

test('a run that must not be decoded is sealed all the same, and no keyframe follows it', () => {
  const blind = seal(request, { decode: false });
  const next = seal({ ...request, state: blind.state });
  for (const { head: answer } of [blind, next]) {
    assert.deepEqual(
      answer.chunks.map(({ stream }) => stream),
      ['screen'],
    );
    assert.deepEqual([answer.decoded_bytes, answer.undecodable_bytes], [0, pdu.length]);
  }
});

test('bulk compression is undone in every run, whether it may be decoded or not', () => {
  const encoder = new MppcEncoder();
  const update = (text: string) => {
    const data = Buffer.from(text.repeat(20));
    const packet = encoder.encode(data);
    const frame = (compressionFlags: number, data: Uint8Array) =>
      writeFastPathUpdates([{ code: FastPathUpdateCode.synchronize, fragmentation: 0, compressionFlags, data }]);
    return { sent: frame(packet.flags, packet.data), plain: frame(0, data) };
  };
  let state: Uint8Array = new Uint8Array(0);
  for (const [i, decode] of [true, false, true].entries()) {
    const { sent, plain } = update(`synchronize ${i} `);
    const run = (pdu: Uint8Array) =>
      Buffer.concat([record(RecordType.config, 2 * i, body), record(RecordType.serverPdu, 2 * i + 1, pdu)]);
    const answer = seal({ head, state, records: run(sent) }, { decode });
    const [own] = answer.head.chunks;
    assert.deepEqual(openChunk(answer.chunks[0], own.compression, identity), run(plain), `run ${i}`);
    ({ state } = answer);
  }
});

test('a state that cannot be read costs the index, not the evidence', () => {
  const { head: answer } = seal({ ...request, state: Uint8Array.of(1, 2, 3) });
  assert.equal(answer.chunks.length, 1);
});

test('level 0 stores what is captured as it is, and compresses what is derived', () => {
  const { head: answer } = seal(request, { level: 0 });
  assert.deepEqual(
    answer.chunks.map(({ compression }) => compression),
    ['raw', 'zst', 'zst'],
  );
});
