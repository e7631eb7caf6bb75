import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceError } from '#contract/errors.ts';
import { optional, peerAnswers, reportHealth } from './health.ts';

test('a report is as bad as its worst check and says why', async () => {
  const report = await reportHealth('x', performance.now(), {
    good: () => ({ status: 'healthy' }),
    slow: () => ({ status: 'degraded', detail: 'sync takes 90 ms' }),
    broken: async () => {
      throw new Error('no such file');
    },
  });
  assert.equal(report.status, 'unhealthy');
  assert.deepEqual(report.checks.broken, { status: 'unhealthy', detail: 'no such file' });
  assert.equal(report.checks.slow.detail, 'sync takes 90 ms');
});

test('a check that never answers counts as unhealthy', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const pending = reportHealth('x', performance.now(), { stuck: () => new Promise(() => {}) });
  context.mock.timers.tick(5000);
  assert.equal((await pending).checks.stuck.detail, 'no answer in 5 s');
});

test('an optional dependency that fails only degrades', async () => {
  const report = await reportHealth('x', performance.now(), {
    peer: optional(() => {
      throw new Error('away');
    }),
  });
  assert.equal(report.status, 'degraded');
});

test('a peer that answers is there, if only with not_found; one that does not degrades', async () => {
  const answer = (code?: 'not_found' | 'unavailable') => async () => {
    if (code) throw new ServiceError(code, 'words');
  };
  const { checks, status } = await reportHealth('x', performance.now(), {
    there: peerAnswers(answer()),
    empty: peerAnswers(answer('not_found')),
    away: peerAnswers(answer('unavailable')),
  });
  assert.deepEqual(
    [checks.there.status, checks.empty.status, checks.away, status],
    ['healthy', 'healthy', { status: 'degraded', detail: 'words' }, 'degraded'],
  );
});
