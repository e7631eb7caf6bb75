import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SESSION_STATES } from '#contract/session-pipeline.ts';
import type { RecordingStatus } from '#contract/session-recorder.ts';
import { progressOf } from './progress.ts';

const recording = (bytes: number, sealed_bytes: number) => ({ bytes, sealed_bytes }) as RecordingStatus;
const busy = { running: true };

test('sealing counts bytes, closing has one percent left, and only what is over has 100', () => {
  assert.deepEqual(progressOf('processing', busy, recording(1000, 0)), { stage: 'sealing', percent: 0 });
  assert.deepEqual(progressOf('processing', busy, recording(1000, 500)), { stage: 'sealing', percent: 49 });
  assert.deepEqual(progressOf('processing', busy, recording(1000, 1000)), { stage: 'closing', percent: 99 });
  assert.deepEqual(progressOf('processing', busy, recording(0, 0)), { stage: 'closing', percent: 99 });
  assert.deepEqual(progressOf('processing', { running: false }, recording(4, 1)), { stage: 'waiting', percent: 24 });
  assert.deepEqual(progressOf('processing', busy, null), { stage: 'sealing', percent: null });
  assert.deepEqual(progressOf('failed', { running: false }, recording(4, 3)), { stage: 'failed', percent: 74 });
  for (const state of SESSION_STATES) {
    const { percent } = progressOf(state, busy, recording(8, 8));
    assert.equal(percent === 100, state === 'completed' || state === 'deleted', state);
  }
});
