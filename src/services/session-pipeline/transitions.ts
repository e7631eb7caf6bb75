import { ServiceError } from '#contract/errors.ts';
import type { SessionState } from '#contract/session-pipeline.ts';

export const SESSION_EVENTS = [
  'connect',
  'opened',
  'pause',
  'resume',
  'stop',
  'process',
  'complete',
  'fail',
  'delete',
] as const;
export type SessionEvent = (typeof SESSION_EVENTS)[number];

interface Row {
  from: SessionState;
  event: SessionEvent;
  to: SessionState;
}

/** All that can happen to a session. What is not here cannot. */
export const TRANSITIONS: readonly Row[] = [
  { from: 'created', event: 'connect', to: 'starting' },
  { from: 'starting', event: 'opened', to: 'recording' },
  { from: 'recording', event: 'pause', to: 'paused' },
  { from: 'paused', event: 'resume', to: 'recording' },
  { from: 'recording', event: 'stop', to: 'stopped' },
  { from: 'paused', event: 'stop', to: 'stopped' },
  { from: 'stopped', event: 'process', to: 'processing' },
  { from: 'processing', event: 'complete', to: 'completed' },
  { from: 'created', event: 'fail', to: 'failed' },
  { from: 'starting', event: 'fail', to: 'failed' },
  { from: 'recording', event: 'fail', to: 'failed' },
  { from: 'paused', event: 'fail', to: 'failed' },
  { from: 'stopped', event: 'fail', to: 'failed' },
  { from: 'processing', event: 'fail', to: 'failed' },
  { from: 'completed', event: 'delete', to: 'deleted' },
  { from: 'failed', event: 'delete', to: 'deleted' },
];

/**
 * The state that `event` leads to.
 *
 * @throws ServiceError `wrong_state` naming the state, the event and what is possible instead
 */
export function nextState(from: SessionState, event: SessionEvent): SessionState {
  const row = TRANSITIONS.find((candidate) => candidate.from === from && candidate.event === event);
  if (row) return row.to;
  const possible = TRANSITIONS.filter((candidate) => candidate.from === from).map((candidate) => candidate.event);
  throw new ServiceError(
    'wrong_state',
    `a session in state ${from} cannot ${event}; possible: ${possible.join(', ') || 'nothing'}`,
    { state: from, event, possible },
  );
}
