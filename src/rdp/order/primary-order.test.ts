import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError, Reader } from '../bytes.ts';
import { readAlternateOrder } from './alternate-order.ts';
import { ControlFlag } from './control-flags.ts';
import {
  type OrderField,
  type PrimaryFields,
  type PrimaryKind,
  primaryFields,
  primaryKinds,
  zeroFields,
} from './primary-layouts.ts';
import { type OrderBounds, type PrimaryOrder, PrimaryOrderHistory } from './primary-order.ts';
import { PrimaryOrderWriter } from './primary-order-writer.ts';

const all = () => true;
const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));

function read(history: PrimaryOrderHistory, order: Uint8Array, announced: (kind: PrimaryKind) => boolean = all) {
  const reader = new Reader(order);
  const read = history.read(reader, reader.u8('controlFlags'), announced);
  assert.equal(reader.remaining, 0);
  return structuredClone(read) as PrimaryOrder;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../vectors/rdp/drawing-orders.json', import.meta.url), 'utf8'),
) as {
  orders: { name: string; hex: string; kind: PrimaryKind; fields: Record<string, number> }[];
  refused: { name: string; hex: string }[];
};

for (const { name, hex: order, kind, fields } of vectors.orders) {
  test(`the specification's ${name}`, () => {
    const result = read(new PrimaryOrderHistory(), hex(order));
    assert.equal(result.kind, kind);
    assert.deepEqual(result.fields, { ...zeroFields(kind), ...fields });
    assert.equal(result.bounds, null);
  });
}

for (const { name, hex: order } of vectors.refused) {
  test(`refuses the specification's ${name}`, () => {
    const reader = new Reader(hex(order));
    const flags = reader.u8('controlFlags');
    const isPrimary = (flags & ControlFlag.standard) !== 0;
    assert.throws(
      () => (isPrimary ? new PrimaryOrderHistory().read(reader, flags, all) : readAlternateOrder(reader, flags, true)),
      DecodeError,
    );
  });
}

test('an order without a type goes on with the last one, the first with PatBlt; a delta adds to the last value', () => {
  const history = new PrimaryOrderHistory();
  // bounds: left and top new, right and bottom deltas; nLeftRect a delta
  const first = read(history, hex('5501c30a0014001e2805'));
  assert.deepEqual(first, {
    kind: 'patBlt',
    fields: { ...zeroFields('patBlt'), nLeftRect: 5 },
    bounds: { left: 10, top: 20, right: 30, bottom: 40 },
  });
  const second = read(history, hex('7501fb'));
  assert.deepEqual(second.bounds, first.bounds, 'zero bounds deltas: the same bounds once more');
  assert.deepEqual(second.fields, zeroFields('patBlt'));
  assert.equal(read(history, hex('c1')).bounds, null, 'bounds hold for orders that say so');
});

test('what was not announced is refused', () => {
  const order = new PrimaryOrderWriter().write('lineTo', { nXEnd: 5 });
  const history = new PrimaryOrderHistory();
  assert.throws(() => read(history, order, (kind) => kind !== 'lineTo'), /lineTo was not announced/);
});

test('coordinates stay within 16 bits whatever the deltas', () => {
  const history = new PrimaryOrderHistory();
  const order = new PrimaryOrderWriter().write('dstBlt', { nLeftRect: 0x7fff });
  assert.deepEqual(read(history, order).fields, { ...zeroFields('dstBlt'), nLeftRect: 0x7fff });
  assert.deepEqual(read(history, hex('110101')).fields, { ...zeroFields('dstBlt'), nLeftRect: -0x8000 });
});

const i16 = fc.integer({ min: -0x8000, max: 0x7fff });
const anyValue = (field: OrderField): fc.Arbitrary<number | Uint8Array> => {
  if (typeof field === 'number') return fc.uint8Array({ minLength: field, maxLength: field });
  const values = {
    coord: fc.oneof(i16, fc.integer({ min: -100, max: 100 })),
    i16,
    u8: fc.integer({ min: 0, max: 0xff }),
    u16: fc.integer({ min: 0, max: 0xffff }),
    color: fc.integer({ min: 0, max: 0xffffff }),
    variable: fc.uint8Array({ maxLength: 255 }),
  };
  return values[field];
};
const anyBounds: fc.Arbitrary<OrderBounds> = fc.record(
  { left: i16, top: i16, right: i16, bottom: i16 },
  { noNullPrototype: true },
);
const anyOrder = fc.constantFrom(...primaryKinds).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    fields: fc.record(Object.fromEntries(primaryFields(kind).map(([name, field]) => [name, anyValue(field)])), {
      requiredKeys: [],
    }) as fc.Arbitrary<Partial<PrimaryFields<PrimaryKind>>>,
    bounds: fc.option(anyBounds),
  }),
);

test('orders come out of their bytes as they went in, one after the other', () => {
  fc.assert(
    fc.property(fc.array(anyOrder, { maxLength: 20 }), (orders) => {
      const writer = new PrimaryOrderWriter();
      const history = new PrimaryOrderHistory();
      const last = new Map<PrimaryKind, object>(primaryKinds.map((kind) => [kind, zeroFields(kind)]));
      for (const { kind, fields, bounds } of orders) {
        const expected = { ...last.get(kind), ...fields };
        last.set(kind, expected);
        assert.deepEqual(read(history, writer.write(kind, fields, bounds)), { kind, fields: expected, bounds });
      }
    }),
  );
});

test('random bytes are read or refused', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 })), (orders) => {
      const history = new PrimaryOrderHistory();
      for (const order of orders) {
        const reader = new Reader(order);
        try {
          history.read(reader, reader.u8('controlFlags'), all);
        } catch (error) {
          assert.ok(error instanceof DecodeError);
        }
      }
    }),
  );
});
