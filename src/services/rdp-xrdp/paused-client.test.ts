import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '#rdp/bytes.ts';
import { writeFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { type InputEvent, writeInputPdu } from '#rdp/pdu/input.ts';
import { DisconnectReason, readDomainPdu, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { writeRefreshRect } from '#rdp/pdu/output-control.ts';
import { readShareControls } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType, writeShareData } from '#rdp/pdu/share-data.ts';
import { KEPT_LIMIT_BYTES, PausedClient } from './paused-client.ts';

const IO = 1003;
const send = (channelId: number, payload: Uint8Array) =>
  writeDomainPdu({ kind: 'sendDataRequest', initiator: 1007, channelId, payload });
const share = (type: number, body: Uint8Array) => writeShareData(0x103ea, 1007, type, body);
const press: InputEvent = { kind: 'scancode', code: 0x1e, release: false, extended: false, extended1: false };
const sync: InputEvent = { kind: 'synchronize', toggleFlags: 4 };
const refresh = share(ShareDataType.refreshRect, writeRefreshRect([{ left: 0, top: 0, right: 9, bottom: 9 }]));

function pausedClient() {
  const said: string[] = [];
  const client = new PausedClient(IO, { left: () => said.push('left'), asksToLeave: () => said.push('asks') });
  return { client, said };
}

test('input is dropped on both paths, all but the state of the lock keys', () => {
  const { client, said } = pausedClient();
  assert.equal(client.toggleFlags, null);
  client.receive(writeFastPathInput([press, sync]));
  client.receive(send(IO, share(ShareDataType.input, writeInputPdu([press, { kind: 'synchronize', toggleFlags: 2 }]))));
  assert.deepEqual([client.kept, client.toggleFlags, said], [[], 2, []]);
});

test('what the client itself says is kept in order, without the input beside it', () => {
  const { client } = pausedClient();
  const clipboard = send(1004, Uint8Array.of(1, 2, 3));
  client.receive(clipboard);
  client.receive(send(IO, refresh));
  client.receive(send(IO, Buffer.concat([share(ShareDataType.input, writeInputPdu([press])), refresh])));
  assert.deepEqual(client.kept[0], clipboard);
  const kinds = client.kept.slice(1).map((frame) => {
    const pdu = readDomainPdu(frame);
    assert.equal(pdu.kind, 'sendDataRequest');
    return readShareControls((pdu as { payload: Uint8Array }).payload).map(({ body }) => readShareData(body).type);
  });
  assert.deepEqual(kinds, [[ShareDataType.refreshRect], [ShareDataType.refreshRect]]);
});

test('leaving is told at once, as is the question whether it may', () => {
  const { client, said } = pausedClient();
  client.receive(send(IO, share(ShareDataType.shutdownRequest, new Uint8Array(0))));
  client.receive(writeDomainPdu({ kind: 'disconnectProviderUltimatum', reason: DisconnectReason.userRequested }));
  assert.deepEqual([said, client.kept], [['asks', 'left'], []]);
});

test('is full once a mebibyte is kept', () => {
  const { client } = pausedClient();
  const frame = send(1004, new Uint8Array(1600));
  for (let bytes = 0; bytes <= KEPT_LIMIT_BYTES; bytes += frame.length) {
    assert.equal(client.isFull, false);
    client.receive(frame);
  }
  assert.equal(client.isFull, true);
});

test('malformed frames are told as such, whatever they hold', () => {
  const frames = [writeFastPathInput([press, sync]), send(IO, refresh), send(1004, refresh)];
  const damaged = fc
    .tuple(fc.constantFrom(...frames), fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }), fc.nat(80))
    .map(([frame, changes, length]) => {
      const bytes = frame.slice(0, Math.max(1, length));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ minLength: 1, maxLength: 64 })), (frame) => {
      try {
        pausedClient().client.receive(frame);
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});
