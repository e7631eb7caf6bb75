import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Figures, judge, undecodableShare } from './quality.ts';

const good: Figures = {
  durability: 'strict',
  streams: [{ stream: 'screen', chunks: 1, records: 10, bytes: 1000, stored_bytes: 100 }],
  missing_records: 0,
  gaps: 0,
  receipts: 1,
  decoded_bytes: 1000,
  undecodable_bytes: 0,
};

test('a recording with nothing wrong has no problems, and neither has an empty one', () => {
  assert.deepEqual(judge(good, 0).problems, []);
  assert.equal(undecodableShare({ ...good, decoded_bytes: 0 }), 0);
  assert.deepEqual(judge({ ...good, decoded_bytes: 990, undecodable_bytes: 10 }, 0.01).problems, []);
});

test('what cannot be decoded counts above the limit', () => {
  assert.deepEqual(judge({ ...good, decoded_bytes: 950, undecodable_bytes: 50 }, 0.01).problems, [
    '5 % of the screen could not be decoded; up to 1 % is no problem',
  ]);
  assert.deepEqual(judge({ ...good, decoded_bytes: 99_999, undecodable_bytes: 1 }, 0).problems, [
    '0.001 % of the screen could not be decoded; up to 0 % is no problem',
  ]);
});

test('gaps are told with what is missing, where that is known', () => {
  const problemOf = (gaps: number, missing_records: number) => judge({ ...good, gaps, missing_records }, 0).problems[0];
  assert.equal(problemOf(1, 1), '1 record is missing in 1 gap');
  assert.equal(problemOf(2, 12), '12 records are missing in 2 gaps');
  assert.equal(problemOf(1, 0), 'some records are missing in 1 gap');
});
