/** Bodies of the captured records that are not PDUs: configuration, markers, channel data. */
import { FormatError } from './format-error.ts';
import { readUtf8, utf8 } from './text.ts';

/** What the screen stream's decoder must know, and where the recording's clock stands (record 01, JSON). */
export interface ConfigBody {
  readonly version: 1;
  /** Session id (UUIDv7). */
  readonly session: string;
  /** The gateway's connection to a server, each by a text of its own: bulk compression begins anew with it. */
  readonly connection?: string;
  /** Wall-clock time at the session clock's 0, RFC 3339 UTC. */
  readonly startedAt: string;
  /** Desktop size in pixels. */
  readonly width: number;
  readonly height: number;
  /** Bits per pixel of the client's leg: 8, 15, 16, 24 or 32. */
  readonly depth: number;
  /** Codec names by the id that the client chose. */
  readonly codecs: Readonly<Record<string, string>>;
  /** Drawing orders that were negotiated (docs/recording-format.md, Config); absent where none are to come. */
  readonly orders?: unknown;
  /** Recording profile, e.g. `bitmaps`. */
  readonly profile: string;
  /** Why that one. */
  readonly profileReason?: string;
  /** What PDUs may have been compressed with on their way to the client; in stored records that is undone. */
  readonly bulkCompression?: 'mppc-64k';
  /** Versions of the software that took part, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What happened to the recording itself. */
export const MARKER_KINDS = [
  'pause',
  'resume',
  'gap',
  'resize',
  'disconnected',
  'reconnected',
  'recorder-restarted',
  'observer-joined',
  'observer-left',
  'undecodable',
  'end',
] as const;
export type MarkerKind = (typeof MARKER_KINDS)[number];

/** A marker (records 03 and 11, JSON): a kind, and what belongs to it. */
export interface MarkerBody {
  readonly kind: MarkerKind;
  /** Words for a person who reads the recording; `observer-joined`, `observer-left`: the observer's user id. */
  readonly detail?: string;
  /** `resize`: the new desktop. */
  readonly width?: number;
  readonly height?: number;
  readonly depth?: number;
  /** `gap`: records known to be missing, and between which times of the session's clock they were, in µs. */
  readonly missing?: number;
  readonly from?: number;
  readonly to?: number;
}

/** The longest JSON body, in bytes. */
export const MAX_JSON_BYTES = 1024 * 1024;

/** Desktops are no larger: the limit of RDP's core data a side, an 8K screen in all. */
const MAX_SIDE = 8192;
const MAX_PIXELS = 7680 * 4320;

/** Writes a JSON body. */
export function writeJsonBody(value: ConfigBody | MarkerBody): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(value));
}

/**
 * Reads the body of a config record.
 * @throws FormatError
 */
export function readConfigBody(body: Uint8Array): ConfigBody {
  const value = readJsonObject(body, 'config');
  if (value.version !== 1) throw new FormatError('config.version', `${JSON.stringify(value.version)}, wanted 1`);
  for (const field of ['session', 'startedAt', 'profile']) wantString(value, 'config', field);
  if (value.connection !== undefined) wantString(value, 'config', 'connection');
  const [width, height] = [wantCount(value, 'config', 'width'), wantCount(value, 'config', 'height')];
  if (width === 0 || height === 0 || width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) {
    throw new FormatError('config.width', `${width} × ${height}, wanted 1 to ${MAX_SIDE} a side, 8K in all`);
  }
  wantCount(value, 'config', 'depth');
  for (const field of ['codecs', 'versions']) {
    const map = value[field];
    if (!isObject(map) || !Object.values(map).every((name) => typeof name === 'string')) {
      throw new FormatError(`config.${field}`, 'wanted an object of strings');
    }
  }
  return value as unknown as ConfigBody;
}

/**
 * Reads the body of a marker.
 * @throws FormatError
 */
