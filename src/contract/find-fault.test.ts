import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { SealAnswerHead, SealHead } from './chunk-processor.ts';
import { findFault } from './find-fault.ts';

const Thing = Type.Object({
  name: Type.String({ pattern: '^[a-z]+$', minLength: 2, maxLength: 5 }),
  kind: Type.Enum(['one', 'two']),
  level: Type.Optional(Type.Integer({ minimum: -3, maximum: 9 })),
  list: Type.Array(Type.Integer({ minimum: 0 }), { maxItems: 3 }),
});

/** Values that are nearly what is wanted. */
const nearThings = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      name: fc.oneof(fc.stringMatching(/^[a-z]{1,7}$/), fc.string({ maxLength: 3 }), fc.integer()),
      kind: fc.constantFrom('one', 'two', 'three', null),
      level: fc.oneof(fc.integer({ min: -5, max: 11 }), fc.constantFrom(0.5, '1', null, Number.NaN)),
      list: fc.oneof(fc.array(fc.integer({ min: -1, max: 5 }), { maxLength: 4 }), fc.constantFrom({}, null)),
      more: fc.anything(),
    },
    { requiredKeys: [] },
  ),
);

test('it finds a fault where typebox finds one, and nowhere else', () => {
  fc.assert(
    fc.property(nearThings, (value) => {
      assert.equal(findFault(Thing, value) === null, Value.Check(Thing, value), JSON.stringify(value));
    }),
    { numRuns: 2000 },
  );
});

test('it names the place and what is wanted there', () => {
  const good = { name: 'abc', kind: 'one', list: [1] };
  assert.equal(findFault(Thing, good), null);
  assert.equal(findFault(Thing, { ...good, level: 10 }), '/level: wants -3 to 9');
  assert.equal(findFault(Thing, { ...good, list: [1, -1] }), '/list/1: wants 0 or more');
  assert.equal(findFault(Thing, { ...good, kind: 'x' }), '/kind: wants one of one, two');
  assert.equal(findFault(Thing, { name: 'abc', kind: 'one' }), '/list: is missing');
});

test('a schema that says more than is checked is refused, and those of messages do not', () => {
  assert.throws(() => findFault(Type.String({ format: 'date-time' }), ''), /format/);
  assert.throws(() => findFault(Type.Boolean(), true), /boolean/);
  for (const schema of [SealHead, SealAnswerHead]) assert.match(findFault(schema, {})!, /is missing/);
});
