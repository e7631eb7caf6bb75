import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { readShareControls, ShareControlType, writeShareControl } from './share-control.ts';
import { readShareData, ShareDataType, writeShareData } from './share-data.ts';

// Client Synchronize PDU, MS-RDPBCGR 4.1.14
const synchronize = Uint8Array.from([
  ...[0x16, 0x00, 0x17, 0x00, 0xf0, 0x03, 0xea, 0x03, 0x01, 0x00, 0x00, 0x01, 0x08, 0x00, 0x1f, 0x00, 0x00, 0x00],
  ...[0x01, 0x00, 0xea, 0x03],
]);

test("the specification's synchronize PDU reads and writes the same", () => {
  const [control] = readShareControls(synchronize);
  assert.equal(control.type, ShareControlType.data);
  assert.equal(control.source, 1008);
  const data = readShareData(control.body);
  assert.equal(data.shareId, 0x103ea);
  assert.equal(data.type, ShareDataType.synchronize);
  assert.equal(data.uncompressedLength, 8);
  assert.deepEqual(data.body, Uint8Array.of(1, 0, 0xea, 3));
  assert.deepEqual(writeShareData(0x103ea, 1008, ShareDataType.synchronize, data.body), synchronize);
});

test('several share PDUs in one payload, a flow PDU and a short Deactivate All', () => {
  const flow = Uint8Array.of(0x00, 0x80, 0, 0x41, 0, 0, 0xea, 0x03);
  const short = Uint8Array.of(6, 0, 0x16, 0, 0xea, 0x03);
  const shorter = Uint8Array.of(4, 0, 0x16, 0);
  const found = readShareControls(Uint8Array.from([...synchronize, ...flow, ...short, ...shorter]));
  assert.deepEqual(
    found.map(({ type, source, bytes }) => [type, source, bytes.length]),
    [
      [ShareControlType.data, 1008, synchronize.length],
      [ShareControlType.deactivateAll, 1002, 6],
      [ShareControlType.deactivateAll, 0, 4],
    ],
  );
});

test('lengths that do not fit are refused', () => {
  for (const bytes of [[3, 0, 7], [9, 0, 7, 0, 0, 0], [0, 0], [7]])
    assert.throws(() => readShareControls(Uint8Array.from(bytes)), DecodeError);
});

test('random payloads end in PDUs or a DecodeError', () => {
  const plausible = fc.uint8Array({ maxLength: 40 }).map((body) => writeShareControl(7, 1002, body));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), plausible), (bytes) => {
      try {
        for (const control of readShareControls(bytes)) readShareData(control.body);
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }),
  );
});
