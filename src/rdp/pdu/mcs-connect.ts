/** MCS Connect-Initial and Connect-Response (T.125 section 7; MS-RDPBCGR 2.2.1.3 and 2.2.1.4), BER inside a data TPDU. */
import { Reader, Writer } from '../bytes.ts';
import {
  BerTag,
  readBerApplication,
  readBerBoolean,
  readBerHeader,
  readBerInteger,
  readBerOctets,
  writeBerApplication,
  writeBerBoolean,
  writeBerHeader,
  writeBerInteger,
  writeBerOctets,
} from './ber.ts';
import { readData, writeData } from './x224.ts';

/** T.125 DomainParameters: limits that the two providers agree on. */
export interface DomainParameters {
  maxChannelIds: number;
  maxUserIds: number;
  maxTokenIds: number;
  numPriorities: number;
  minThroughput: number;
  maxHeight: number;
  /** Bytes. */
  maxMcsPduSize: number;
  protocolVersion: number;
}

export interface ConnectInitial {
  targetParameters: DomainParameters;
  minimumParameters: DomainParameters;
  maximumParameters: DomainParameters;
  /** GCC Conference Create Request. */
  userData: Uint8Array;
}

export interface ConnectResponse {
  /** T.125 Result: 0 is success. */
  result: number;
  domainParameters: DomainParameters;
  /** GCC Conference Create Response. */
  userData: Uint8Array;
}

/** What Microsoft's client proposes (MS-RDPBCGR 4.1.3), and what every known server accepts. */
export const CLIENT_DOMAIN_PARAMETERS: Omit<ConnectInitial, 'userData'> = {
  targetParameters: parameters({ maxChannelIds: 34, maxUserIds: 2, maxMcsPduSize: 65535 }),
  minimumParameters: parameters({ maxChannelIds: 1, maxUserIds: 1, maxTokenIds: 1, maxMcsPduSize: 1056 }),
  maximumParameters: parameters({ maxChannelIds: 65535, maxUserIds: 64535, maxTokenIds: 65535, maxMcsPduSize: 65535 }),
};

/** What a server answers (MS-RDPBCGR 4.1.4). */
export const SERVER_DOMAIN_PARAMETERS = parameters({ maxChannelIds: 34, maxUserIds: 3, maxMcsPduSize: 65528 });

function parameters(given: Partial<DomainParameters>): DomainParameters {
  const common = { maxTokenIds: 0, numPriorities: 1, minThroughput: 0, maxHeight: 1, protocolVersion: 2 };
  return { maxChannelIds: 0, maxUserIds: 0, maxMcsPduSize: 0, ...common, ...given };
}

const CONNECT_INITIAL = 0x65;
const CONNECT_RESPONSE = 0x66;
/** Calling and called domain selector: one byte that nobody reads. */
const DOMAIN_SELECTOR = Uint8Array.of(1);

/** Reads a frame with an MCS Connect-Initial. @throws DecodeError */
export function readConnectInitial(frame: Uint8Array): ConnectInitial {
  const reader = readData(frame);
  readBerApplication(reader, CONNECT_INITIAL, 'MCS Connect-Initial');
  readBerOctets(reader, 'callingDomainSelector');
  readBerOctets(reader, 'calledDomainSelector');
  readBerBoolean(reader, 'upwardFlag');
  return {
    targetParameters: readDomainParameters(reader, 'targetParameters'),
    minimumParameters: readDomainParameters(reader, 'minimumParameters'),
    maximumParameters: readDomainParameters(reader, 'maximumParameters'),
    userData: readBerOctets(reader, 'Connect-Initial userData'),
  };
}

/** A frame with an MCS Connect-Initial. */
export function writeConnectInitial(pdu: ConnectInitial): Uint8Array {
  const body = new Writer(64 + pdu.userData.length);
  writeBerOctets(body, DOMAIN_SELECTOR);
  writeBerOctets(body, DOMAIN_SELECTOR);
  writeBerBoolean(body, true);
  writeDomainParameters(body, pdu.targetParameters);
  writeDomainParameters(body, pdu.minimumParameters);
  writeDomainParameters(body, pdu.maximumParameters);
  writeBerOctets(body, pdu.userData);
  return wrap(CONNECT_INITIAL, body);
}

/** Reads a frame with an MCS Connect-Response. @throws DecodeError */
export function readConnectResponse(frame: Uint8Array): ConnectResponse {
  const reader = readData(frame);
  readBerApplication(reader, CONNECT_RESPONSE, 'MCS Connect-Response');
  const result = readBerInteger(reader, 'Connect-Response result', BerTag.enumerated);
  readBerInteger(reader, 'calledConnectId');
  const domainParameters = readDomainParameters(reader, 'domainParameters');
  return { result, domainParameters, userData: readBerOctets(reader, 'Connect-Response userData') };
}

/** A frame with an MCS Connect-Response. */
export function writeConnectResponse(pdu: ConnectResponse): Uint8Array {
  const body = new Writer(64 + pdu.userData.length);
  writeBerInteger(body, pdu.result, BerTag.enumerated);
  writeBerInteger(body, 0);
  writeDomainParameters(body, pdu.domainParameters);
  writeBerOctets(body, pdu.userData);
  return wrap(CONNECT_RESPONSE, body);
}

function wrap(tag: number, body: Writer): Uint8Array {
  const writer = new Writer(body.length + 8);
  writeBerApplication(writer, tag, body.length);
  return writeData(writer.raw(body.finish()).finish());
}

function readDomainParameters(from: Reader, name: string): DomainParameters {
  const reader = new Reader(from.take(readBerHeader(from, BerTag.sequence, name), name));
  return {
    maxChannelIds: readBerInteger(reader, `${name} maxChannelIds`),
    maxUserIds: readBerInteger(reader, `${name} maxUserIds`),
    maxTokenIds: readBerInteger(reader, `${name} maxTokenIds`),
    numPriorities: readBerInteger(reader, `${name} numPriorities`),
    minThroughput: readBerInteger(reader, `${name} minThroughput`),
    maxHeight: readBerInteger(reader, `${name} maxHeight`),
    maxMcsPduSize: readBerInteger(reader, `${name} maxMCSPDUsize`),
    protocolVersion: readBerInteger(reader, `${name} protocolVersion`),
  };
}

function writeDomainParameters(writer: Writer, value: DomainParameters): void {
  const body = new Writer(40);
  writeBerInteger(body, value.maxChannelIds);
  writeBerInteger(body, value.maxUserIds);
  writeBerInteger(body, value.maxTokenIds);
  writeBerInteger(body, value.numPriorities);
  writeBerInteger(body, value.minThroughput);
  writeBerInteger(body, value.maxHeight);
  writeBerInteger(body, value.maxMcsPduSize);
  writeBerInteger(body, value.protocolVersion);
  writeBerHeader(writer, BerTag.sequence, body.length);
  writer.raw(body.finish());
}
