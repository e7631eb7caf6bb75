import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { type CapabilitySet, capability, findCapability } from '../pdu/capability-set.ts';
import { writePersistentKeyList } from '../pdu/finalization.ts';
import { readDomainPdu, SERVER_USER_ID, writeDomainPdu } from '../pdu/mcs-domain.ts';
import { ShareControlType, writeShareControl } from '../pdu/share-control.ts';
import { ShareDataType, writeShareData } from '../pdu/share-data.ts';
import { ClientActivation } from './client-activation.ts';
import { ServerActivation } from './server-activation.ts';

const ids = { ioChannelId: 1003, userChannelId: 1006 };
const bitmap = (desktopWidth: number) => capability('bitmap', { desktopWidth, desktopHeight: 600 });
const confirmSize = ({ capabilitySets }: { capabilitySets: CapabilitySet[] }) => [
  bitmap(findCapability(capabilitySets, 'bitmap')?.desktopWidth ?? 0),
];

const newServer = (shareId = 0x103ea) => new ServerActivation(ids, { shareId, capabilitySets: [bitmap(800)] });
const newClient = () => new ClientActivation(ids, confirmSize);
const toClient = (payload: Uint8Array, channelId = ids.ioChannelId) =>
  writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId, payload });
const toServer = (payload: Uint8Array, channelId = ids.ioChannelId) =>
  writeDomainPdu({ kind: 'sendDataRequest', initiator: ids.userChannelId, channelId, payload });

function open(client: ClientActivation, server: ServerActivation): void {
  for (const demand of server.start()) {
    for (const frame of client.receive(demand) ?? []) {
      for (const answer of server.receive(frame) ?? []) client.receive(answer);
    }
  }
}

test('both sides open a share', () => {
  const client = newClient();
  const server = newServer();
  open(client, server);
  assert.equal(client.state.phase, 'active');
  assert.equal(server.state.phase, 'active');
  const { confirm } = server.state as { confirm: { shareId: number; capabilitySets: CapabilitySet[] } };
  assert.equal(confirm.shareId, 0x103ea);
  assert.equal(findCapability(confirm.capabilitySets, 'bitmap')?.desktopWidth, 800);
});

test('a Deactivate All leads to a new share', () => {
  const client = newClient();
  open(client, newServer());
  // xrdp sends nothing but the share control header
  const deactivate = writeShareControl(ShareControlType.deactivateAll, SERVER_USER_ID, new Uint8Array(0));
  assert.deepEqual(client.receive(toClient(deactivate)), []);
  assert.equal(client.state.phase, 'demand');
  const next = newServer(0x203ea);
  open(client, next);
  assert.equal(client.state.phase, 'active');
  assert.equal(next.state.phase, 'active');
});

test('a confirmation of an earlier share does not open the present one', () => {
  const client = newClient();
  const [confirm] = client.receive(newServer(1).start()[0]) ?? [];
  const server = newServer(2);
  server.start();
  assert.deepEqual(server.receive(confirm), []);
  assert.equal(server.state.phase, 'confirm');
});

test('the order of finalisation does not matter, nor do persistent keys', () => {
  const server = newServer();
  const [confirm, ...rest] = newClient().receive(server.start()[0]) ?? [];
  server.receive(confirm);
  const list = { entries: [0, 0, 0, 0, 0], totalEntries: [0, 0, 0, 0, 0], bitMask: 3, keys: [] };
  const keys = writeShareData(0x103ea, 1006, ShareDataType.persistentKeyList, writePersistentKeyList(list));
  assert.deepEqual(server.receive(toServer(keys)), []);
  const answers = [rest[2], rest[0], rest[1], rest[3]].flatMap((frame) => server.receive(frame) ?? []);
  assert.equal(answers.length, 4);
  assert.equal(server.state.phase, 'active');
});

test('what is not of activation is left to the owner', () => {
  const client = newClient();
  const server = newServer();
  const update = writeShareData(1, SERVER_USER_ID, ShareDataType.update, new Uint8Array(4));
  assert.equal(client.receive(toClient(update)), null);
  assert.equal(client.receive(toClient(new Uint8Array(9), 1004)), null);
  assert.equal(client.receive(Uint8Array.of(0, 2)), null);
  open(client, server);
  const input = writeShareData(1, 1006, ShareDataType.input, new Uint8Array(4));
  assert.equal(server.receive(toServer(input)), null);
  assert.equal(server.receive(toServer(new Uint8Array(9), 1004)), null);
  assert.equal(server.receive(Uint8Array.of(4, 2)), null);
  assert.equal(server.receive(writeDomainPdu({ kind: 'disconnectProviderUltimatum', reason: 3 })), null);
});

test('any payload is taken or refused with a DecodeError', () => {
  const [demand] = newServer().start();
  const frames = [demand, ...(newClient().receive(demand) ?? [])];
  const payloads = frames.map((frame) => (readDomainPdu(frame) as { payload: Uint8Array }).payload);
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...payloads), changes), { maxLength: 8 }), (sequence) => {
      const client = newClient();
      const server = newServer();
      server.start();
      for (const [sample, edits] of sequence) {
        const payload = sample.slice();
        for (const [at, value] of edits) payload[at % payload.length] = value;
        for (const receive of [() => client.receive(toClient(payload)), () => server.receive(toServer(payload))]) {
          try {
            receive();
          } catch (error) {
            assert.ok(error instanceof DecodeError, `${(error as Error).stack}`);
          }
        }
      }
    }),
    { numRuns: 1000 },
  );
});
