/** The client's GCC data blocks besides CS_CORE, and all of them together (MS-RDPBCGR 2.2.1.3). */
import { Reader, Writer } from '../bytes.ts';
import { type GccBlock, readGccBlocks, writeGccBlocks } from './gcc-block.ts';
import { type ClientCoreData, readClientCoreData, writeClientCoreData } from './gcc-client-core.ts';
import { asciiBytes, asciiField } from './text.ts';

export const ClientBlockType = {
  core: 0xc001,
  security: 0xc002,
  network: 0xc003,
  cluster: 0xc004,
  monitor: 0xc005,
  messageChannel: 0xc006,
  monitorExtended: 0xc008,
  multitransport: 0xc00a,
} as const;

/** Bits of a static channel's options (CHANNEL_DEF). */
export const ChannelOption = {
  showProtocol: 0x00200000,
  compress: 0x00400000,
  compressRdp: 0x00800000,
  encryptRdp: 0x40000000,
  initialized: 0x80000000,
} as const;

/** Static virtual channels a client may ask for. */
export const MAX_STATIC_CHANNELS = 31;
const CHANNEL_NAME_SIZE = 8;
const MAX_MONITORS = 16;
/** Bytes of one TS_MONITOR_ATTRIBUTES. */
const MONITOR_ATTRIBUTES_SIZE = 20;

/** TS_UD_CS_SEC (2.2.1.3.3): all zero under TLS. */
export interface ClientSecurityData {
  encryptionMethods: number;
  extEncryptionMethods: number;
  trailing: Uint8Array;
}

/** CHANNEL_DEF (2.2.1.3.4.1). */
export interface ChannelDef {
  /** At most 7 characters in correct requests; 8 fit and are kept, so that the owner can refuse them by name. */
  name: string;
  options: number;
}

/** TS_UD_CS_CLUSTER (2.2.1.3.5). */
export interface ClientClusterData {
  flags: number;
  redirectedSessionId: number;
  /** Mac clients pad the block. */
  trailing: Uint8Array;
}

/** TS_MONITOR_DEF (2.2.1.3.6.1): pixels, edges inclusive. */
export interface MonitorDef {
  left: number;
  top: number;
  right: number;
  bottom: number;
  /** 1 = primary. */
  flags: number;
}

/** TS_UD_CS_MONITOR (2.2.1.3.6). */
export interface ClientMonitorData {
  flags: number;
  monitors: MonitorDef[];
}

/** TS_MONITOR_ATTRIBUTES (2.2.1.3.9.1). */
export interface MonitorAttributes {
  /** Millimetres. */
  physicalWidth: number;
  physicalHeight: number;
  /** Degrees. */
  orientation: number;
  /** Percent. */
  desktopScaleFactor: number;
  deviceScaleFactor: number;
}

export interface ClientBlocks {
  core: ClientCoreData;
  security: ClientSecurityData | null;
  /** The static channels asked for; null when the block is absent. */
  channels: ChannelDef[] | null;
  cluster: ClientClusterData | null;
  monitors: ClientMonitorData | null;
  /** TS_UD_CS_MCS_MSGCHANNEL's flags (2.2.1.3.7). */
  messageChannel: number | null;
  /** TS_UD_CS_MONITOR_EX (2.2.1.3.9). */
  monitorAttributes: MonitorAttributes[] | null;
  /** TS_UD_CS_MULTITRANSPORT's flags (2.2.1.3.8). */
  multitransport: number | null;
  /** Blocks of other types, as they came. */
  unknown: GccBlock[];
}

/**
 * Reads the user data of a Conference Create Request. A block that comes twice counts the last time.
 * @throws DecodeError when CS_CORE is missing or a block is malformed
 */
export function readClientBlocks(bytes: Uint8Array): ClientBlocks {
  let core: ClientCoreData | null = null;
  const rest: Omit<ClientBlocks, 'core'> = {
    security: null,
    channels: null,
    cluster: null,
    monitors: null,
    messageChannel: null,
    monitorAttributes: null,
    multitransport: null,
    unknown: [],
  };
  for (const block of readGccBlocks(bytes)) {
    const reader = new Reader(block.body);
    if (block.type === ClientBlockType.core) core = readClientCoreData(block.body);
    else if (block.type === ClientBlockType.security) rest.security = readSecurity(reader);
    else if (block.type === ClientBlockType.network) rest.channels = readChannels(reader);
    else if (block.type === ClientBlockType.cluster) rest.cluster = readCluster(reader);
    else if (block.type === ClientBlockType.monitor) rest.monitors = readMonitors(reader);
    else if (block.type === ClientBlockType.messageChannel) rest.messageChannel = reader.u32('CS_MCS_MSGCHANNEL flags');
    else if (block.type === ClientBlockType.monitorExtended) rest.monitorAttributes = readMonitorAttributes(reader);
    else if (block.type === ClientBlockType.multitransport) rest.multitransport = reader.u32('CS_MULTITRANSPORT flags');
    else rest.unknown.push(block);
  }
  if (core === null) throw new Reader(bytes).error('CS_CORE', 'is missing');
  return { core, ...rest };
}

/** The user data of a Conference Create Request, in the order in which Microsoft's client sends it. */
export function writeClientBlocks(blocks: ClientBlocks): Uint8Array {
  const list: GccBlock[] = [{ type: ClientBlockType.core, body: writeClientCoreData(blocks.core) }];
  const add = (type: number, body: Uint8Array) => list.push({ type, body });
  if (blocks.cluster) add(ClientBlockType.cluster, writeCluster(blocks.cluster));
  if (blocks.security) add(ClientBlockType.security, writeSecurity(blocks.security));
  if (blocks.channels) add(ClientBlockType.network, writeChannels(blocks.channels));
  if (blocks.monitors) add(ClientBlockType.monitor, writeMonitors(blocks.monitors));
  if (blocks.messageChannel !== null) add(ClientBlockType.messageChannel, u32(blocks.messageChannel));
  if (blocks.monitorAttributes) {
    add(ClientBlockType.monitorExtended, writeMonitorAttributes(blocks.monitorAttributes));
  }
  if (blocks.multitransport !== null) add(ClientBlockType.multitransport, u32(blocks.multitransport));
  return writeGccBlocks([...list, ...blocks.unknown]);
}

