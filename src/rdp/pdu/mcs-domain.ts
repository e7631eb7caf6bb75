/**
 * MCS domain PDUs (T.125 section 7; MS-RDPBCGR 2.2.1.5 to 2.2.1.9 and 2.3.1): user and channel set-up, data, the end.
 *
 * Functions take and give whole frames (TPKT, data TPDU, MCS).
 */
import { Reader, type Writer } from '../bytes.ts';
import { perLengthSize, readPerLength, writePerLength } from './per.ts';
import { readData, readTpdu, startData, TpduCode } from './x224.ts';

/** Why a provider ends a domain (T.125 Reason). */
export const DisconnectReason = {
  domainDisconnected: 0,
  providerInitiated: 1,
  tokenPurged: 2,
  userRequested: 3,
  channelPurged: 4,
} as const;

/** Result of an attach or a join (T.125 Result): 0 is success, all else a refusal. */
export const MCS_SUCCESSFUL = 0;

/** MCS user id that a server sends from: the same at every known server. */
export const SERVER_USER_ID = 1002;

export type DomainPdu =
  | { kind: 'erectDomainRequest' }
  | { kind: 'attachUserRequest' }
  | { kind: 'attachUserConfirm'; result: number; initiator: number | null }
  | { kind: 'channelJoinRequest'; initiator: number; channelId: number }
  | { kind: 'channelJoinConfirm'; result: number; initiator: number; requested: number; channelId: number | null }
  | SendData
  | { kind: 'disconnectProviderUltimatum'; reason: number }
  /** Not MCS: X.224's own Disconnect Request, with which some peers end. */
  | { kind: 'disconnectRequest' };

export interface SendData {
  /** `sendDataRequest` goes to the server, `sendDataIndication` to the client. */
  kind: 'sendDataRequest' | 'sendDataIndication';
  /** User channel id of the sender. */
  initiator: number;
  channelId: number;
  /** A view into the frame. */
  payload: Uint8Array;
}

/** T.125 DomainMCSPDU choices; a PDU's first byte holds the choice in its upper six bits. */
const Choice = {
  erectDomainRequest: 1,
  disconnectProviderUltimatum: 8,
  attachUserRequest: 10,
  attachUserConfirm: 11,
  channelJoinRequest: 14,
  channelJoinConfirm: 15,
  sendDataRequest: 25,
  sendDataIndication: 26,
} as const;

/** User ids are encoded from 1001 on (T.125 UserId). */
const USER_ID_BASE = 1001;
/** "An optional field is there", in a confirm's first byte. */
const OPTIONAL_PRESENT = 0x02;
/** Two PER integers of one byte, both 0. */
const HEIGHTS_OF_ZERO = Uint8Array.of(1, 0, 1, 0);
/** Data priority high, segmentation begin and end: what every RDP peer sends. */
const WHOLE_HIGH_PRIORITY = 0x70;

/** Reads a frame's MCS domain PDU. @throws DecodeError on anything that RDP has no use for */
export function readDomainPdu(frame: Uint8Array): DomainPdu {
  if (frame.length > 5 && frame[5] === TpduCode.disconnectRequest) {
    readTpdu(frame);
    return { kind: 'disconnectRequest' };
  }
  const reader = readData(frame);
  const first = reader.u8('MCS choice');
  switch (first >> 2) {
    case Choice.sendDataRequest:
      return readSendData(reader, 'sendDataRequest');
    case Choice.sendDataIndication:
      return readSendData(reader, 'sendDataIndication');
    case Choice.erectDomainRequest:
      // The two heights mean nothing between two peers; rdesktop writes them in an encoding of its own.
      return { kind: 'erectDomainRequest' };
    case Choice.attachUserRequest:
      return { kind: 'attachUserRequest' };
    case Choice.attachUserConfirm: {
      const result = readResult(first, reader, 'AttachUserConfirm result');
      const initiator = first & OPTIONAL_PRESENT ? readUserId(reader, 'AttachUserConfirm initiator') : null;
      return { kind: 'attachUserConfirm', result, initiator };
    }
    case Choice.channelJoinRequest: {
      const initiator = readUserId(reader, 'ChannelJoinRequest initiator');
      return { kind: 'channelJoinRequest', initiator, channelId: reader.u16be('ChannelJoinRequest channelId') };
    }
    case Choice.channelJoinConfirm: {
      const result = readResult(first, reader, 'ChannelJoinConfirm result');
      const initiator = readUserId(reader, 'ChannelJoinConfirm initiator');
      const requested = reader.u16be('ChannelJoinConfirm requested');
      const channelId = first & OPTIONAL_PRESENT ? reader.u16be('ChannelJoinConfirm channelId') : null;
      return { kind: 'channelJoinConfirm', result, initiator, requested, channelId };
    }
    case Choice.disconnectProviderUltimatum: {
      // The three bits of the reason begin in the choice's byte.
      const reason = ((first & 0x03) << 1) | (reader.u8('DisconnectProviderUltimatum reason') >> 7);
      return { kind: 'disconnectProviderUltimatum', reason };
    }
    default:
      throw new Reader(frame).error('MCS choice', `${first >> 2} is not used by RDP`);
  }
}

