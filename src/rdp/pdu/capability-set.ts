/**
 * Capability sets (MS-RDPBCGR 2.2.1.13.1.1.1): each is u16 type, u16 length (header included), body. What the layouts
 * do not know is kept as it came, so that reading and writing a list gives the same bytes.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { type BitmapCodec, readBitmapCodecs, writeBitmapCodecs } from './bitmap-codecs.ts';
import { bitmapCodecsType, type CapabilityField, capabilityLayouts } from './capability-layouts.ts';

type Layouts = typeof capabilityLayouts;
type ValueOf<F> = F extends number ? Uint8Array : number;
type Values<K extends keyof Layouts> = {
  -readonly [F in keyof Layouts[K]['fields']]: ValueOf<Layouts[K]['fields'][F]>;
};

/** Sets whose fields are in capability-layouts.ts. */
export type CapabilityKind = keyof Layouts;

export type CapabilityOf<K extends CapabilityKind> = {
  kind: K;
  /**
   * Bytes of the layout that are on the wire: senders may cut a set short, and a cut set is written as short again.
   * Fields beyond are zero.
   */
  size: number;
  /** What follows the fields. */
  rest: Uint8Array;
} & Values<K>;

export interface BitmapCodecsCapability {
  kind: 'bitmapCodecs';
  codecs: BitmapCodec[];
  rest: Uint8Array;
}

export interface UnknownCapability {
  kind: 'unknown';
  /** capabilitySetType. */
  type: number;
  body: Uint8Array;
}

export type CapabilitySet =
  | { [K in CapabilityKind]: CapabilityOf<K> }[CapabilityKind]
  | BitmapCodecsCapability
  | UnknownCapability;

const headerSize = 4;
const sizes = { u8: 1, u16: 2, u32: 4 } as const;
const sizeOf = (field: CapabilityField): number => (typeof field === 'number' ? field : sizes[field]);
const fieldsOf = (kind: CapabilityKind): [string, CapabilityField][] => Object.entries(capabilityLayouts[kind].fields);
const layoutSize = (kind: CapabilityKind): number => fieldsOf(kind).reduce((sum, [, field]) => sum + sizeOf(field), 0);
const kindOfType = new Map(
  (Object.keys(capabilityLayouts) as CapabilityKind[]).map((kind) => [capabilityLayouts[kind].type as number, kind]),
);

/** A set of this kind with the given fields; the others are zero. */
export function capability<K extends CapabilityKind>(kind: K, values: Partial<Values<K>> = {}): CapabilityOf<K> {
  const size = layoutSize(kind);
  return {
    ...readFields(kind, new Uint8Array(size)),
    ...values,
    kind,
    size,
    rest: new Uint8Array(0),
  } as CapabilityOf<K>;
}

/** The first set of this kind, or undefined. */
export function findCapability<K extends CapabilitySet['kind']>(
  sets: readonly CapabilitySet[],
  kind: K,
): Extract<CapabilitySet, { kind: K }> | undefined {
  return sets.find((set): set is Extract<CapabilitySet, { kind: K }> => set.kind === kind);
}

/**
 * Reads `count` sets, or fewer where the bytes end: a count that is too large is tolerated, as clients and servers do.
 * @throws DecodeError when a set's length is below 4 or beyond the bytes
 */
export function readCapabilitySets(reader: Reader, count: number): CapabilitySet[] {
  const sets: CapabilitySet[] = [];
  while (sets.length < count && reader.remaining >= headerSize) {
    const start = reader.offset;
    const type = reader.u16('capabilitySetType');
    const length = reader.u16('lengthCapability');
    if (length < headerSize) throw new DecodeError('lengthCapability', `is ${length}, wanted 4 or more`, start + 2);
    sets.push(readCapabilitySet(type, reader.take(length - headerSize, 'capabilityData')));
  }
  return sets;
}

function readCapabilitySet(type: number, body: Uint8Array): CapabilitySet {
  if (type === bitmapCodecsType) return { kind: 'bitmapCodecs', ...readBitmapCodecs(body) };
  const kind = kindOfType.get(type);
  if (kind === undefined) return { kind: 'unknown', type, body };
  const whole = layoutSize(kind);
  const size = Math.min(whole, body.length);
  const padded = size < whole ? new Uint8Array(whole) : body;
  if (padded !== body) padded.set(body);
  return { ...readFields(kind, padded), kind, size, rest: body.subarray(size) } as CapabilitySet;
}

function readFields(kind: CapabilityKind, body: Uint8Array): Record<string, number | Uint8Array> {
  const reader = new Reader(body);
  const values: Record<string, number | Uint8Array> = {};
  for (const [name, field] of fieldsOf(kind))
    values[name] = typeof field === 'number' ? reader.take(field, name) : reader[field](name);
  return values;
}

/** @throws RangeError when a value does not fit its field */
export function writeCapabilitySets(sets: readonly CapabilitySet[]): Uint8Array {
  const writer = new Writer(512);
  for (const set of sets) {
    const { type, body } = writeCapabilitySet(set);
    writer
      .u16(type)
      .u16(headerSize + body.length)
      .raw(body);
  }
  return writer.finish();
}

function writeCapabilitySet(set: CapabilitySet): { type: number; body: Uint8Array } {
  if (set.kind === 'unknown') return set;
  if (set.kind === 'bitmapCodecs') return { type: bitmapCodecsType, body: writeBitmapCodecs(set.codecs, set.rest) };
  const values = set as unknown as Record<string, number | Uint8Array>;
  const fields = new Writer(layoutSize(set.kind));
  for (const [name, field] of fieldsOf(set.kind)) {
    const value = values[name];
    if (typeof field === 'number') {
      if (!(value instanceof Uint8Array) || value.length !== field)
        throw new RangeError(`${name}: wants ${field} bytes`);
      fields.raw(value);
    } else {
      fields[field](value as number);
    }
  }
  const body = new Writer(set.size + set.rest.length).raw(fields.finish().subarray(0, set.size)).raw(set.rest);
  return { type: capabilityLayouts[set.kind].type, body: body.finish() };
}
