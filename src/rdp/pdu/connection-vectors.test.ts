import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { InfoFlag, readClientInfo, writeClientInfo } from './client-info.ts';
import { readClientBlocks, writeClientBlocks } from './gcc-client-blocks.ts';
import { type ClientCoreTail, ClientEarlyFlag, wantedBitsPerPixel } from './gcc-client-core.ts';
import {
  readConferenceCreateRequest,
  readConferenceCreateResponse,
  writeConferenceCreateRequest,
  writeConferenceCreateResponse,
} from './gcc-conference.ts';
import { readServerBlocks, writeServerBlocks } from './gcc-server-blocks.ts';
import {
  LicenseErrorCode,
  LicenseMessageType,
  LicenseTransition,
  readLicenseError,
  readLicensePdu,
  writeLicenseError,
} from './license.ts';
import { readConnectInitial, readConnectResponse, writeConnectResponse } from './mcs-connect.ts';
import { DisconnectReason, type DomainPdu, readDomainPdu, writeDomainPdu } from './mcs-domain.ts';
import { Protocol, readConnectionConfirm, readConnectionRequest, writeConnectionRequest } from './negotiation.ts';

const file = new URL('../../../vectors/rdp/connection.json', import.meta.url);
const vectors: Record<string, { hex: string }> = JSON.parse(readFileSync(file, 'utf8'));
const vector = (name: string) => new Uint8Array(Buffer.from(vectors[name].hex, 'hex'));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('Connection Request of MS-RDPBCGR 4.1.1', () => {
  const request = readConnectionRequest(vector('connectionRequest'));
  assert.deepEqual(request, {
    cookie: 'eltons',
    routingToken: null,
    negotiation: { flags: 0, requestedProtocols: Protocol.rdp },
    trailing: new Uint8Array(0),
  });
  assert.equal(hex(writeConnectionRequest(request)), vectors.connectionRequest.hex);
});

test('Connection Confirm of MS-RDPBCGR 4.1.2', () => {
  const confirm = readConnectionConfirm(vector('connectionConfirm'));
  assert.deepEqual(confirm, { kind: 'response', flags: 0, selectedProtocol: Protocol.rdp });
});

test('Connect-Initial of MS-RDPBCGR 4.1.3', () => {
  const { targetParameters, maximumParameters, userData } = readConnectInitial(vector('connectInitial'));
  assert.equal(targetParameters.maxChannelIds, 34);
  assert.equal(maximumParameters.maxMcsPduSize, 65535);
  const blocks = readClientBlocks(readConferenceCreateRequest(userData));
  assert.equal(blocks.core.clientName, 'ELTONS-DEV2');
  assert.equal(blocks.core.desktopWidth, 1280);
  assert.equal(blocks.core.tail.clientDigProductId, '69712-783-0357974-42714');
  assert.equal(blocks.core.tail.serverSelectedProtocol, 0);
  assert.equal(blocks.core.tail.desktopPhysicalWidth, undefined);
  assert.deepEqual(blocks.cluster, { flags: 0x0d, redirectedSessionId: 0, trailing: new Uint8Array(0) });
  assert.deepEqual(blocks.channels, [
    { name: 'rdpdr', options: 0x80800000 },
    { name: 'cliprdr', options: 0xc0a00000 },
    { name: 'rdpsnd', options: 0xc0000000 },
  ]);
  // The specification's dump has the canonical header of 23 bytes and Microsoft's order of blocks, as ours.
  assert.equal(hex(writeConferenceCreateRequest(writeClientBlocks(blocks))), hex(userData));
});

test('Connect-Response of MS-RDPBCGR 4.1.4', () => {
  const response = readConnectResponse(vector('connectResponse'));
  assert.equal(response.result, 0);
  assert.equal(response.domainParameters.maxMcsPduSize, 65528);
  assert.equal(hex(writeConnectResponse(response)), vectors.connectResponse.hex);
  const userData = readConferenceCreateResponse(response.userData);
  const blocks = readServerBlocks(userData);
  assert.deepEqual(blocks.network, { ioChannelId: 1003, channelIds: [1004, 1005, 1006] });
  assert.equal(blocks.core.clientRequestedProtocols, 0);
  assert.equal(blocks.core.earlyCapabilityFlags, undefined);
  assert.equal(blocks.security.encryptionMethod, 2);
  // Header and all as Microsoft's server writes it: clients count on its size.
  assert.equal(hex(writeConferenceCreateResponse(writeServerBlocks(blocks))), hex(response.userData));
});

