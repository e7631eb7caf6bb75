import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MarkerWords } from './marker-words.ts';

test('the first connection, a resize and the end are not told', () => {
  const words = new MarkerWords();
  assert.equal(words.config(0, { connection: 'a' }), null);
  assert.equal(words.config(0.1e6, { connection: 'a' }), null, 'what client and server settled on');
  assert.equal(words.marker({ kind: 'resize', width: 1, height: 1, depth: 32 }, 1e6), null);
  assert.equal(words.config(1e6, { connection: 'a' }), null);
  assert.equal(words.marker({ kind: 'disconnected' }, 2e6), null);
  assert.equal(words.marker({ kind: 'end', detail: 'the client left' }, 2e6), null);
});

test('a reconnection is told once, with how long it took', () => {
  const words = new MarkerWords();
  words.config(0, { connection: 'a' });
  words.marker({ kind: 'disconnected' }, 60e6);
  const told = words.marker({ kind: 'reconnected' }, 95e6);
  assert.equal(told, '00:01:35  The person connected again, 35 s after the connection was lost');
  assert.equal(words.config(96e6, { connection: 'b' }), null);
  assert.equal(words.config(97e6, { connection: 'b' }), null);
});

test('a connection that no marker tells of is seen by its config', () => {
  const words = new MarkerWords();
  words.config(0, { connection: 'a' });
  assert.equal(words.config(3_661e6, { connection: 'b' }), '01:01:01  The person connected again');
});

test('gaps, pauses and restarts', () => {
  const words = new MarkerWords();
  assert.match(words.marker({ kind: 'gap', missing: 12 }, 0)!, /12 records are missing/);
  assert.match(words.marker({ kind: 'pause', detail: 'by an operator' }, 0)!, /paused: by an operator/);
  assert.match(words.marker({ kind: 'resume' }, 90e6)!, /went on, 1 min 30 s after it was paused$/);
  assert.match(words.marker({ kind: 'resume' }, 99e6)!, /went on$/);
  const gap = { kind: 'gap', missing: 1, from: 60e6, to: 3_600e6, detail: 'the journal was damaged' } as const;
  assert.match(
    words.marker(gap, 3_700e6)!,
    /1 record between 00:01:00 and 01:00:00 is missing: the journal was damaged$/,
  );
  assert.match(words.marker({ kind: 'recorder-restarted' }, 0)!, /started again/);
});
