import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdleFinder } from './idle.ts';

const finder = (inputKnown = true) => new IdleFinder({ keep: 5e6, worth: 2e6, inputKnown });

test('a long time without anything is cut to what is kept', () => {
  const idle = finder();
  idle.active(1e6);
  idle.active(31e6);
  assert.deepEqual(idle.finish(32e6), [{ from: 6e6, to: 31e6 }]);
});

test('what a caption would take longer to tell is not cut', () => {
  const idle = finder();
  idle.active(1e6);
  idle.active(8e6);
  assert.deepEqual(idle.finish(15e6), []);
});

test('beginning and end are cut too', () => {
  const idle = finder();
  idle.active(20e6);
  assert.deepEqual(idle.finish(100e6), [
    { from: 5e6, to: 20e6 },
    { from: 25e6, to: 100e6 },
  ]);
});

test('a clock is nothing that happens', () => {
  const idle = finder();
  for (let second = 0; second < 60; second++) idle.painted(second * 1e6, 64 * 64);
  assert.deepEqual(idle.finish(60e6), [{ from: 5e6, to: 60e6 }]);
});

test('many small changes in one second are', () => {
  const idle = finder();
  for (let i = 0; i < 5; i++) idle.painted(30e6 + i, 1000);
  assert.deepEqual(idle.finish(36e6), [{ from: 5e6, to: 30e6 + 4 }]);
});

test('where the input is unknown, small changes may be what was typed', () => {
  const idle = finder(false);
  for (let second = 0; second < 60; second++) idle.painted(second * 1e6, 100);
  assert.deepEqual(idle.finish(60e6), []);
});
