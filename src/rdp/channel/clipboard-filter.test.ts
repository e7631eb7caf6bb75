import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { ChannelFlag, readChannelChunk, writeChannelMessage } from '../pdu/virtual-channel.ts';
import {
  ClipboardMessageFlag,
  ClipboardMessageType,
  readClipboardMessage,
  writeClipboardId,
  writeClipboardMessage,
  writeFileContentsRequest,
  writeFormatList,
} from './clipboard.ts';
import { ClipboardFilter, type ClipboardPolicy, type ClipboardSide } from './clipboard-filter.ts';

const { formatList, formatListResponse, formatDataRequest, formatDataResponse } = ClipboardMessageType;
const { responseOk, responseFail } = ClipboardMessageFlag;
const both = { clipboardToServer: true, clipboardToClient: true };
const toClientOnly = { clipboardToServer: false, clipboardToClient: true };
const toServerOnly = { clipboardToServer: true, clipboardToClient: false };
const chunks = (message: Uint8Array, size?: number) => writeChannelMessage(message, ChannelFlag.showProtocol, size);
const list = writeFormatList([{ id: 13, name: '' }], true);
const request = writeClipboardId(formatDataRequest, 13);

/** Types and flags of the messages that these chunks begin. */
const begun = (payloads: Uint8Array[]) =>
  payloads.map(readChannelChunk).flatMap(({ flags, data }) => {
    if ((flags & ChannelFlag.first) === 0) return [];
    assert.ok(flags & ChannelFlag.showProtocol, 'show-protocol is kept');
    const message = readClipboardMessage(data);
    return [[message.type, message.flags]];
  });

const send = (filter: ClipboardFilter, from: ClipboardSide, message: Uint8Array) => {
  const outputs = chunks(message).map((payload) => filter.receive(from, payload));
  return {
    toClient: begun(outputs.flatMap((output) => output.toClient)),
    toServer: begun(outputs.flatMap((output) => output.toServer)),
  };
};

test('what is allowed passes as the very bytes that came', () => {
  const filter = new ClipboardFilter(both);
  for (const payload of chunks(writeClipboardMessage(formatDataResponse, responseOk, new Uint8Array(4000)))) {
    const output = filter.receive('client', payload);
    assert.equal(output.toServer[0], payload);
    assert.equal(output.toClient.length, 0);
  }
});

test('server to client alone: what the client copies stays on the client, and nobody waits', () => {
  const filter = new ClipboardFilter(toClientOnly);
  const ready = writeClipboardMessage(ClipboardMessageType.monitorReady);
  assert.deepEqual(send(filter, 'server', ready).toClient, [[ClipboardMessageType.monitorReady, 0]]);
  const answered = [[formatListResponse, responseOk]];
  assert.deepEqual(send(filter, 'client', list), { toServer: [[formatList, 0]], toClient: answered }, 'start-up ends');
  const response = writeClipboardMessage(formatListResponse, responseOk);
  assert.deepEqual(send(filter, 'server', response), { toServer: [], toClient: [] });
  assert.deepEqual(send(filter, 'client', list), { toServer: [], toClient: answered });
  const refused = { toServer: [[formatDataResponse, responseFail]], toClient: [] };
  assert.deepEqual(send(filter, 'server', request), refused, 'a server that asks all the same is refused');
  const stolen = writeClipboardMessage(formatDataResponse, responseOk, new Uint8Array(5000));
  assert.deepEqual(send(filter, 'client', stolen), { toServer: [], toClient: [] });
  assert.deepEqual(send(filter, 'server', list).toClient, [[formatList, 0]]);
  assert.deepEqual(send(filter, 'client', request).toServer, [[formatDataRequest, 0]]);
});

test('the list that ends the start-up names nothing', () => {
  const output = new ClipboardFilter(toClientOnly).receive('client', chunks(list)[0]);
  assert.equal(readClipboardMessage(readChannelChunk(output.toServer[0]).data).data.length, 0);
});

