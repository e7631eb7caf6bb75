/**
 * Lets redirected devices through by their kind (MS-RDPEFS, static channel `rdpdr`). Works on chunks as they arrive: only
 * the client's lists of devices are gathered and written anew. A server hears of allowed devices alone, and what it asks
 * of others does not reach the client, which would obey. Little-endian.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { type ChannelChunk, ChannelFlag, readChannelChunk, writeChannelMessage } from '../pdu/virtual-channel.ts';
import { ChannelReassembler } from './channel-reassembler.ts';

export interface DevicePolicy {
  drives: boolean;
  printers: boolean;
}

/** Channel chunks to send, in order: forwarded ones are the very bytes that came. */
export interface DeviceOutput {
  toClient: Uint8Array[];
  toServer: Uint8Array[];
}

/** Name of the channel. */
export const deviceChannelName = 'rdpdr';

/** DeviceType (2.2.1.3). */
export const DeviceType = { serial: 0x1, parallel: 0x2, printer: 0x4, drive: 0x8, smartcard: 0x20 } as const;

/** Component and PacketId of the header (2.2.1.1), as one number: Component in the low half. */
const Packet = {
  deviceListAnnounce: 0x44414472,
  deviceIoRequest: 0x49524472,
} as const;
/** Component of all printer messages. */
const printerComponent = 0x5052;

const headerSize = 4;
const dosNameSize = 8;
const maxDevices = 1024;
const maxListBytes = 4 * 1024 * 1024;

interface Device {
  type: number;
  id: number;
  /** From DeviceType to the end of DeviceData. */
  bytes: Uint8Array;
}

export class DeviceFilter {
  readonly #policy: DevicePolicy;
  /** Devices that the server has heard of. */
  readonly #known = new Set<number>();
  readonly #lists = new ChannelReassembler(maxListBytes);
  /** What becomes of the message under way from each side, or null between messages. */
  readonly #flows: Record<'client' | 'server', 'pass' | 'drop' | 'list' | null> = { client: null, server: null };

  constructor(policy: DevicePolicy) {
    this.#policy = policy;
  }

  /**
   * @param from who sent the chunk
   * @param payload user data of an MCS PDU on the device channel
   * @returns what to send to whom
   * @throws DecodeError for a chunk that is compressed, out of order, or a message that is cut short
   */
  receive(from: 'client' | 'server', payload: Uint8Array): DeviceOutput {
    const output: DeviceOutput = { toClient: [], toServer: [] };
    const chunk = readChannelChunk(payload);
    if (chunk.flags & ChannelFlag.compressed) throw new DecodeError('flags', 'a device chunk is compressed', 4);
    const isFirst = (chunk.flags & ChannelFlag.first) !== 0;
    if (isFirst !== (this.#flows[from] === null)) throw new DecodeError('flags', 'a device chunk is out of order', 4);
    const fate = isFirst ? this.#judge(from, chunk) : this.#flows[from];
    this.#flows[from] = chunk.flags & ChannelFlag.last ? null : fate;
    if (fate === 'pass') (from === 'client' ? output.toServer : output.toClient).push(payload);
    if (fate === 'list') {
      const message = this.#lists.push(chunk);
      if (message) output.toServer.push(...this.#rewriteList(message, chunk.flags & ChannelFlag.showProtocol));
    }
    return output;
  }

  #judge(from: 'client' | 'server', chunk: ChannelChunk): 'pass' | 'drop' | 'list' {
    const reader = new Reader(chunk.data);
    const packet = reader.u32('RDPDR_HEADER');
    if ((packet & 0xffff) === printerComponent) return this.#policy.printers ? 'pass' : 'drop';
    if (from === 'client') return packet === Packet.deviceListAnnounce ? 'list' : 'pass';
    if (packet !== Packet.deviceIoRequest) return 'pass';
    return this.#known.has(reader.u32('DeviceId')) ? 'pass' : 'drop';
  }

  #rewriteList(message: Uint8Array, extraFlags: number): Uint8Array[] {
    const allowed = readDeviceList(message).filter(({ type }) => this.#allows(type));
    for (const { id } of allowed) this.#known.add(id);
    if (this.#known.size > maxDevices) throw new DecodeError('DeviceCount', `more than ${maxDevices} devices`, 4);
    const writer = new Writer(64).u32(Packet.deviceListAnnounce).u32(allowed.length);
    for (const { bytes } of allowed) writer.raw(bytes);
    return writeChannelMessage(writer.finish(), extraFlags);
  }

  #allows(type: number): boolean {
    if (type === DeviceType.drive) return this.#policy.drives;
    return type === DeviceType.printer && this.#policy.printers;
  }
}

/** Reads a Client Device List Announce (2.2.2.9). */
function readDeviceList(message: Uint8Array): Device[] {
  const reader = new Reader(message);
  reader.skip(headerSize, 'RDPDR_HEADER');
  const count = reader.u32('DeviceCount');
  if (count > maxDevices) throw reader.error('DeviceCount', `is ${count}, wanted at most ${maxDevices}`);
  return Array.from({ length: count }, () => {
    const start = reader.offset;
    const type = reader.u32('DeviceType');
    const id = reader.u32('DeviceId');
    reader.skip(dosNameSize, 'PreferredDosName');
    reader.skip(reader.u32('DeviceDataLength'), 'DeviceData');
    return { type, id, bytes: message.subarray(start, reader.offset) };
  });
}
