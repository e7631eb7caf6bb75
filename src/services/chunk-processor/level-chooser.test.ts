import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { LevelChooser } from './level-chooser.ts';

const MB = 1_000_000;
/** Has measured that `level` takes so many ms for a megabyte. */
function measured(min: number, max: number, times: Record<number, number>): LevelChooser {
  const levels = new LevelChooser(min, max);
  for (const [level, ms] of Object.entries(times)) levels.learn(Number(level), MB, ms);
  return levels;
}

suite('the level', () => {
  const levels = measured(1, 9, { 1: 2, 3: 5, 6: 20, 9: 50 });

  test('is the highest that settings allow while little waits', () => {
    assert.equal(levels.choose(1 * MB, 1), 9);
  });

  test('falls as more waits, and rises again', () => {
    const waiting = [10, 30, 60, 180, 300, 1000, 10_000, 180, 10];
    assert.deepEqual(
      waiting.map((megabytes) => levels.choose(megabytes * MB, 1)),
      [9, 6, 4, 3, 2, 1, 1, 3, 9],
    );
  });

  test('is higher where more threads share the work', () => {
    assert.equal(levels.choose(60 * MB, 4), 9);
  });

  test('is 0 under load only where that is allowed', () => {
    assert.equal(measured(0, 3, { 3: 5 }).choose(1e12, 1), 0);
    assert.equal(measured(1, 3, { 3: 5 }).choose(1e12, 1), 1);
  });

  test('follows what is measured', () => {
    const slow = measured(1, 3, { 3: 5 });
    assert.equal(slow.choose(100 * MB, 1), 3);
    for (let i = 0; i < 50; i++) slow.learn(3, MB, 100);
    assert.ok(slow.choose(100 * MB, 1) < 3);
  });

  test('stays within its bounds, and never rises with what waits', () => {
    const bounds = fc.tuple(fc.nat(19), fc.nat(19)).map((pair) => pair.toSorted((a, b) => a - b));
    const runs = fc.array(
      fc.tuple(fc.nat(19), fc.integer({ min: 1, max: 1e8 }), fc.double({ min: 0, max: 1e6, noNaN: true })),
    );
    fc.assert(
      fc.property(bounds, runs, fc.integer({ min: 1, max: 8 }), ([min, max], runs, workers) => {
        const levels = new LevelChooser(min, max);
        for (const [level, bytes, ms] of runs) levels.learn(Math.min(max, Math.max(min, level)), bytes, ms);
        const chosen = [1, 1e3, 1e6, 1e9, 1e12].map((bytes) => levels.choose(bytes, workers));
        for (const level of chosen) assert.ok(level >= min && level <= max);
        assert.deepEqual(
          chosen,
          chosen.toSorted((a, b) => b - a),
        );
      }),
    );
  });
});
