import { type Static, Type } from 'typebox';
import { Id, IdParams, Labels, PageQuery, Policy, Priority, pageOf, Time, Title } from './common.ts';
import { defineContract } from './contract.ts';

export const SESSION_STATES = [
  'created',
  'starting',
  'recording',
  'paused',
  'stopped',
  'processing',
  'completed',
  'failed',
  'deleted',
] as const;

export const SessionState = Type.Enum(SESSION_STATES);
export type SessionState = (typeof SESSION_STATES)[number];

/** States that a session does not leave by itself. */
export const FINAL_STATES: readonly SessionState[] = ['completed', 'failed', 'deleted'];

const TimeOrNull = Type.Union([Time, Type.Null()]);
const IdOrNull = Type.Union([Id, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });
const Reason = Type.String({ maxLength: 500 });

export const Session = Type.Object({
  id: Id,
  server_id: Id,
  user_id: Id,
  recorder_id: Type.Union([Id, Type.Null()], { description: 'the outside recorder that records it; null: Lucid does' }),
  name: Type.Union([Title, Type.Null()]),
  labels: Labels,
  priority: Priority,
  state: SessionState,
  policy: Policy,
  created_at: Time,
  started_at: TimeOrNull,
  ended_at: TimeOrNull,
  reason: Type.Union([Type.String(), Type.Null()], { description: 'why it ended or failed, in words' }),
  connected: Type.Boolean({ description: 'a connection is up now' }),
  resumable_until: Type.Union([Time, Type.Null()], {
    description: 'until when the same person may come, or come back after the line dropped',
  }),
});
export type Session = Static<typeof Session>;

export const SessionPage = pageOf(Session);

/** One step of a session's life; a connection that is lost or back is one from a state to the same. */
export const SessionTransition = Type.Object({
  time: Time,
  event: Type.String({ description: 'what happened: connected, disconnected, or a word of the state table' }),
  from: SessionState,
  to: SessionState,
  cause: Type.String({ description: 'what brought it about, in words' }),
});
export type SessionTransition = Static<typeof SessionTransition>;

export const SESSION_SORTS = ['created_at', 'started_at', 'ended_at', 'name', 'state'] as const;
const states = SESSION_STATES.join('|');

/** How a list of sessions is chosen and sorted. */
export const SessionQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(
    Type.String({ pattern: `^(${states})(,(${states}))*$`, description: 'one state, or several with commas' }),
  ),
  user_id: Type.Optional(Id),
  server_id: Type.Optional(Id),
  recorder_id: Type.Optional(Id),
  priority: Type.Optional(Priority),
  connected: Type.Optional(Type.Boolean()),
  name: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'what its name contains, in any case' }),
  ),
  label: Type.Optional(
    Type.String({
      pattern: '^[a-z0-9][a-z0-9._/-]{0,62}(=.{0,200})?$',
      description: 'a label that it has, or with = a label and its value',
    }),
  ),
  created_from: Type.Optional(Time),
  created_before: Type.Optional(Time),
  sort: Type.Optional(
    Type.Enum([...SESSION_SORTS.map((field) => `-${field}` as const), ...SESSION_SORTS], {
      default: '-created_at',
      description: 'a minus sorts downwards; what has no value is last there',
    }),
  ),
});
export type SessionQuery = Static<typeof SessionQuery>;

/** What may be changed about a session; what is left out stays, null takes the name away. */
export const SessionChanges = Type.Object(
  {
    name: Type.Optional(Type.Union([Title, Type.Null()])),
    labels: Type.Optional(Labels),
    priority: Type.Optional(Priority),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type SessionChanges = Static<typeof SessionChanges>;

/** Where a session can be on its way from its end to its close entry; `opening` is before its first picture. */
export const STAGES = ['opening', 'waiting', 'sealing', 'closing', 'done', 'failed'] as const;
export const Stage = Type.Enum(STAGES);
export type Stage = (typeof STAGES)[number];

export const ProcessingError = Type.Object({ time: Time, stage: Stage, message: Type.String() });
export type ProcessingError = Static<typeof ProcessingError>;

/** How far the processing of a session is. */
export const Processing = Type.Object({
  session_id: Id,
  state: SessionState,
  priority: Priority,
  stage: Type.Union([Stage, Type.Null()], { description: 'null: it is live, nothing is to be finished yet' }),
  percent: Type.Union([Type.Integer({ minimum: 0, maximum: 100 }), Type.Null()], {
    description: 'of the recording, sealed and stored; 100 when its close entry is stored too; null: not known now',
  }),
  place: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], { description: 'in the queue: 1 is next' }),
  attempts: Count,
  next_attempt_at: TimeOrNull,
  queued_at: TimeOrNull,
  started_at: TimeOrNull,
  finished_at: TimeOrNull,
  errors: Type.Array(ProcessingError, { description: 'the latest, oldest first' }),
});
export type Processing = Static<typeof Processing>;