const domainPdus: Record<string, DomainPdu> = {
  erectDomainRequest: { kind: 'erectDomainRequest' },
  attachUserRequest: { kind: 'attachUserRequest' },
  attachUserConfirm: { kind: 'attachUserConfirm', result: 0, initiator: 1007 },
  channelJoinRequest: { kind: 'channelJoinRequest', initiator: 1007, channelId: 1007 },
  channelJoinConfirm: { kind: 'channelJoinConfirm', result: 0, initiator: 1007, requested: 1007, channelId: 1007 },
  disconnectProviderUltimatum: { kind: 'disconnectProviderUltimatum', reason: DisconnectReason.userRequested },
};
for (const [name, pdu] of Object.entries(domainPdus)) {
  test(`MCS ${name} of MS-RDPBCGR 4.1 and 4.2`, () => {
    assert.deepEqual(readDomainPdu(vector(name)), pdu);
    assert.equal(hex(writeDomainPdu(pdu)), vectors[name].hex);
  });
}

test("rdesktop's Erect Domain Request, which is no proper PER, is taken", () => {
  const frame = new Uint8Array(Buffer.from('0300000c02f0800400010001', 'hex'));
  assert.deepEqual(readDomainPdu(frame), { kind: 'erectDomainRequest' });
});

test('a refusal by MCS keeps all four bits of its result', () => {
  for (const result of [1, 7, 8, 15]) {
    const attach: DomainPdu = { kind: 'attachUserConfirm', result, initiator: null };
    const join: DomainPdu = { kind: 'channelJoinConfirm', result, initiator: 1004, requested: 1003, channelId: null };
    assert.deepEqual(readDomainPdu(writeDomainPdu(attach)), attach);
    assert.deepEqual(readDomainPdu(writeDomainPdu(join)), join);
  }
});

test('Client Info of MS-RDPBCGR 4.1.10', () => {
  const info = readClientInfo(vector('clientInfo'));
  assert.equal(info.domain, 'NTDEV');
  assert.equal(info.userName, 'eltons');
  assert.equal(info.password, '');
  assert.ok(info.flags & InfoFlag.compression);
  assert.equal(info.extended?.clientAddress, '157.59.242.156');
  assert.equal(info.extended?.clientDir, 'C:\\depots\\w2k3_1\\termsrv\\newclient\\lib\\win32\\obj\\i386\\mstscax.dll');
  assert.equal(info.extended?.performanceFlags, 1);
  assert.equal(info.extended?.autoReconnect, undefined);
  assert.equal(hex(writeClientInfo(info)), vectors.clientInfo.hex);
});

test('License Error of MS-RDPBCGR 4.1.11', () => {
  const pdu = readLicensePdu(vector('licenseValidClient'));
  assert.equal(pdu.messageType, LicenseMessageType.errorAlert);
  const error = { errorCode: LicenseErrorCode.validClient, stateTransition: LicenseTransition.noTransition };
  assert.deepEqual(readLicenseError(pdu.body), error);
  assert.equal(hex(writeLicenseError(error)), vectors.licenseValidClient.hex);
});

test('the depth that a client wants comes from the newest field it sends', () => {
  const { core } = readClientBlocks(readConferenceCreateRequest(readConnectInitial(vector('connectInitial')).userData));
  const wanted = (colorDepth: number, tail: ClientCoreTail) => wantedBitsPerPixel({ ...core, colorDepth, tail });
  assert.equal(wantedBitsPerPixel(core), 24);
  assert.equal(wanted(0xca01, {}), 8);
  assert.equal(wanted(0xca01, { postBeta2ColorDepth: 0xca03 }), 16);
  assert.equal(wanted(0xca01, { postBeta2ColorDepth: 0xca01, highColorDepth: 15 }), 15);
  const flags = { earlyCapabilityFlags: ClientEarlyFlag.want32BppSession };
  assert.equal(wanted(0xca01, { ...flags, highColorDepth: 24, supportedColorDepths: 15 }), 32);
  assert.equal(wanted(0xca01, { ...flags, highColorDepth: 24, supportedColorDepths: 7 }), 24);
});