test('client to server alone', () => {
  const filter = new ClipboardFilter(toServerOnly);
  assert.deepEqual(send(filter, 'server', list), { toServer: [[formatListResponse, responseOk]], toClient: [] });
  assert.deepEqual(send(filter, 'client', request), { toServer: [], toClient: [[formatDataResponse, responseFail]] });
  const file = writeFileContentsRequest({ streamId: 77, index: 0, flags: 1, position: 0n, count: 8 });
  const { toClient } = filter.receive('client', chunks(file)[0]);
  const answer = readClipboardMessage(readChannelChunk(toClient[0]).data);
  assert.deepEqual([answer.type, answer.flags, answer.data[0]], [0x0009, responseFail, 77]);
  assert.deepEqual(send(filter, 'client', list).toServer, [[formatList, 0]]);
  assert.deepEqual(send(filter, 'server', writeClipboardId(ClipboardMessageType.lock, 1)).toClient, [[0x000a, 0]]);
  assert.deepEqual(send(filter, 'server', writeClipboardMessage(0x1234)), { toServer: [], toClient: [] });
});

test('an answer waits until the message under way in its direction has ended', () => {
  const filter = new ClipboardFilter(toServerOnly);
  const [first, ...others] = chunks(writeClipboardMessage(formatDataResponse, responseOk, new Uint8Array(3000)));
  assert.deepEqual(filter.receive('client', first).toServer, [first]);
  assert.deepEqual(filter.receive('server', chunks(list)[0]), { toClient: [], toServer: [] });
  const [last] = others;
  const { toServer } = filter.receive('client', last);
  assert.equal(toServer[0], last);
  assert.deepEqual(begun(toServer), [[formatListResponse, responseOk]]);
});

test('random chunks never let through what the policy denies, and never break a message', () => {
  const policies: ClipboardPolicy[] = [
    toClientOnly,
    toServerOnly,
    { clipboardToServer: false, clipboardToClient: false },
  ];
  const message = fc.tuple(fc.nat(12), fc.uint8Array({ maxLength: 60 }));
  const event = fc.record({
    from: fc.constantFrom<ClipboardSide>('client', 'server'),
    message,
    size: fc.integer({ min: 8, max: 30 }),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...policies),
      fc.array(event, { maxLength: 12 }),
      fc.infiniteStream(fc.boolean()),
      (policy, events, coin) => {
        const filter = new ClipboardFilter(policy);
        const queues = { client: [] as Uint8Array[], server: [] as Uint8Array[] };
        for (const {
          from,
          message: [type, data],
          size,
        } of events)
          queues[from].push(...writeChannelMessage(writeClipboardMessage(type, 0, data), 0, size));
        const sent = { toClient: [] as Uint8Array[], toServer: [] as Uint8Array[] };
        while (queues.client.length + queues.server.length > 0) {
          const from =
            queues.client.length > 0 && (queues.server.length === 0 || coin.next().value) ? 'client' : 'server';
          const output = filter.receive(from, queues[from].shift()!);
          sent.toClient.push(...output.toClient);
          sent.toServer.push(...output.toServer);
        }
        for (const side of ['toClient', 'toServer'] as const) {
          let inMessage = false;
          for (const { flags, data } of sent[side].map(readChannelChunk)) {
            assert.equal((flags & ChannelFlag.first) !== 0, !inMessage, 'chunks of messages are not mixed');
            inMessage = (flags & ChannelFlag.last) === 0;
            const mayCarry = side === 'toServer' ? policy.clipboardToServer : policy.clipboardToClient;
            if (flags & ChannelFlag.first && data[0] === formatDataResponse && !mayCarry)
              assert.equal(data[2], responseFail);
          }
          assert.equal(inMessage, false);
        }
      },
    ),
  );
});

test('random bytes end in output or a DecodeError', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 24 })), (payloads) => {
      const filter = new ClipboardFilter(toServerOnly);
      for (const payload of payloads)
        try {
          filter.receive('client', payload);
        } catch (error) {
          assert.ok(error instanceof DecodeError);
        }
    }),
  );
});

test('messages that pass in a denied direction have no room to carry anything', () => {
  const { monitorReady, capabilities, temporaryDirectory, unlock } = ClipboardMessageType;
  const secret = new Uint8Array(520);
  for (const type of [monitorReady, capabilities, temporaryDirectory, unlock, formatDataRequest, formatListResponse]) {
    const smuggled = writeClipboardMessage(type, 0, secret);
    assert.deepEqual(send(new ClipboardFilter(toClientOnly), 'client', smuggled).toServer, [], `${type} to the server`);
    assert.deepEqual(send(new ClipboardFilter(toServerOnly), 'server', smuggled).toClient, [], `${type} to the client`);
  }
  const filter = new ClipboardFilter(toClientOnly);
  const pieces = chunks(request, 9);
  assert.ok(pieces.length > 1);
  assert.deepEqual(
    pieces.flatMap((piece) => filter.receive('client', piece).toServer),
    [],
    'nor does a message that goes on',
  );
});
