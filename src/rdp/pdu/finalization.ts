/**
 * Connection finalisation (MS-RDPBCGR 2.2.1.14 to 2.2.1.22): the share data PDUs by which both sides begin a share after
 * Confirm Active. Little-endian.
 */
import { Reader, Writer } from '../bytes.ts';

/** action of a Control PDU. */
export const ControlAction = { requestControl: 1, grantedControl: 2, detach: 3, cooperate: 4 } as const;

export interface Control {
  /** A value of ControlAction. */
  action: number;
  /** MCS user id of the client with grantedControl, else 0. */
  grantId: number;
  /** MCS id of the server with grantedControl, else 0. */
  controlId: number;
}

/** Font List and Font Map have the same form; their content is historic. */
export interface FontPdu {
  count: number;
  totalCount: number;
  /** 1 first, 2 last. */
  flags: number;
  /** 50 in a Font List, 4 in a Font Map. */
  entrySize: number;
}

export interface PersistentKeyList {
  /** Keys in this PDU, for each of the five caches. */
  entries: number[];
  /** Keys in the whole list, for each of the five caches. */
  totalEntries: number[];
  /** 1 first, 2 last. */
  bitMask: number;
  /** 64-bit keys of bitmaps that the client has stored, cache after cache. */
  keys: bigint[];
}

const syncMessageType = 1;
const caches = 5;
const firstAndLast = 3;

/**
 * @param body body of a share data PDU of type synchronize
 * @returns MCS user id of the other side
 * @throws DecodeError when it is cut short
 */
export function readSynchronize(body: Uint8Array): number {
  const reader = new Reader(body);
  reader.skip(2, 'messageType');
  return reader.u16('targetUser');
}

/** @param targetUser MCS user id of the receiver */
export function writeSynchronize(targetUser: number): Uint8Array {
  return new Writer(4).u16(syncMessageType).u16(targetUser).finish();
}

/**
 * @param body body of a share data PDU of type control
 * @throws DecodeError when it is cut short
 */
export function readControl(body: Uint8Array): Control {
  const reader = new Reader(body);
  return { action: reader.u16('action'), grantId: reader.u16('grantId'), controlId: reader.u32('controlId') };
}

/** @returns body of a share data PDU of type control */
export function writeControl(action: number, grantId = 0, controlId = 0): Uint8Array {
  return new Writer(8).u16(action).u16(grantId).u32(controlId).finish();
}

/**
 * @param body body of a share data PDU of type fontList or fontMap
 * @throws DecodeError when it is cut short
 */
export function readFontPdu(body: Uint8Array): FontPdu {
  const reader = new Reader(body);
  const count = reader.u16('numberEntries');
  const totalCount = reader.u16('totalNumEntries');
  return { count, totalCount, flags: reader.u16('flags'), entrySize: reader.u16('entrySize') };
}

/** @returns body of the client's Font List */
export function writeFontList(): Uint8Array {
  return writeFontPdu(50);
}

/** @returns body of the server's Font Map, which ends the finalisation */
export function writeFontMap(): Uint8Array {
  return writeFontPdu(4);
}

function writeFontPdu(entrySize: number): Uint8Array {
  return new Writer(8).u16(0).u16(0).u16(firstAndLast).u16(entrySize).finish();
}

/**
 * @param body body of a share data PDU of type persistentKeyList
 * @throws DecodeError when it is cut short
 */
export function readPersistentKeyList(body: Uint8Array): PersistentKeyList {
  const reader = new Reader(body);
  const entries = Array.from({ length: caches }, (_, i) => reader.u16(`numEntriesCache${i}`));
  const totalEntries = Array.from({ length: caches }, (_, i) => reader.u16(`totalEntriesCache${i}`));
  const bitMask = reader.u8('bBitMask');
  reader.skip(3, 'pad');
  const count = entries.reduce((sum, each) => sum + each, 0);
  const keys = new Reader(reader.take(count * 8, 'entries'));
  return { entries, totalEntries, bitMask, keys: Array.from({ length: count }, () => keys.u64('key')) };
}

/** @returns body of a share data PDU of type persistentKeyList */
export function writePersistentKeyList(list: PersistentKeyList): Uint8Array {
  const writer = new Writer(24 + list.keys.length * 8);
  for (const count of [...list.entries, ...list.totalEntries]) writer.u16(count);
  writer.u8(list.bitMask).zeros(3);
  for (const key of list.keys) writer.u64(key);
  return writer.finish();
}