const Seconds = Type.Union([Type.Number({ minimum: 0 }), Type.Null()]);

export const PipelineStatus = Type.Object({
  sessions: Type.Record(Type.String(), Count, { description: 'how many are in each state' }),
  live: Type.Integer({ description: 'sessions that are starting, recording or paused' }),
  queue: Type.Object({
    low: Count,
    normal: Count,
    high: Count,
    urgent: Count,
    waiting: Type.Integer({ description: 'failed, and tried again later' }),
  }),
  workers: Type.Object({ all: Count, busy: Count }),
  last_hour: Type.Object({ created: Count, completed: Count, failed: Count }),
  averages: Type.Object(
    { queued_seconds: Seconds, processing_seconds: Seconds, session_seconds: Seconds },
    { description: 'of what ended in the last 24 hours; null: nothing did' },
  ),
  errors: Type.Array(
    Type.Object({ stage: Stage, last_hour: Count, last_day: Count, last_at: Time, last_message: Type.String() }),
    { description: 'of the last 24 hours, by stage' },
  ),
});
export type PipelineStatus = Static<typeof PipelineStatus>;

const Share = Type.Object({ id: Id, sessions: Count, seconds: Type.Number() });

export const SessionStatistics = Type.Object({
  from: Time,
  to: Time,
  created: Count,
  by_state: Type.Record(Type.String(), Count, { description: 'of those created in this time' }),
  seconds: Type.Number({ description: 'all time spent in sessions that are over' }),
  average_seconds: Seconds,
  by_day: Type.Array(
    Type.Object({
      day: Type.String({ format: 'date' }),
      created: Count,
      completed: Count,
      failed: Count,
      seconds: Type.Number(),
    }),
  ),
  by_server: Type.Array(Share, { description: 'the ten with the most sessions' }),
  by_user: Type.Array(Share, { description: 'the ten with the most sessions' }),
});
export type SessionStatistics = Static<typeof SessionStatistics>;

export const StatisticsQuery = Type.Object({
  days: Type.Optional(Type.Integer({ minimum: 1, maximum: 366, default: 30 })),
});

