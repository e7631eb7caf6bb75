import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACTS, type Act, formatAct, isArchived, isHeld, parseActs } from './act.ts';
import { FormatError } from './format-error.ts';
import { utf8 } from './text.ts';
import { formatTombstone, parseTombstone, type Tombstone } from './tombstone.ts';

const SESSION = '019aa000-0000-7000-8000-000000000000';
const USER = '019aa000-0000-7000-8000-000000000001';
const TIME = '2026-01-31T09:30:00.000Z';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Uint8Array.from(bytes));
const grounds = {
  by: fc.constantFrom(USER, null),
  reason: fc.stringMatching(/^[a-z][a-z0-9-]{0,63}$/),
};
const tombstones: fc.Arbitrary<Tombstone> = fc.record(
  {
    session: fc.constant(SESSION),
    time: fc.constant(TIME),
    ...grounds,
    close: hash,
    leaves: fc.nat(1_000_000),
    root: hash,
    storedBytes: fc.nat(),
  },
  { noNullPrototype: true },
);

const actsOf = (kinds: readonly Act['kind'][]): Act[] =>
  kinds.map((kind, number) => ({ session: SESSION, number, time: TIME, kind, by: USER, reason: 'litigation' }));
const textOf = (acts: readonly Act[]) => acts.map((act) => `${formatAct(act)}\n`).join('');

test('acts and tombstones are read back as they were written', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...ACTS)), (kinds) => {
      const acts = actsOf(kinds);
      assert.deepEqual(parseActs(utf8(textOf(acts))), acts);
    }),
  );
  fc.assert(fc.property(tombstones, (stone) => assert.deepEqual(parseTombstone(utf8(formatTombstone(stone))), stone)));
});

test('a torn last line counts for nothing, a torn tombstone is refused', () => {
  const acts = actsOf(['hold', 'release']);
  assert.deepEqual(parseActs(utf8(textOf(acts).slice(0, -5))), acts.slice(0, 1));
  const text = formatTombstone(fc.sample(tombstones, 1)[0]);
  for (let length = 0; length < text.length; length++) {
    assert.throws(() => parseTombstone(utf8(text.slice(0, length))), FormatError);
  }
});

test('what was done last counts', () => {
  assert.equal(isHeld(actsOf([])), false);
  assert.equal(isHeld(actsOf(['hold', 'archive'])), true);
  assert.equal(isHeld(actsOf(['hold', 'release', 'hold'])), true);
  assert.equal(isHeld(actsOf(['hold', 'release'])), false);
  assert.equal(isArchived(actsOf(['archive', 'hold'])), true);
  assert.equal(isArchived(actsOf(['archive', 'restore', 'release'])), false);
});

test('bytes that are neither give FormatError', () => {
  const good = textOf(actsOf(['hold', 'archive', 'release']));
  const stone = formatTombstone(fc.sample(tombstones, 1)[0]);
  const change = fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom(good, stone));
  fc.assert(
    fc.property(change, ([at, byte, text]) => {
      const bytes = utf8(text);
      bytes[at % bytes.length] = byte;
      for (const parse of [parseActs, parseTombstone]) {
        try {
          parse(bytes);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
  assert.throws(() => parseActs(utf8(textOf(actsOf(['hold', 'hold'])).replace(' 1 ', ' 7 '))), /line 2: act.number/);
});