export function readMarkerBody(body: Uint8Array): MarkerBody {
  const value = readJsonObject(body, 'marker');
  if (!(MARKER_KINDS as readonly unknown[]).includes(value.kind)) {
    throw new FormatError('marker.kind', `${JSON.stringify(value.kind)}, wanted one of ${MARKER_KINDS.join(', ')}`);
  }
  if (value.detail !== undefined) wantString(value, 'marker', 'detail');
  for (const field of ['width', 'height', 'depth', 'missing', 'from', 'to']) {
    if (value[field] !== undefined) wantCount(value, 'marker', field);
  }
  return value as unknown as MarkerBody;
}

/** One chunk of a virtual channel (record 20). */
export interface ChannelBody {
  readonly direction: 'server-to-client' | 'client-to-server';
  /** Channel name, 1 to 255 printable ASCII characters. */
  readonly channel: string;
  /** The chunk as on the wire: u32 LE total length, u32 LE flags, data (MS-RDPBCGR 2.2.6.1). */
  readonly data: Uint8Array;
}

/**
 * Writes the body of a channel record: u8 direction (0 server to client, 1 client to server), u8 n, n bytes of name, data.
 * @throws RangeError when the name is not 1 to 255 printable ASCII characters
 */
export function writeChannelBody(chunk: ChannelBody): Uint8Array<ArrayBuffer> {
  if (!isChannelName(chunk.channel)) throw new RangeError(`channel name ${JSON.stringify(chunk.channel)}`);
  const name = utf8(chunk.channel);
  const body = new Uint8Array(2 + name.length + chunk.data.length);
  body[0] = chunk.direction === 'server-to-client' ? 0 : 1;
  body[1] = name.length;
  body.set(name, 2);
  body.set(chunk.data, 2 + name.length);
  return body;
}

/**
 * Reads the body of a channel record; `data` is a view into it.
 * @throws FormatError
 */
export function readChannelBody(body: Uint8Array): ChannelBody {
  if (body.length < 2 || body.length < 2 + body[1]) throw new FormatError('channel', `${body.length} bytes: truncated`);
  if (body[0] > 1) throw new FormatError('channel.direction', `${body[0]}, wanted 0 or 1`);
  const channel = readUtf8(body.subarray(2, 2 + body[1]), 'channel.name');
  if (!isChannelName(channel)) throw new FormatError('channel.name', 'wanted 1 to 255 printable ASCII characters');
  return {
    direction: body[0] === 0 ? 'server-to-client' : 'client-to-server',
    channel,
    data: body.subarray(2 + body[1]),
  };
}

function isChannelName(name: string): boolean {
  return /^[\x20-\x7e]{1,255}$/.test(name);
}

/**
 * Reads a JSON object.
 * @param name what the bytes are, for the error
 * @throws FormatError when the bytes are too many, not UTF-8, not JSON or not an object
 */
export function readJsonObject(body: Uint8Array, name: string): Record<string, unknown> {
  if (body.length > MAX_JSON_BYTES) throw new FormatError(name, `${body.length} bytes, at most ${MAX_JSON_BYTES}`);
  let value: unknown;
  try {
    value = JSON.parse(readUtf8(body, name));
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(name, 'not JSON');
  }
  if (!isObject(value)) throw new FormatError(name, 'not a JSON object');
  return value;
}

/** Whether `value` is an object and no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wantString(value: Record<string, unknown>, name: string, field: string): void {
  if (typeof value[field] !== 'string') throw new FormatError(`${name}.${field}`, 'wanted a string');
}

/** @throws FormatError unless `value[field]` is a safe integer from 0 up */
export function wantCount(value: Record<string, unknown>, name: string, field: string): number {
  const count = value[field];
  if (!Number.isSafeInteger(count) || (count as number) < 0) {
    throw new FormatError(`${name}.${field}`, 'wanted an integer from 0 up');
  }
  return count as number;
}