/** Sessions and their state machine. */
export const sessionPipeline = defineContract('session-pipeline', {
  createSession: {
    method: 'POST',
    path: '/v1/sessions',
    summary: 'Create a session for a server, in state created; conflict when there is one of this id',
    callers: ['session-api'],
    body: Type.Object({
      id: Id,
      server_id: Id,
      user_id: Id,
      recorder_id: Type.Optional(IdOrNull),
      policy: Policy,
      name: Type.Optional(Title),
      labels: Type.Optional(Labels),
      priority: Type.Optional(Priority),
    }),
    response: Session,
  },
  listSessions: {
    method: 'GET',
    path: '/v1/sessions',
    summary: 'List sessions, newest first unless sorted otherwise',
    callers: ['session-api', 'rdp-controller', 'rdp-monitor', 'session-storage'],
    query: SessionQuery,
    response: SessionPage,
  },
  getSession: {
    method: 'GET',
    path: '/v1/sessions/:id',
    summary: 'Show one session',
    callers: ['session-api', 'rdp-controller', 'session-storage'],
    params: IdParams,
    response: Session,
  },
  updateSession: {
    method: 'PATCH',
    path: '/v1/sessions/:id',
    summary: 'Change name, labels or priority',
    callers: ['session-api'],
    params: IdParams,
    body: SessionChanges,
    response: Session,
  },
  getHistory: {
    method: 'GET',
    path: '/v1/sessions/:id/history',
    summary: 'Every state a session went through and every connection it lost or got back, with time and cause',
    callers: ['session-api'],
    params: IdParams,
    response: Type.Object({ items: Type.Array(SessionTransition) }),
  },
  getProcessing: {
    method: 'GET',
    path: '/v1/sessions/:id/processing',
    summary: 'How far the processing of a session is',
    callers: ['session-api'],
    params: IdParams,
    response: Processing,
  },
  startSession: {
    method: 'POST',
    path: '/v1/sessions/:id/start',
    summary: 'Open the recording before anyone connects; the person has the time of a dropped line to come',
    callers: ['session-api'],
    params: IdParams,
    body: Type.Object({}),
    response: Session,
  },
  /** Idempotent while the session is live: a reconnection admits again. Answers once the open entry is integrated. */
  connectSession: {
    method: 'POST',
    path: '/v1/sessions/:id/connect',
    summary: 'A client was admitted: open the recording if it is not open, and go to state recording',
    callers: ['rdp-controller'],
    params: IdParams,
    body: Type.Object({ connection_id: Id }),
    response: Session,
  },
  /** `resumable`: the line dropped, the same person may come back for a while; otherwise the session is over. */
  disconnectSession: {
    method: 'POST',
    path: '/v1/sessions/:id/disconnect',
    summary: 'A connection is gone: wait for its return, or close the recording',
    callers: ['rdp-controller'],
    params: IdParams,
    body: Type.Object({ connection_id: Id, resumable: Type.Boolean(), reason: Reason }),
    response: Session,
  },
  /** Idempotent. Answers once nothing more is shown or recorded. */
  pauseSession: {
    method: 'POST',
    path: '/v1/sessions/:id/pause',
    summary: 'Pause a session: display, input and recording stand still',
    callers: ['session-api'],
    params: IdParams,
    body: Type.Object({ reason: Reason }),
    response: Session,
  },
  /** Idempotent. */
  resumeSession: {
    method: 'POST',
    path: '/v1/sessions/:id/resume',
    summary: 'Let a paused session go on',
    callers: ['session-api'],
    params: IdParams,
    body: Type.Object({ reason: Reason }),
    response: Session,
  },
  endSession: {
    method: 'POST',
    path: '/v1/sessions/:id/end',
    summary: 'End a session: its connection is closed, its recording sealed and closed',
    callers: ['session-api', 'rdp-controller', 'session-storage'],
    params: IdParams,
    body: Type.Object({ reason: Reason }),
    response: Session,
  },
  /** Idempotent. */
  sessionDeleted: {
    method: 'POST',
    path: '/v1/sessions/:id/deleted',
    summary: 'What was stored of a session that is over is deleted, or nothing was: it goes to state deleted',
    callers: ['session-api', 'session-storage'],
    params: IdParams,
    body: Type.Object({ cause: Reason }),
    response: Session,
  },
  /** Idempotent while the session is live. */
  outsideOpened: {
    method: 'POST',
    path: '/v1/sessions/:id/outside/opened',
    summary: 'The open entry of an outside recorder is stored: the session goes to state recording',
    callers: ['session-api'],
    params: IdParams,
    body: Type.Object({}),
    response: Session,
  },
  outsideGrown: {
    method: 'POST',
    path: '/v1/sessions/:id/outside/grown',
    summary: 'An outside recorder is still there: something of it was stored; wrong_state when the session is not live',
    callers: ['session-api'],
    params: IdParams,
    body: Type.Object({}),
    response: Session,
  },
  /** Idempotent. */
  outsideClosed: {
    method: 'POST',
    path: '/v1/sessions/:id/outside/closed',
    summary: 'The close entry of an outside recorder is stored: the session goes to state completed',
    callers: ['session-api'],
    params: IdParams,
    body: Type.Object({ reason: Reason, detail: Reason }),
    response: Session,
  },
  status: {
    method: 'GET',
    path: '/v1/status',
    summary: 'Sessions by state, queue, workers, rates, average times, errors by stage',
    callers: ['session-api', 'rdp-monitor'],
    response: PipelineStatus,
  },
  statistics: {
    method: 'GET',
    path: '/v1/statistics',
    summary: 'Sessions of the last days: how many, how long, of whom, on what',
    callers: ['session-api', 'rdp-monitor', 'node-management'],
    query: StatisticsQuery,
    response: SessionStatistics,
  },
});