/** A frame with an MCS domain PDU. */
export function writeDomainPdu(pdu: DomainPdu): Uint8Array {
  switch (pdu.kind) {
    case 'sendDataRequest':
    case 'sendDataIndication':
      return startSendData(pdu.kind, pdu.initiator, pdu.channelId, pdu.payload.length).raw(pdu.payload).finish();
    case 'erectDomainRequest':
      return startData(5)
        .u8(Choice.erectDomainRequest << 2)
        .raw(HEIGHTS_OF_ZERO)
        .finish();
    case 'attachUserRequest':
      return startData(1)
        .u8(Choice.attachUserRequest << 2)
        .finish();
    case 'attachUserConfirm': {
      const writer = startData(pdu.initiator === null ? 2 : 4);
      writeChoiceAndResult(writer, Choice.attachUserConfirm, pdu.initiator !== null, pdu.result);
      if (pdu.initiator !== null) writer.u16be(pdu.initiator - USER_ID_BASE);
      return writer.finish();
    }
    case 'channelJoinRequest':
      return startData(5)
        .u8(Choice.channelJoinRequest << 2)
        .u16be(pdu.initiator - USER_ID_BASE)
        .u16be(pdu.channelId)
        .finish();
    case 'channelJoinConfirm': {
      const writer = startData(pdu.channelId === null ? 6 : 8);
      writeChoiceAndResult(writer, Choice.channelJoinConfirm, pdu.channelId !== null, pdu.result);
      writer.u16be(pdu.initiator - USER_ID_BASE).u16be(pdu.requested);
      if (pdu.channelId !== null) writer.u16be(pdu.channelId);
      return writer.finish();
    }
    case 'disconnectProviderUltimatum':
      return startData(2)
        .u8((Choice.disconnectProviderUltimatum << 2) | (pdu.reason >> 1))
        .u8((pdu.reason & 1) << 7)
        .finish();
    case 'disconnectRequest':
      return Uint8Array.of(3, 0, 0, 11, 6, TpduCode.disconnectRequest, 0, 0, 0, 0, 0);
  }
}

/**
 * Begins a frame that sends data; the caller writes exactly `length` bytes of payload after it.
 * @throws RangeError above 16383 bytes, MCS's limit for one PDU
 */
export function startSendData(kind: SendData['kind'], initiator: number, channelId: number, length: number): Writer {
  const choice = kind === 'sendDataRequest' ? Choice.sendDataRequest : Choice.sendDataIndication;
  // choice 1, initiator 2, channelId 2, priority and segmentation 1, length 1 or 2
  const writer = startData(6 + perLengthSize(length) + length)
    .u8(choice << 2)
    .u16be(initiator - USER_ID_BASE)
    .u16be(channelId)
    .u8(WHOLE_HIGH_PRIORITY);
  writePerLength(writer, length);
  return writer;
}

function readSendData(reader: Reader, kind: SendData['kind']): SendData {
  const initiator = readUserId(reader, 'SendData initiator');
  const channelId = reader.u16be('SendData channelId');
  reader.skip(1, 'SendData priority and segmentation');
  const length = readPerLength(reader, 'SendData length');
  return { kind, initiator, channelId, payload: reader.take(length, 'SendData payload') };
}

function readUserId(reader: Reader, field: string): number {
  const id = reader.u16be(field) + USER_ID_BASE;
  if (id > 0xffff) throw reader.error(field, `is ${id}, wanted at most 65535`);
  return id;
}

/** The four bits of a result: the last of the choice's byte, then the first three of the next. */
function readResult(first: number, reader: Reader, field: string): number {
  return ((first & 1) << 3) | (reader.u8(field) >> 5);
}

function writeChoiceAndResult(writer: Writer, choice: number, optional: boolean, result: number): void {
  writer.u8((choice << 2) | (optional ? OPTIONAL_PRESENT : 0) | (result >> 3)).u8((result & 7) << 5);
}
