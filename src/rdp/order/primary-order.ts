/**
 * Reads primary drawing orders ([MS-RDPEGDI] 2.2.2.2.1.1.2, 3.2.5.1.1.1): only what changed since the last order of the
 * same kind is on the wire, so reading needs the history of all that came before.
 */
import type { Reader } from '../bytes.ts';
import { ControlFlag } from './control-flags.ts';
import { type FieldValues, readField, toI16 } from './primary-field.ts';
import {
  fieldFlagBytes,
  type PrimaryFields,
  type PrimaryKind,
  primaryFields,
  primaryKindOf,
  primaryKinds,
  zeroFields,
} from './primary-layouts.ts';

/** The rectangle that an order may paint in; right and bottom are inclusive. */
export interface OrderBounds {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** An order that was read. `fields` are the history's own: they change with the next order of this kind. */
export type PrimaryOrder = {
  [K in PrimaryKind]: { kind: K; fields: PrimaryFields<K>; bounds: OrderBounds | null };
}[PrimaryKind];

const FIRST_KIND: PrimaryKind = 'patBlt';
const sides = ['left', 'top', 'right', 'bottom'] as const;

/** The last values of every order's fields, the last bounds and the last order type. */
export class PrimaryOrderHistory {
  kind: PrimaryKind = FIRST_KIND;
  readonly bounds: OrderBounds = { left: 0, top: 0, right: 0, bottom: 0 };
  readonly #fields = new Map<PrimaryKind, FieldValues>();

  constructor() {
    this.reset();
  }

  /** Begins anew, as on every activation of the share. */
  reset(): void {
    this.kind = FIRST_KIND;
    Object.assign(this.bounds, { left: 0, top: 0, right: 0, bottom: 0 });
    for (const kind of primaryKinds) this.#fields.set(kind, zeroFields(kind) as FieldValues);
  }

  /** The last values of an order's fields: the history's own. */
  fieldsOf<K extends PrimaryKind>(kind: K): PrimaryFields<K> {
    return this.#fields.get(kind) as PrimaryFields<K>;
  }

  /**
   * Reads one order.
   *
   * @param reader stands after controlFlags
   * @param announced whether the client said that it understands orders of this kind
   * @throws DecodeError when the order is cut short, unknown or not announced: where it ends is then not known
   */
  read(reader: Reader, controlFlags: number, announced: (kind: PrimaryKind) => boolean): PrimaryOrder {
    if (controlFlags & ControlFlag.typeChange) {
      const type = reader.u8('orderType');
      const kind = primaryKindOf(type);
      if (kind === undefined) throw reader.error('orderType', `${type} is none that was announced`);
      this.kind = kind;
    }
    const { kind } = this;
    if (!announced(kind)) throw reader.error('orderType', `${kind} was not announced`);
    const present = readFieldFlags(reader, controlFlags, fieldFlagBytes(kind));
    const isBounded = (controlFlags & ControlFlag.bounds) !== 0;
    if (isBounded && !(controlFlags & ControlFlag.zeroBoundsDeltas)) readBounds(reader, this.bounds);
    const fields = this.#fields.get(kind)!;
    const isDelta = (controlFlags & ControlFlag.deltaCoordinates) !== 0;
    const layout = primaryFields(kind);
    for (let i = 0; i < layout.length; i++) {
      if ((present & (1 << i)) === 0) continue;
      const [name, field] = layout[i];
      fields[name] = readField(reader, name, field, isDelta ? (fields[name] as number) : null);
    }
    return { kind, fields, bounds: isBounded ? this.bounds : null } as unknown as PrimaryOrder;
  }
}

/** fieldFlags: bytes at its end that are zero may be left out, as controlFlags says. */
function readFieldFlags(reader: Reader, controlFlags: number, bytes: number): number {
  const leftOut =
    (controlFlags & ControlFlag.zeroFieldByteBit0 ? 1 : 0) + (controlFlags & ControlFlag.zeroFieldByteBit1 ? 2 : 0);
  let flags = 0;
  for (let i = 0; i < bytes - leftOut; i++) flags |= reader.u8('fieldFlags') << (8 * i);
  return flags;
}

/** 2.2.2.2.1.1.1.9: four sides, each new (low bits), an i8 to add (high bits), or as it was. */
function readBounds(reader: Reader, bounds: OrderBounds): void {
  const flags = reader.u8('boundsFlags');
  for (let i = 0; i < sides.length; i++) {
    const side = sides[i];
    if (flags & (0x01 << i)) bounds[side] = reader.i16(side);
    else if (flags & (0x10 << i)) bounds[side] = toI16(bounds[side] + reader.i8(side));
  }
}
