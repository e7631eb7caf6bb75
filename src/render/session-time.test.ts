import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, span } from './session-time.ts';

test('clocks go on beyond a day', () => {
  assert.equal(clock(0), '00:00:00');
  assert.equal(clock(3_725_999_999), '01:02:05');
  assert.equal(clock(100 * 3600e6), '100:00:00');
});

test('spans in their two greatest units', () => {
  assert.equal(span(4_400_000), '4 s');
  assert.equal(span(59_600_000), '1 min 0 s');
  assert.equal(span(125e6), '2 min 5 s');
  assert.equal(span(7_500e6), '2 h 5 min');
});
