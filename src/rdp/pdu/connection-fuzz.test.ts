import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { readAutoReconnect, writeAutoReconnect } from './auto-reconnect.ts';
import { readClientInfo, writeClientInfo } from './client-info.ts';
import { type ClientBlocks, readClientBlocks, writeClientBlocks } from './gcc-client-blocks.ts';
import {
  readConferenceCreateRequest,
  readConferenceCreateResponse,
  writeConferenceCreateRequest,
  writeConferenceCreateResponse,
} from './gcc-conference.ts';
import { readServerBlocks, writeServerBlocks } from './gcc-server-blocks.ts';
import { readLicenseError, readLicensePdu } from './license.ts';
import { readConnectInitial, readConnectResponse, writeConnectInitial, writeConnectResponse } from './mcs-connect.ts';
import { readDomainPdu, writeDomainPdu } from './mcs-domain.ts';
import {
  readConnectionConfirm,
  readConnectionRequest,
  writeConnectionConfirm,
  writeConnectionRequest,
} from './negotiation.ts';
import { readSecurityHeader, writeSecurityHeader } from './security-header.ts';
import { asciiBytes, asciiText, utf16Bytes, utf16Text } from './text.ts';
import { readTpdu, writeData } from './x224.ts';

const file = new URL('../../../vectors/rdp/connection.json', import.meta.url);
const vectors: Record<string, { hex: string }> = JSON.parse(readFileSync(file, 'utf8'));
const vector = (name: string) => new Uint8Array(Buffer.from(vectors[name].hex, 'hex'));

const clientUserData = readConnectInitial(vector('connectInitial')).userData;
const clientBlocks = readConferenceCreateRequest(clientUserData);
const serverUserData = readConnectResponse(vector('connectResponse')).userData;
const serverBlocks = readConferenceCreateResponse(serverUserData);
const everyBlock: ClientBlocks = {
  ...readClientBlocks(clientBlocks),
  monitors: { flags: 0, monitors: [{ left: -1920, top: 0, right: -1, bottom: 1079, flags: 1 }] },
  messageChannel: 0,
  monitorAttributes: [
    { physicalWidth: 500, physicalHeight: 300, orientation: 90, desktopScaleFactor: 150, deviceScaleFactor: 140 },
  ],
  multitransport: 1,
  unknown: [{ type: 0xc00c, body: Uint8Array.of(1, 2, 3) }],
};

/** Every reader, well-formed bytes to mutate, and where there is one the writer that must agree with it. */
interface Subject<T> {
  read: (bytes: Uint8Array) => T;
  write?: (value: T) => Uint8Array;
  samples: Uint8Array[];
}
const subject = <T>(given: Subject<T>): Subject<unknown> => given as Subject<unknown>;
const framed = (...bytes: number[]) => writeData(Uint8Array.from(bytes));

