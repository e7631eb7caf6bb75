import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceError } from '#contract/errors.ts';
import { SESSION_STATES } from '#contract/session-pipeline.ts';
import { nextState, SESSION_EVENTS, TRANSITIONS } from './transitions.ts';

test('the whole table: what it lists happens, all else is refused', () => {
  const listed = new Map(TRANSITIONS.map(({ from, event, to }) => [`${from} ${event}`, to]));
  assert.equal(listed.size, TRANSITIONS.length, 'no two rows for one state and event');
  for (const state of SESSION_STATES) {
    for (const event of SESSION_EVENTS) {
      const to = listed.get(`${state} ${event}`);
      if (to) assert.equal(nextState(state, event), to);
      else assert.throws(() => nextState(state, event), { name: 'ServiceError', code: 'wrong_state' });
    }
  }
});

test('a refusal names the state, the event and what is possible', () => {
  assert.throws(
    () => nextState('completed', 'pause'),
    (error: ServiceError) => {
      assert.equal(error.message, 'a session in state completed cannot pause; possible: delete');
      return true;
    },
  );
  assert.throws(() => nextState('deleted', 'connect'), /possible: nothing/);
});

test('every live state can fail, and a final one leads nowhere but to deletion', () => {
  for (const state of ['created', 'starting', 'recording', 'paused', 'stopped', 'processing'] as const) {
    assert.equal(nextState(state, 'fail'), 'failed');
  }
  for (const state of ['completed', 'failed'] as const) {
    assert.deepEqual(
      TRANSITIONS.filter((row) => row.from === state).map((row) => row.to),
      ['deleted'],
    );
  }
});
