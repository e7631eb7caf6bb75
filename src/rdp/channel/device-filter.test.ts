import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { ChannelFlag, readChannelChunk, writeChannelMessage } from '../pdu/virtual-channel.ts';
import { DeviceFilter, DeviceType } from './device-filter.ts';

const devices = [
  { type: DeviceType.drive, id: 1, name: 'HOME' },
  { type: DeviceType.printer, id: 2, name: 'PRN2' },
  { type: DeviceType.smartcard, id: 3, name: 'SCARD' },
  { type: DeviceType.serial, id: 4, name: 'COM1' },
];

function announce(): Uint8Array {
  const writer = new Writer().u16(0x4472).u16(0x4441).u32(devices.length);
  for (const { type, id, name } of devices) {
    const data = new Uint8Array(type === DeviceType.printer ? 2000 : 0).fill(7);
    writer
      .u32(type)
      .u32(id)
      .raw(new TextEncoder().encode(name.padEnd(8, '\0')))
      .u32(data.length)
      .raw(data);
  }
  return writer.finish();
}

const request = (id: number) => new Writer().u16(0x4472).u16(0x4952).u32(id).zeros(16).finish();

function send(filter: DeviceFilter, from: 'client' | 'server', message: Uint8Array, flags = 0) {
  const outputs = writeChannelMessage(message, flags).map((chunk) => filter.receive(from, chunk));
  return { toClient: outputs.flatMap((one) => one.toClient), toServer: outputs.flatMap((one) => one.toServer) };
}

function announcedIds(chunks: Uint8Array[]): number[] {
  const message = new Reader(Buffer.concat(chunks.map((chunk) => readChannelChunk(chunk).data)));
  message.skip(4, 'header');
  return Array.from({ length: message.u32('count') }, () => {
    message.skip(4, 'type');
    const id = message.u32('id');
    message.skip(8, 'name');
    message.skip(message.u32('length'), 'data');
    return id;
  });
}

test('the server hears of allowed devices alone', () => {
  for (const [policy, ids] of [
    [{ drives: true, printers: false }, [1]],
    [{ drives: false, printers: true }, [2]],
    [{ drives: true, printers: true }, [1, 2]],
    [{ drives: false, printers: false }, []],
  ] as const) {
    const { toServer, toClient } = send(new DeviceFilter(policy), 'client', announce(), ChannelFlag.showProtocol);
    assert.deepEqual(announcedIds(toServer), ids);
    assert.ok(toServer.every((chunk) => readChannelChunk(chunk).flags & ChannelFlag.showProtocol));
    assert.deepEqual(toClient, []);
  }
});

test('a request for a device that the server has not heard of does not reach the client', () => {
  const filter = new DeviceFilter({ drives: false, printers: true });
  assert.equal(send(filter, 'server', request(2)).toClient.length, 0, 'nothing is announced yet');
  send(filter, 'client', announce());
  assert.equal(send(filter, 'server', request(2)).toClient.length, 1);
  assert.equal(send(filter, 'server', request(1)).toClient.length, 0, 'the drive is denied');
});

test('other messages pass as the bytes that came, printer messages where printers may', () => {
  const version = new Writer().u16(0x4472).u16(0x496e).u16(1).u16(12).u32(1).finish();
  const printer = new Writer().u16(0x5052).u16(0x5043).u32(1).zeros(3000).finish();
  const filter = new DeviceFilter({ drives: true, printers: false });
  assert.deepEqual(send(filter, 'server', version).toClient, writeChannelMessage(version));
  assert.deepEqual(send(filter, 'client', printer).toServer, []);
  assert.deepEqual(send(filter, 'server', printer).toClient, []);
  const open = new DeviceFilter({ drives: false, printers: true });
  assert.deepEqual(send(open, 'client', printer).toServer, writeChannelMessage(printer));
});

test('whatever comes, nothing but a DecodeError', () => {
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.tuple(fc.nat(announce().length - 1), fc.nat(255)).map(([at, value]) => {
      const spoilt = announce();
      spoilt[at] = value;
      return spoilt;
    }),
  );
  const sides = fc.constantFrom('client' as const, 'server' as const);
  fc.assert(
    fc.property(fc.array(fc.tuple(sides, message), { maxLength: 8 }), (messages) => {
      const filter = new DeviceFilter({ drives: true, printers: false });
      try {
        for (const [from, bytes] of messages) send(filter, from, bytes);
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    }),
  );
});