function readSecurity(reader: Reader): ClientSecurityData {
  return {
    encryptionMethods: reader.u32('CS_SECURITY encryptionMethods'),
    extEncryptionMethods: reader.u32('CS_SECURITY extEncryptionMethods'),
    trailing: reader.rest(),
  };
}

function writeSecurity(security: ClientSecurityData): Uint8Array {
  return new Writer(8)
    .u32(security.encryptionMethods)
    .u32(security.extEncryptionMethods)
    .raw(security.trailing)
    .finish();
}

function readChannels(reader: Reader): ChannelDef[] {
  const count = reader.u32('CS_NET channelCount');
  if (count > MAX_STATIC_CHANNELS) {
    throw reader.error('CS_NET channelCount', `is ${count}, wanted at most ${MAX_STATIC_CHANNELS}`);
  }
  const channels: ChannelDef[] = [];
  for (let i = 0; i < count; i++) {
    const name = asciiField(reader.take(CHANNEL_NAME_SIZE, 'CS_NET channel name'));
    channels.push({ name, options: reader.u32('CS_NET channel options') });
  }
  return channels;
}

function writeChannels(channels: ChannelDef[]): Uint8Array {
  const writer = new Writer(4 + channels.length * 12).u32(channels.length);
  for (const { name, options } of channels) {
    if (name.length > CHANNEL_NAME_SIZE) {
      throw new RangeError(`channel name "${name}": at most ${CHANNEL_NAME_SIZE} characters fit`);
    }
    writer
      .raw(asciiBytes(name))
      .zeros(CHANNEL_NAME_SIZE - name.length)
      .u32(options);
  }
  return writer.finish();
}

function readCluster(reader: Reader): ClientClusterData {
  return {
    flags: reader.u32('CS_CLUSTER flags'),
    redirectedSessionId: reader.u32('CS_CLUSTER redirectedSessionID'),
    trailing: reader.rest(),
  };
}

function writeCluster(cluster: ClientClusterData): Uint8Array {
  return new Writer(8).u32(cluster.flags).u32(cluster.redirectedSessionId).raw(cluster.trailing).finish();
}

function readMonitors(reader: Reader): ClientMonitorData {
  const flags = reader.u32('CS_MONITOR flags');
  const count = monitorCount(reader, 'CS_MONITOR monitorCount');
  const monitors: MonitorDef[] = [];
  for (let i = 0; i < count; i++) {
    monitors.push({
      left: reader.i32('CS_MONITOR left'),
      top: reader.i32('CS_MONITOR top'),
      right: reader.i32('CS_MONITOR right'),
      bottom: reader.i32('CS_MONITOR bottom'),
      flags: reader.u32('CS_MONITOR monitor flags'),
    });
  }
  return { flags, monitors };
}

function writeMonitors({ flags, monitors }: ClientMonitorData): Uint8Array {
  const writer = new Writer(8 + monitors.length * 20).u32(flags).u32(monitors.length);
  for (const { left, top, right, bottom, flags } of monitors) {
    for (const edge of [left, top, right, bottom]) writer.u32(edge >>> 0);
    writer.u32(flags);
  }
  return writer.finish();
}

function readMonitorAttributes(reader: Reader): MonitorAttributes[] {
  reader.skip(4, 'CS_MONITOR_EX flags');
  const size = reader.u32('CS_MONITOR_EX monitorAttributeSize');
  if (size !== MONITOR_ATTRIBUTES_SIZE) {
    throw reader.error('CS_MONITOR_EX monitorAttributeSize', `is ${size}, wanted ${MONITOR_ATTRIBUTES_SIZE}`);
  }
  const count = monitorCount(reader, 'CS_MONITOR_EX monitorCount');
  const attributes: MonitorAttributes[] = [];
  for (let i = 0; i < count; i++) {
    attributes.push({
      physicalWidth: reader.u32('CS_MONITOR_EX physicalWidth'),
      physicalHeight: reader.u32('CS_MONITOR_EX physicalHeight'),
      orientation: reader.u32('CS_MONITOR_EX orientation'),
      desktopScaleFactor: reader.u32('CS_MONITOR_EX desktopScaleFactor'),
      deviceScaleFactor: reader.u32('CS_MONITOR_EX deviceScaleFactor'),
    });
  }
  return attributes;
}

function writeMonitorAttributes(attributes: MonitorAttributes[]): Uint8Array {
  const writer = new Writer(12 + attributes.length * MONITOR_ATTRIBUTES_SIZE);
  writer.u32(0).u32(MONITOR_ATTRIBUTES_SIZE).u32(attributes.length);
  for (const monitor of attributes) {
    writer.u32(monitor.physicalWidth).u32(monitor.physicalHeight).u32(monitor.orientation);
    writer.u32(monitor.desktopScaleFactor).u32(monitor.deviceScaleFactor);
  }
  return writer.finish();
}

function monitorCount(reader: Reader, field: string): number {
  const count = reader.u32(field);
  if (count > MAX_MONITORS) throw reader.error(field, `is ${count}, wanted at most ${MAX_MONITORS}`);
  return count;
}

function u32(value: number): Uint8Array {
  return new Writer(4).u32(value).finish();
}
