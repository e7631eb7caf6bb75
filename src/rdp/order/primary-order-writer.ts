/** Writes primary drawing orders as servers do: only what changed, deltas where they fit ([MS-RDPEGDI] 2.2.2.2.1.1.2). */
import { Writer } from '../bytes.ts';
import { ControlFlag } from './control-flags.ts';
import { type FieldValue, type FieldValues, writeField } from './primary-field.ts';
import {
  fieldFlagBytes,
  type PrimaryFields,
  type PrimaryKind,
  primaryFields,
  primaryLayouts,
} from './primary-layouts.ts';
import { type OrderBounds, PrimaryOrderHistory } from './primary-order.ts';

/** Mirrors the reader's history, so that both know what "changed" means. */
export class PrimaryOrderWriter {
  readonly #history = new PrimaryOrderHistory();

  /** Begins anew, as on every activation of the share. */
  reset(): void {
    this.#history.reset();
  }

  /**
   * Writes one order.
   *
   * @param fields those that are left out keep their last value
   * @param bounds what the order may paint in, right and bottom inclusive; null for the whole screen
   * @throws RangeError when a value does not fit its field
   */
  write<K extends PrimaryKind>(
    kind: K,
    fields: Partial<PrimaryFields<K>>,
    bounds: OrderBounds | null = null,
  ): Uint8Array {
    const history = this.#history;
    const last = history.fieldsOf(kind) as unknown as FieldValues;
    const changed = primaryFields(kind)
      .map(([name, field], i) => ({ name, field, bit: 1 << i, value: (fields as FieldValues)[name] }))
      .filter(({ name, value }) => value !== undefined && !isSame(value, last[name]));
    const isDelta = changed.every(
      ({ name, field, value }) => field !== 'coord' || isI8((value as number) - (last[name] as number)),
    );
    let flags: number = ControlFlag.standard | (isDelta ? ControlFlag.deltaCoordinates : 0);
    if (kind !== history.kind) flags |= ControlFlag.typeChange;
    if (bounds) flags |= ControlFlag.bounds | (isSameBounds(bounds, history.bounds) ? ControlFlag.zeroBoundsDeltas : 0);
    const present = changed.reduce((bits, { bit }) => bits | bit, 0);
    const flagBytes = fieldFlagBytes(kind);
    let leftOut = 0;
    while (leftOut < Math.min(3, flagBytes) && present >>> (8 * (flagBytes - leftOut - 1)) === 0) leftOut++;
    flags |= leftOut << 6;

    const writer = new Writer(64).u8(flags);
    if (flags & ControlFlag.typeChange) writer.u8(primaryLayouts[kind].type);
    for (let i = 0; i < flagBytes - leftOut; i++) writer.u8((present >>> (8 * i)) & 0xff);
    if (bounds && !(flags & ControlFlag.zeroBoundsDeltas)) writeBounds(writer, bounds, history.bounds);
    for (const { name, field, value } of changed) {
      writeField(writer, field, value, isDelta ? (last[name] as number) : null);
      last[name] = value;
    }
    history.kind = kind;
    if (bounds) Object.assign(history.bounds, bounds);
    return writer.finish();
  }
}

const isI8 = (value: number) => value >= -0x80 && value <= 0x7f;

function isSame(a: FieldValue, b: FieldValue): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const sides = ['left', 'top', 'right', 'bottom'] as const;

const isSameBounds = (a: OrderBounds, b: OrderBounds) => sides.every((side) => a[side] === b[side]);

function writeBounds(writer: Writer, bounds: OrderBounds, last: OrderBounds): void {
  let flags = 0;
  const values = new Writer(8);
  for (const [i, side] of sides.entries()) {
    const delta = bounds[side] - last[side];
    if (delta === 0) continue;
    flags |= (isI8(delta) ? 0x10 : 0x01) << i;
    if (isI8(delta)) values.i8(delta);
    else values.i16(bounds[side]);
  }
  writer.u8(flags).raw(values.finish());
}
