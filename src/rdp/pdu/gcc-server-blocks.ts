/** The server's GCC data blocks (MS-RDPBCGR 2.2.1.4). They come in any order. */
import { Reader, Writer } from '../bytes.ts';
import { type GccBlock, readGccBlocks, writeGccBlocks } from './gcc-block.ts';

export const ServerBlockType = {
  core: 0x0c01,
  security: 0x0c02,
  network: 0x0c03,
  messageChannel: 0x0c04,
  multitransport: 0x0c08,
} as const;

/** Bits of SC_CORE's earlyCapabilityFlags. */
export const ServerEarlyFlag = {
  edgeActionsSupportedV1: 1,
  dynamicDstSupported: 2,
  edgeActionsSupportedV2: 4,
  skipChannelJoinSupported: 8,
} as const;

/** TS_UD_SC_CORE (2.2.1.4.2): later fields are absent from older servers. */
export interface ServerCoreData {
  version: number;
  clientRequestedProtocols?: number;
  earlyCapabilityFlags?: number;
  trailing: Uint8Array;
}

/** TS_UD_SC_SEC1 (2.2.1.4.3): 0 and 0 under TLS. */
export interface ServerSecurityData {
  encryptionMethod: number;
  encryptionLevel: number;
  /** Server random and certificate of legacy RDP security, with their lengths. */
  trailing: Uint8Array;
}

/** TS_UD_SC_NET (2.2.1.4.4). */
export interface ServerNetworkData {
  ioChannelId: number;
  /** One for each channel of the client's list, in its order. */
  channelIds: number[];
}

export interface ServerBlocks {
  core: ServerCoreData;
  security: ServerSecurityData;
  network: ServerNetworkData;
  /** TS_UD_SC_MCS_MSGCHANNEL's channel id (2.2.1.4.5); 0 means do not join. */
  messageChannelId: number | null;
  /** TS_UD_SC_MULTITRANSPORT's flags (2.2.1.4.6). */
  multitransport: number | null;
  unknown: GccBlock[];
}

/**
 * Reads the user data of a Conference Create Response.
 * @throws DecodeError when SC_CORE, SC_SECURITY or SC_NET is missing or a block is malformed
 */
export function readServerBlocks(bytes: Uint8Array): ServerBlocks {
  let core: ServerCoreData | null = null;
  let security: ServerSecurityData | null = null;
  let network: ServerNetworkData | null = null;
  let messageChannelId: number | null = null;
  let multitransport: number | null = null;
  const unknown: GccBlock[] = [];
  for (const block of readGccBlocks(bytes)) {
    const reader = new Reader(block.body);
    if (block.type === ServerBlockType.core) core = readCore(reader);
    else if (block.type === ServerBlockType.security) security = readSecurity(reader);
    else if (block.type === ServerBlockType.network) network = readNetwork(reader);
    else if (block.type === ServerBlockType.messageChannel) messageChannelId = reader.u16('SC_MCS_MSGCHANNEL id');
    else if (block.type === ServerBlockType.multitransport) multitransport = reader.u32('SC_MULTITRANSPORT flags');
    else unknown.push(block);
  }
  if (core === null) throw missing(bytes, 'SC_CORE');
  if (security === null) throw missing(bytes, 'SC_SECURITY');
  if (network === null) throw missing(bytes, 'SC_NET');
  return { core, security, network, messageChannelId, multitransport, unknown };
}

/** The user data of a Conference Create Response, in the order in which Microsoft's server sends it. */
export function writeServerBlocks(blocks: ServerBlocks): Uint8Array {
  const list: GccBlock[] = [
    { type: ServerBlockType.core, body: writeCore(blocks.core) },
    { type: ServerBlockType.network, body: writeNetwork(blocks.network) },
    { type: ServerBlockType.security, body: writeSecurity(blocks.security) },
  ];
  if (blocks.messageChannelId !== null) {
    list.push({ type: ServerBlockType.messageChannel, body: new Writer(2).u16(blocks.messageChannelId).finish() });
  }
  if (blocks.multitransport !== null) {
    list.push({ type: ServerBlockType.multitransport, body: new Writer(4).u32(blocks.multitransport).finish() });
  }
  return writeGccBlocks([...list, ...blocks.unknown]);
}

function readCore(reader: Reader): ServerCoreData {
  const version = reader.u32('SC_CORE version');
  if (reader.remaining < 4) return { version, trailing: reader.rest() };
  const clientRequestedProtocols = reader.u32('SC_CORE clientRequestedProtocols');
  if (reader.remaining < 4) return { version, clientRequestedProtocols, trailing: reader.rest() };
  const earlyCapabilityFlags = reader.u32('SC_CORE earlyCapabilityFlags');
  return { version, clientRequestedProtocols, earlyCapabilityFlags, trailing: reader.rest() };
}

function writeCore(core: ServerCoreData): Uint8Array {
  const writer = new Writer(12).u32(core.version);
  if (core.clientRequestedProtocols !== undefined) {
    writer.u32(core.clientRequestedProtocols);
    if (core.earlyCapabilityFlags !== undefined) writer.u32(core.earlyCapabilityFlags);
  }
  return writer.raw(core.trailing).finish();
}

function readSecurity(reader: Reader): ServerSecurityData {
  return {
    encryptionMethod: reader.u32('SC_SECURITY encryptionMethod'),
    encryptionLevel: reader.u32('SC_SECURITY encryptionLevel'),
    trailing: reader.rest(),
  };
}

function writeSecurity(security: ServerSecurityData): Uint8Array {
  return new Writer(8).u32(security.encryptionMethod).u32(security.encryptionLevel).raw(security.trailing).finish();
}

function readNetwork(reader: Reader): ServerNetworkData {
  const ioChannelId = reader.u16('SC_NET MCSChannelId');
  const count = reader.u16('SC_NET channelCount');
  const channelIds: number[] = [];
  for (let i = 0; i < count; i++) channelIds.push(reader.u16('SC_NET channelIdArray'));
  return { ioChannelId, channelIds };
}

function writeNetwork({ ioChannelId, channelIds }: ServerNetworkData): Uint8Array {
  const writer = new Writer(4 + channelIds.length * 2 + 2).u16(ioChannelId).u16(channelIds.length);
  for (const id of channelIds) writer.u16(id);
  // The block is a multiple of four bytes long.
  return writer.zeros(channelIds.length % 2 === 0 ? 0 : 2).finish();
}

function missing(bytes: Uint8Array, name: string) {
  return new Reader(bytes).error(name, 'is missing');
}
