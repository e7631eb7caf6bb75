/**
 * Demand Active and Confirm Active (MS-RDPBCGR 2.2.1.13.1.1, 2.2.1.13.2.1): both sides say what they can do, and a share
 * begins. Little-endian.
 */
import { Reader, Writer } from '../bytes.ts';
import { type CapabilitySet, readCapabilitySets, writeCapabilitySets } from './capability-set.ts';
import { SERVER_USER_ID } from './mcs-domain.ts';
import { ShareControlType, writeShareControl } from './share-control.ts';

export interface DemandActive {
  shareId: number;
  /** Terminated by zero, ANSI: nothing depends on it. */
  sourceDescriptor: Uint8Array;
  capabilitySets: CapabilitySet[];
  /** sessionId and whatever else follows the sets. */
  rest: Uint8Array;
}

export interface ConfirmActive {
  shareId: number;
  /** MCS id of the server: always 1002. */
  originatorId: number;
  sourceDescriptor: Uint8Array;
  capabilitySets: CapabilitySet[];
  rest: Uint8Array;
}

/**
 * @param body body of the share control PDU
 * @throws DecodeError where the bytes do not follow the specification
 */
export function readDemandActive(body: Uint8Array): DemandActive {
  const reader = new Reader(body);
  const shareId = reader.u32('shareId');
  return { shareId, ...readSets(reader) };
}

/**
 * @param body body of the share control PDU
 * @throws DecodeError where the bytes do not follow the specification
 */
export function readConfirmActive(body: Uint8Array): ConfirmActive {
  const reader = new Reader(body);
  const shareId = reader.u32('shareId');
  const originatorId = reader.u16('originatorId');
  return { shareId, originatorId, ...readSets(reader) };
}

function readSets(reader: Reader): Pick<DemandActive, 'sourceDescriptor' | 'capabilitySets' | 'rest'> {
  const lengthSourceDescriptor = reader.u16('lengthSourceDescriptor');
  // the count and each set's own length say where the list ends; some senders get this sum wrong
  reader.skip(2, 'lengthCombinedCapabilities');
  const sourceDescriptor = reader.take(lengthSourceDescriptor, 'sourceDescriptor');
  const count = reader.u16('numberCapabilities');
  reader.skip(2, 'pad2Octets');
  return { sourceDescriptor, capabilitySets: readCapabilitySets(reader, count), rest: reader.rest() };
}

/**
 * @param source MCS user id of the server
 * @returns the share control PDU: a whole MCS payload
 */
export function writeDemandActive(demand: DemandActive, source: number = SERVER_USER_ID): Uint8Array {
  const writer = new Writer(1024).u32(demand.shareId);
  writeSets(writer, demand);
  return writeShareControl(ShareControlType.demandActive, source, writer.finish());
}

/**
 * @param source MCS user id of the client
 * @returns the share control PDU: a whole MCS payload
 */
export function writeConfirmActive(confirm: ConfirmActive, source: number): Uint8Array {
  const writer = new Writer(1024).u32(confirm.shareId).u16(confirm.originatorId);
  writeSets(writer, confirm);
  return writeShareControl(ShareControlType.confirmActive, source, writer.finish());
}

function writeSets(writer: Writer, active: Pick<DemandActive, 'sourceDescriptor' | 'capabilitySets' | 'rest'>): void {
  const sets = writeCapabilitySets(active.capabilitySets);
  writer.u16(active.sourceDescriptor.length);
  writer.u16(4 + sets.length); // numberCapabilities, pad2Octets, the sets
  writer.raw(active.sourceDescriptor).u16(active.capabilitySets.length).u16(0).raw(sets).raw(active.rest);
}
