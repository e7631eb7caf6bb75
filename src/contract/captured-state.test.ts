import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCapturedState, writeCapturedState } from './captured-state.ts';
import { LOST_STATE } from './seal-message.ts';

test('a state keeps its parts; the screen may be lost without the history', () => {
  const history = Uint8Array.of(1, 2, 3);
  const screen = Uint8Array.of(4, 5);
  assert.deepEqual(readCapturedState(writeCapturedState(history, screen)), { history, screen });
  assert.deepEqual(readCapturedState(writeCapturedState(history, null)), { history, screen: null });
});

test('before the first run both are empty; where the state is lost, nothing is known', () => {
  const nothing = new Uint8Array(0);
  assert.deepEqual(readCapturedState(nothing), { history: nothing, screen: nothing });
  assert.deepEqual(readCapturedState(LOST_STATE), { history: null, screen: null });
});

test('whatever the bytes are, they are read', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => void readCapturedState(bytes)));
});
