import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FastPathUpdateCode, Fragmentation, writeFastPathUpdates } from '#rdp/pdu/fast-path-output.ts';
import { writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { ShareDataType, writeCompressedShareData, writeShareData } from '#rdp/pdu/share-data.ts';
import { bulkGrowth } from './bulk-growth.ts';

const slow = (payload: Uint8Array) =>
  writeDomainPdu({ kind: 'sendDataIndication', initiator: 1002, channelId: 1003, payload });
const fast = (compressionFlags: number, length: number) =>
  writeFastPathUpdates([
    {
      code: FastPathUpdateCode.orders,
      fragmentation: Fragmentation.single,
      compressionFlags,
      data: new Uint8Array(length),
    },
  ]);

test('on the slow path a PDU says what it is without compression', () => {
  for (const size of [13, 400]) {
    const body = new Uint8Array(size);
    const pdu = slow(writeCompressedShareData(1, 1002, ShareDataType.update, 0x21, body, 15_000));
    assert.equal(bulkGrowth(pdu), 15_000 - size);
    assert.equal(bulkGrowth(slow(writeShareData(1, 1002, ShareDataType.update, body))), 0);
  }
});

test('on the fast path it is a guess, and nothing for what is not compressed', () => {
  for (const size of [20, 400]) {
    const pdu = fast(0x21, size);
    assert.equal(bulkGrowth(pdu), 3 * pdu.length);
    assert.equal(bulkGrowth(fast(0, size)), 0);
  }
  // The short form of the length.
  assert.equal(bulkGrowth(Uint8Array.of(0x00, 0x07, 0x81, 0x21, 0x01, 0x00, 0x41)), 21);
});

test('bytes that are no PDU do not matter', () => {
  for (const bytes of [[], [3], [0], [3, 0, 0, 4], [0, 0x80]]) assert.equal(bulkGrowth(Uint8Array.from(bytes)), 0);
});
