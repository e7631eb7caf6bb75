import { type Static, Type } from 'typebox';
import { Id, IdParams, Labels, Policy, Priority, Time, Title } from '../common.ts';
import { defineRoutes } from '../contract.ts';
import { Connection, PolicyName } from '../rdp-controller.ts';
import {
  Processing,
  Session,
  SessionChanges,
  SessionPage,
  SessionQuery,
  SessionTransition,
} from '../session-pipeline.ts';
import { RecordingStatus } from '../session-recorder.ts';
import { EVERYONE, EXAMINERS, may, OPERATORS, WORKERS } from './access.ts';

const TicketSeconds = Type.Integer({ minimum: 5, maximum: 3600 });
const Reason = Type.Object({ reason: Type.Optional(Type.String({ maxLength: 500 })) });

/** What a new session answers with: all that a person needs to connect. The secret is shown this once. */
export const SessionTicket = Type.Object({
  session: Session,
  ticket_id: Id,
  secret: Type.String(),
  expires_at: Time,
  gateway: Type.Object({
    host: Type.String(),
    port: Type.Integer(),
    certificate_sha256: Type.String({ description: 'of the certificate that the gateway shows, hex' }),
  }),
  rdp_file: Type.String({ description: 'contents of an .rdp file' }),
});
export type SessionTicket = Static<typeof SessionTicket>;

/** What opens a live view's WebSocket. */
export const WatchTicket = Type.Object({
  ticket: Type.String({ description: 'offered as a second subprotocol, after `ticket.`' }),
  expires_at: Time,
  path: Type.String({ description: 'of the WebSocket' }),
  protocol: Type.String({ description: 'the first subprotocol to offer' }),
});
export type WatchTicket = Static<typeof WatchTicket>;

/** Sessions, their tickets, their processing, and who is connected. */
export const sessions = defineRoutes({
  createSession: {
    method: 'POST',
    path: '/api/v1/sessions',
    summary: 'Create a session for a server, with a ticket and an .rdp file',
    ...may(WORKERS, 'sessions:write'),
    rate: 'create',
    creates: true,
    body: Type.Object({
      server: Type.String({ description: 'id or name', maxLength: 64 }),
      policy: Type.Optional(Policy),
      policy_name: Type.Optional(PolicyName),
      /** An approval of the own: it says what is allowed. */
      approval_id: Type.Optional(Id),
      name: Type.Optional(Title),
      labels: Type.Optional(Labels),
      priority: Type.Optional(Priority),
      ticket_seconds: Type.Optional(TicketSeconds),
    }),
    response: SessionTicket,
  },
  listSessions: {
    method: 'GET',
    path: '/api/v1/sessions',
    summary: 'List sessions, newest first unless sorted otherwise: role user sees its own',
    ...may(EVERYONE, 'sessions:read'),
    rate: 'read',
    query: SessionQuery,
    response: SessionPage,
  },
  getSession: {
    method: 'GET',
    path: '/api/v1/sessions/:id',
    summary: 'Show one session',
    ...may(EVERYONE, 'sessions:read'),
    rate: 'read',
    params: IdParams,
    response: Session,
  },
  updateSession: {
    method: 'PATCH',
    path: '/api/v1/sessions/:id',
    summary: 'Change name, labels or priority; role user may not make it high or urgent',
    ...may(WORKERS, 'sessions:write'),
    rate: 'write',
    params: IdParams,
    body: SessionChanges,
    response: Session,
  },
  getSessionHistory: {
    method: 'GET',
    path: '/api/v1/sessions/:id/history',
    summary: 'Every state a session went through and every connection it lost or got back, with time and cause',
    ...may(EVERYONE, 'sessions:read'),
    rate: 'read',
    params: IdParams,
    response: Type.Object({ items: Type.Array(SessionTransition) }),
  },
  getSessionProcessing: {
    method: 'GET',
    path: '/api/v1/sessions/:id/processing',
    summary: 'How far the processing of a session is: stage, percent, place in the queue, errors',
    ...may(EVERYONE, 'sessions:read'),
    rate: 'read',
    params: IdParams,
    response: Processing,
  },
  getRecording: {
    method: 'GET',
    path: '/api/v1/sessions/:id/recording',
    summary: "How far a session's recording is and how good: records, gaps, what could not be decoded",
    ...may(EVERYONE, 'sessions:read'),
    rate: 'read',
    params: IdParams,
    response: RecordingStatus,
  },
  createTicket: {
    method: 'POST',
    path: '/api/v1/sessions/:id/tickets',
    summary: 'A new ticket for a session that is not over',
    ...may(WORKERS, 'sessions:write'),
    rate: 'create',
    creates: true,
    params: IdParams,
    body: Type.Object({ ticket_seconds: Type.Optional(TicketSeconds) }),
    response: SessionTicket,
  },
  startSession: {
    method: 'POST',
    path: '/api/v1/sessions/:id/start',
    summary: 'Open the recording before anyone connects, so that the first connection need not wait for it',
    ...may(WORKERS, 'sessions:write'),
    rate: 'write',
    params: IdParams,
    response: Session,
  },
  pauseSession: {
    method: 'POST',
    path: '/api/v1/sessions/:id/pause',
    summary: 'Pause a session: its display, its input and its recording stand still until it is resumed',
    ...may(OPERATORS, 'sessions:write'),
    rate: 'write',
    params: IdParams,
    body: Reason,
    response: Session,
  },
  resumeSession: {
    method: 'POST',
    path: '/api/v1/sessions/:id/resume',
    summary: 'Let a paused session go on',
    ...may(OPERATORS, 'sessions:write'),
    rate: 'write',
    params: IdParams,
    body: Reason,
    response: Session,
  },
  stopSession: {
    method: 'POST',
    path: '/api/v1/sessions/:id/stop',
    summary: 'Stop a session: its connection is told why and closed, its recording sealed and closed',
    ...may(WORKERS, 'sessions:write'),
    rate: 'write',
    params: IdParams,
    body: Reason,
    response: Session,
  },
  watchSession: {
    method: 'POST',
    path: '/api/v1/sessions/:id/watch',
    summary: 'A single-use ticket for the live view of a session, a WebSocket; the recording says who watched',
    ...may(EXAMINERS, 'sessions:watch'),
    rate: 'create',
    params: IdParams,
    response: WatchTicket,
  },
  listConnections: {
    method: 'GET',
    path: '/api/v1/connections',
    summary: 'Who is connected now',
    ...may(EXAMINERS, 'sessions:read'),
    rate: 'read',
    response: Type.Object({ items: Type.Array(Connection) }),
  },
});