const subjects: Record<string, Subject<unknown>> = {
  tpdu: subject({ read: readTpdu, samples: [vector('connectionRequest'), framed(1, 2)] }),
  connectionRequest: subject({
    read: readConnectionRequest,
    write: writeConnectionRequest,
    samples: [
      vector('connectionRequest'),
      writeConnectionRequest({
        cookie: null,
        routingToken: 'Cookie: msts=3640205228.15629.0000',
        negotiation: { flags: 8, requestedProtocols: 11 },
        trailing: new Uint8Array(36).fill(6),
      }),
      writeConnectionRequest({ cookie: 'a', routingToken: null, negotiation: null, trailing: new Uint8Array(0) }),
    ],
  }),
  connectionConfirm: subject({
    read: readConnectionConfirm,
    write: writeConnectionConfirm,
    samples: [
      vector('connectionConfirm'),
      writeConnectionConfirm({ kind: 'failure', code: 5 }),
      writeConnectionConfirm({ kind: 'none' }),
    ],
  }),
  connectInitial: subject({
    read: readConnectInitial,
    write: writeConnectInitial,
    samples: [vector('connectInitial')],
  }),
  connectResponse: subject({
    read: readConnectResponse,
    write: writeConnectResponse,
    samples: [vector('connectResponse')],
  }),
  conferenceCreateRequest: subject({
    read: readConferenceCreateRequest,
    write: writeConferenceCreateRequest,
    samples: [clientUserData],
  }),
  conferenceCreateResponse: subject({
    read: readConferenceCreateResponse,
    write: writeConferenceCreateResponse,
    samples: [serverUserData],
  }),
  clientBlocks: subject({
    read: readClientBlocks,
    write: writeClientBlocks,
    samples: [clientBlocks, writeClientBlocks(everyBlock)],
  }),
  serverBlocks: subject({
    read: readServerBlocks,
    write: writeServerBlocks,
    samples: [
      serverBlocks,
      writeServerBlocks({ ...readServerBlocks(serverBlocks), messageChannelId: 1008, multitransport: 1 }),
    ],
  }),
  domainPdu: subject({
    read: readDomainPdu,
    write: writeDomainPdu,
    samples: [
      ...['erectDomainRequest', 'attachUserRequest', 'attachUserConfirm', 'channelJoinRequest'].map(vector),
      ...['channelJoinConfirm', 'disconnectProviderUltimatum'].map(vector),
      writeDomainPdu({ kind: 'disconnectRequest' }),
      ...[0, 127, 128, 3000].map((length) => {
        const payload = new Uint8Array(length).fill(7);
        return writeDomainPdu({ kind: 'sendDataIndication', initiator: 1002, channelId: 1003, payload });
      }),
    ],
  }),
  securityHeader: subject({
    read: readSecurityHeader,
    write: writeSecurityHeader,
    samples: [Uint8Array.of(0x80, 0, 0, 0, 9)],
  }),
  clientInfo: subject({
    read: readClientInfo,
    write: writeClientInfo,
    samples: [vector('clientInfo'), clientInfoWithCookie()],
  }),
  autoReconnect: subject({
    read: readAutoReconnect,
    write: writeAutoReconnect,
    samples: [writeAutoReconnect({ logonId: 3, secret: new Uint8Array(16).fill(9) })],
  }),
  license: subject({
    read: (bytes) => readLicenseError(readLicensePdu(bytes).body),
    samples: [vector('licenseValidClient')],
  }),
};

function clientInfoWithCookie(): Uint8Array {
  const info = readClientInfo(vector('clientInfo'));
  const autoReconnect = { logonId: 7, secret: new Uint8Array(16).fill(1) };
  const trailing = Uint8Array.of(0, 0, 0, 0, 2, 0, 65, 0, 1, 0);
  return writeClientInfo({ ...info, extended: { ...info.extended!, autoReconnect, trailing } });
}

function readsOrRefuses({ read, write }: Subject<unknown>, bytes: Uint8Array): void {
  let value: unknown;
  try {
    value = read(bytes);
  } catch (error) {
    assert.ok(error instanceof DecodeError, `${error instanceof Error ? error.stack : error}`);
    return;
  }
  if (write) assert.deepEqual(read(write(value)), value);
}

/** A sample with some bytes changed, cut short or lengthened; frames keep a true TPKT length so that more is reached. */
function mutations(samples: Uint8Array[]) {
  return fc
    .record({
      sample: fc.constantFrom(...samples),
      changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
      length: fc.option(fc.nat(600)),
    })
    .map(({ sample, changes, length }) => {
      const bytes = new Uint8Array(length ?? sample.length);
      bytes.set(sample.subarray(0, bytes.length));
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
      if (sample[0] === 3 && bytes.length >= 4) bytes.set([3, 0, bytes.length >> 8, bytes.length & 0xff]);
      return bytes;
    });
}

for (const [name, each] of Object.entries(subjects)) {
  test(`${name}: samples read back the same`, () => {
    for (const sample of each.samples) {
      const value = each.read(sample);
      if (each.write) assert.deepEqual(each.read(each.write(value)), value);
    }
  });
  test(`${name}: any bytes are read or refused with a DecodeError`, () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => readsOrRefuses(each, bytes)));
    fc.assert(
      fc.property(mutations(each.samples), (bytes) => readsOrRefuses(each, bytes)),
      { numRuns: 1000 },
    );
  });
}

test('text survives a round trip', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 6000 }), (text) => {
      assert.equal(utf16Text(utf16Bytes(text)), text.split('\0', 1)[0]);
    }),
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.deepEqual(asciiBytes(asciiText(bytes)), bytes)));
});
